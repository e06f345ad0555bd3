"""What somebody wants to train, checked as far as it goes in under a second and without torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from zoo.api.data import DataCard, DataSource
from zoo.api.errors import DataError, MissingExtra, UsageError
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Input
from zoo.api.specs import ModelSpec
from zoo.api.task import Progress
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.run import check_place, default_place
from zoo.runs.train_config import TrainConfig, TrainOptions, read_config, resolve_config, sized_input


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A training that can begin as soon as its data have been checked."""

    catalog: Catalog
    entry: RegistryEntry[ModelSpec]
    task: Task
    config: TrainConfig
    source: DataSource
    place: Path
    """Where the run directory will be."""
    overwrite: bool = False


def intend(model: str | None, options: TrainOptions, *, catalog: Catalog, overwrite: bool = False) -> Intent:
    """The training that a model's name and options mean; every error that needs no data is raised here."""
    name = model or (read_config(options.config).model if options.config else None)
    if name is None:
        raise UsageError("no MODEL is named", hint="name one, as in `zoo train resnet`; `zoo list` shows all")
    name, _, tag = name.partition("@")
    if tag and options.weights:
        raise UsageError(f"{model} names weights, and --weights {options.weights} too", hint="say one of them")
    entry = catalog.model(name)
    if missing := catalog.missing(entry):
        raise MissingExtra(
            f"{entry.full_name} needs {', '.join(missing)}, not installed here",
            hint=f"pip install '{entry.plugin.distribution}[{entry.spec.extra}]'",
        )
    options = replace(options, weights=f"{entry.full_name}@{tag}") if tag else options
    config = resolve_config(
        options,
        spec=entry.spec,
        full_name=entry.full_name,
        plugin=entry.plugin.name,
        plugin_version=entry.plugin.version,
        default_data=catalog.task(entry.spec.task).spec.default_data,
        trainer_options=catalog.trainer_of(entry).spec.options,
    )
    if entry.spec.from_weights and not config.weights:
        raise UsageError(
            f"{entry.full_name} is built from weights alone: {entry.spec.from_weights}", hint="name them with --weights"
        )
    if config.freeze == "backbone" and not entry.spec.head:
        raise UsageError(f"{entry.full_name} does not say which of its layers is the head", hint="leave out --freeze")
    place = options.output or default_place(entry.full_name)
    check_place(place, overwrite=overwrite)
    task = catalog.make_task(entry.spec.task)
    return Intent(
        catalog=catalog,
        entry=entry,
        task=task,
        config=replace(config, input=_starting_input(config, entry, catalog)),
        source=task.data.detect(config.request),
        place=place,
        overwrite=overwrite,
    )


def _starting_input(config: TrainConfig, entry: RegistryEntry[ModelSpec], catalog: Catalog) -> Input:
    """The input that the weights were trained with, else the model's own, at the recipe's size."""
    if config.weights is None:
        return config.input
    from zoo.models.weights.source import find_source  # noqa: PLC0415  only fine-tuning looks weights up

    source = find_source(config.weights, catalog, entry)
    trained = source.input or entry.spec.input
    if isinstance(trained, ImageInput):
        trained = replace(trained, any_channels=False)  # the first layer is trained already: pictures adapt to it
    return sized_input(trained, config.recipe)


def check_data(intent: Intent, *, progress: Progress) -> DataCard:
    """The data, every sample looked at; DataError when they cannot be trained on."""
    card = intent.task.data.check(intent.source, progress=progress)
    for split in ("train", "validation"):
        if not card.counts().get(split):
            raise DataError(f"{intent.config.data} has no {split} items", hint="see docs on data, or --data digits")
    return card
