"""What one training is asked for: every name looked up once, everything checked that needs neither torch nor data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataSource
from zoo.api.errors import DataError, MissingExtra, UsageError
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Input
from zoo.api.specs import ModelSpec, TrainerSpec
from zoo.api.task import Progress
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.run import check_output, default_output
from zoo.runs.train_config import TrainConfig, read_config, resolve_config, sized_input
from zoo.runs.train_options import TrainOptions

if TYPE_CHECKING:
    from zoo.models.weights.source import WeightsSource


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """A training that can begin as soon as its data have been checked; handed down, so that no name is read again."""

    catalog: Catalog
    entry: RegistryEntry[ModelSpec]
    """The model."""
    trainer: RegistryEntry[TrainerSpec]
    task: Task
    config: TrainConfig
    """With device, processes, threads and workers as far as the user chose them."""
    data_source: DataSource
    weights: WeightsSource | None = None
    """What training starts from; None starts from the seed."""
    output: Path
    """Where the run directory will be."""
    overwrite: bool = False


def resolve_training(model: str | None, options: TrainOptions, *, catalog: Catalog) -> TrainingRequest:
    """The training that a model's name and the options ask for; every error that needs no data is raised here.

    `model` is a name or model@tag; None takes the model of the config that `options` replay.
    """
    name, tag = _model_name(model, options)
    entry = catalog.model(name)
    options = replace(options, weights=f"{entry.full_name}@{tag}") if tag else options
    if missing := catalog.missing(entry):
        raise MissingExtra(
            f"{entry.full_name} needs {', '.join(missing)}, not installed here",
            hint=f"pip install '{entry.plugin.distribution}[{entry.spec.extra}]'",
        )
    entry = catalog.with_trainer(entry, _trainer_name(options))
    trainer = catalog.trainer_of(entry)
    if options.trainer:
        options = replace(options, trainer=trainer.full_name)
    config = resolve_config(
        options,
        spec=entry.spec,
        full_name=entry.full_name,
        plugin=entry.plugin.name,
        plugin_version=entry.plugin.version,
        default_data=catalog.task(entry.spec.task).spec.default_data,
        trainer_options=trainer.spec.options,
    )
    _check_weights(config, entry)
    output = options.output or default_output(entry.full_name)
    check_output(output, overwrite=options.overwrite)
    task = catalog.make_task(entry.spec.task)
    weights = _find_weights(config, catalog, entry)
    if weights:
        config = replace(config, input=_trained_input(weights, config, entry))
    return TrainingRequest(
        catalog=catalog,
        entry=entry,
        trainer=trainer,
        task=task,
        config=config,
        data_source=task.data.detect(config.request),
        weights=weights,
        output=output,
        overwrite=options.overwrite,
    )


def _trainer_name(options: TrainOptions) -> str:
    """The trainer that the options name, or the config that they replay; empty for the model's own."""
    return options.trainer or (read_config(options.config).trainer if options.config else "")


def _model_name(model: str | None, options: TrainOptions) -> tuple[str, str]:
    """The name of the model, and the tag of model@tag."""
    text = model or (read_config(options.config).model if options.config else None)
    if text is None:
        raise UsageError("no MODEL is named", hint="name one, as in `zoo train resnet`; `zoo list` shows all")
    name, _, tag = text.partition("@")
    if tag and options.weights:
        raise UsageError(f"{model} names weights, and --weights {options.weights} too", hint="say one of them")
    return name, tag


def _check_weights(config: TrainConfig, entry: RegistryEntry[ModelSpec]) -> None:
    if entry.spec.from_weights and not config.weights:
        raise UsageError(
            f"{entry.full_name} is built from weights alone: {entry.spec.from_weights}", hint="name them with --weights"
        )
    if config.freeze == "backbone" and not entry.spec.head:
        raise UsageError(f"{entry.full_name} does not say which of its layers is the head", hint="leave out --freeze")


def _find_weights(config: TrainConfig, catalog: Catalog, entry: RegistryEntry[ModelSpec]) -> WeightsSource | None:
    if not config.weights:
        return None
    from zoo.models.weights.source import find_source  # noqa: PLC0415  only fine-tuning looks weights up

    return find_source(config.weights, catalog, entry)


def _trained_input(weights: WeightsSource, config: TrainConfig, entry: RegistryEntry[ModelSpec]) -> Input:
    """The input that the weights were trained with, else the model's own, at the recipe's size."""
    trained = weights.input or entry.spec.input
    if isinstance(trained, ImageInput):
        trained = replace(trained, any_channels=False)  # the first layer is trained already: pictures adapt to it
    return sized_input(trained, config.recipe)


def check_data(request: TrainingRequest, *, progress: Progress) -> DataCard:
    """The data, every sample looked at; DataError when they cannot be trained on."""
    card = request.task.data.check(request.data_source, progress=progress)
    for split in ("train", "validation"):
        if not card.counts().get(split):
            raise DataError(
                f"{request.config.data} has no {split} items",
                hint="training needs at least one to learn from and one to validate with",
            )
    return card
