"""What of a training's options cannot be done, said before anything is read; torch-free."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.errors import UsageError, ZooError
from zoo.api.recipe import Recipe
from zoo.api.specs import OPTIONAL_RECIPE, ModelSpec, TrainerSpec, WeightsSpec
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.train_config import TrainConfig
from zoo.runs.train_options import NO_CALLBACK, TRAIN_OPTIONS

if TYPE_CHECKING:
    from zoo.models.target import BundleTarget, OnnxTarget


def check_weights(config: TrainConfig, entry: RegistryEntry[ModelSpec]) -> None:
    """UsageError where the model needs weights to start from, or cannot freeze what it was asked to."""
    if entry.spec.from_weights and not config.weights:
        raise UsageError(
            f"{entry.full_name} is built from weights alone: {entry.spec.from_weights}", hint="name them with --weights"
        )
    if config.freeze == "backbone" and not entry.spec.head:
        raise UsageError(f"{entry.full_name} does not say which of its layers is the head", hint="leave out --freeze")


def check_supported(config: TrainConfig, trainer: RegistryEntry[TrainerSpec]) -> None:
    """UsageError where the trainer would ignore what was asked for."""
    if config.recipe.fake_quantize and config.recipe.compile:
        raise UsageError("recipe.fake_quantize works in eager mode alone", hint="leave --compile out")
    plain = Recipe()
    asked = [name for name in OPTIONAL_RECIPE if getattr(config.recipe, name, "") != getattr(plain, name, "")]
    asked += ["teacher"] if config.teacher else []
    if ignored := [name for name in asked if name not in trainer.spec.supports]:
        words = ", ".join(recipe_flags([name]) for name in ignored)
        raise UsageError(
            f"the trainer {trainer.full_name} cannot do {words}",
            hint=f"leave it out, or choose another --trainer; zoo info {trainer.full_name} says what it can do",
        )


def find_teacher(
    config: TrainConfig, catalog: Catalog, entry: RegistryEntry[ModelSpec]
) -> RegistryEntry[WeightsSpec] | None:
    """The published weights of the teacher, None for a run; UsageError where it cannot teach this model."""
    from zoo.models.target import BundleTarget, OnnxTarget, WeightsTarget, find_target  # noqa: PLC0415  with a teacher

    try:
        target = find_target(config.teacher, catalog)
    except ZooError as error:
        raise UsageError(f"--teacher {config.teacher}: {error.message}", hint=error.hint) from error
    if isinstance(target, BundleTarget | OnnxTarget):
        raise UsageError(
            f"{config.teacher} is exported already: it holds graphs, and a teacher is a PyTorch model",
            hint=_exported_from(target),
        )
    task, own = (catalog.task(model.spec.task).full_name for model in (target.model, entry))
    if task != own:
        raise UsageError(f"the teacher {config.teacher} is for {task}, and {entry.full_name} for {own}")
    return target.published if isinstance(target, WeightsTarget) else None


def _exported_from(target: BundleTarget | OnnxTarget) -> str:
    """The teacher to name instead of a bundle or an ONNX file: what it was exported from."""
    from zoo.bundle.runtime.bundle import Bundle  # noqa: PLC0415  for this error alone
    from zoo.models.target import BundleTarget  # noqa: PLC0415

    source = ""
    if isinstance(target, BundleTarget):
        with suppress(ZooError):
            source = Bundle.open(target.path).manifest.lineage.target
    if not source:
        return "name a run, or weights such as resnet18@imagenet1k_v1: --teacher RUN"
    gone = "" if "@" in source or Path(source).exists() else "; that run is no longer there: name another"
    return f"name what it was exported from: --teacher {shlex.quote(source)}{gone}"


def callback_names(names: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    """The full names of callbacks, each once; ("none",) for none.  UnknownName, or MissingExtra for one of them."""
    if NO_CALLBACK in names and len(names) > 1:
        raise UsageError("--callback none goes with no other --callback", hint="leave one of them out")
    if NO_CALLBACK in names:
        return (NO_CALLBACK,)
    return tuple(dict.fromkeys(catalog.callback(name).full_name for name in names))


def recipe_flags(names: Sequence[str]) -> str:
    """The options that set fields of the recipe, as in --epochs, --set recipe.augment.flip=VALUE."""
    options = {option.name: option.flag for option in TRAIN_OPTIONS}
    return ", ".join(options.get(name, f"--set recipe.{name}=VALUE") for name in names)
