"""Which published weights a training could start from, and the sentence that offers them; torch-free."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.api.specs import ModelSpec, WeightsSpec
from zoo.models.weights.source import default_weights
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.train_options import command_words

if TYPE_CHECKING:
    from zoo.training.launch.request import TrainingRequest


def finetuning_offer(request: TrainingRequest) -> list[str]:
    """One sentence with the command that starts from published weights, where some would help; else none.

    They do not help where training starts from weights already, where the pictures are far smaller than those that the
    weights have seen, and where the weights know nothing but the embedded data.
    """
    catalog, entry, config = request.catalog, request.entry, request.config
    own_data = catalog.task(entry.spec.task).spec.default_data
    if request.options.config or config.weights or config.data == own_data or not entry.spec.head:
        return []
    weights = default_weights(catalog, entry)
    if weights is None or weights.spec.data == own_data or 2 * config.input.picture_side < _side(weights, entry):
        return []
    return [f"{weights.bare_name} is published and mostly learns faster: {finetuning_command(request)}"]


def _side(weights: RegistryEntry[WeightsSpec], entry: RegistryEntry[ModelSpec]) -> int:
    return (weights.spec.input or entry.spec.input).picture_side


def finetuning_command(request: TrainingRequest) -> str:
    """The command of this training with --pretrained."""
    options = replace(request.options, pretrained=True, weights=None, output=None, overwrite=False)
    return " ".join(["zoo train", request.entry.bare_name, *command_words(options)])
