"""What one training is asked for: every name looked up once, everything checked that needs neither torch nor data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataSource
from zoo.api.errors import DataError, MissingExtra, UsageError
from zoo.api.parts import Task
from zoo.api.problem import ImageInput, Input
from zoo.api.specs import ModelSpec, TrainerSpec, WeightsSpec
from zoo.api.task import Progress
from zoo.models.weights.source import default_weights
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import same_name
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.replacement import training_place
from zoo.runs.run import default_output
from zoo.runs.train_config import Choice, TrainConfig, chosen_numbers, read_config, resolve_config, sized_input
from zoo.runs.train_options import TrainOptions
from zoo.training.advice.data_defaults import DataFacts, choose_member, facts_of, suit_recipe
from zoo.training.engine.kernels import check_compiler
from zoo.training.launch.check_request import callback_names, check_supported, check_weights, find_teacher, recipe_flags

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
    teacher_weights: RegistryEntry[WeightsSpec] | None = None
    """Published weights of the teacher, which may have to be downloaded first."""
    output: Path
    """Where the run directory will be."""
    overwrite: bool = False
    options: TrainOptions = field(default_factory=TrainOptions)
    """What the user chose."""
    family: tuple[RegistryEntry[ModelSpec], ...] = ()
    """The models among which the data decide, those for the smallest pictures first; empty where the name says it."""
    alias: str = ""
    """The family's name, where the user gave it."""


def resolve_training(model: str | None, options: TrainOptions, *, catalog: Catalog) -> TrainingRequest:
    """The training that a model's name and the options ask for; every error that needs no data is raised here.

    `model` is a name or model@tag; None takes the model of the config that `options` replay.
    """
    name, tag = _model_name(model, options)
    family = catalog.family(name)
    entry = _trained_member(family, options) or catalog.usable_model(name)
    options = replace(options, weights=f"{entry.full_name}@{tag}") if tag else options
    if options.pretrained:
        options = replace(options, weights=_default_weights(catalog, entry, options))
    entry, trainer, config = _settle_model(entry, options, catalog)
    check_weights(config, entry)
    if config.recipe.compile:
        check_compiler()
    check_supported(config, trainer)
    teacher = find_teacher(config, catalog, entry) if config.teacher else None
    callback_names(config.callbacks, catalog)  # also those of a config that is replayed
    output = options.output or default_output(entry.full_name)
    training_place(output, overwrite=options.overwrite)
    task = catalog.make_task(entry.spec.task)
    weights = _find_weights(config, catalog, entry)
    if weights:
        config = replace(config, input=_trained_input(weights, config, entry))
    decides = not options.config and weights is None
    return TrainingRequest(
        catalog=catalog,
        entry=entry,
        trainer=trainer,
        task=task,
        config=config,
        data_source=task.data.detect(config.request),
        weights=weights,
        teacher_weights=teacher,
        output=output,
        overwrite=options.overwrite,
        options=options,
        family=family if decides else (),
        alias=name if decides else "",
    )


def _settle_model(
    entry: RegistryEntry[ModelSpec], options: TrainOptions, catalog: Catalog
) -> tuple[RegistryEntry[ModelSpec], RegistryEntry[TrainerSpec], TrainConfig]:
    """The model with its trainer, and the config of its training; MissingExtra where it cannot be used here."""
    if missing := catalog.missing(entry):
        raise MissingExtra(
            f"{entry.full_name} needs {', '.join(missing)}, not installed here",
            hint=f"pip install '{entry.plugin.distribution}[{entry.spec.extra}]'",
        )
    entry = catalog.with_trainer(entry, _trainer_name(options))
    trainer = catalog.trainer_of(entry)
    if options.trainer:
        options = replace(options, trainer=trainer.full_name)
    options = replace(options, callbacks=callback_names(options.callbacks, catalog))
    config = resolve_config(
        options,
        spec=entry.spec,
        full_name=entry.full_name,
        plugin=entry.plugin.name,
        plugin_version=entry.plugin.version,
        default_data=catalog.task(entry.spec.task).spec.default_data,
        trainer_options=trainer.spec.options,
    )
    return entry, trainer, config


def suit_to_data(request: TrainingRequest, card: DataCard) -> TrainingRequest:
    """The request with what its data decide: the member of a family, then the numbers of the recipe.

    The config says what was chosen and why.  What the user chose stays, and so does a config that is replayed.
    """
    if request.options.config:
        return request
    facts = facts_of(card, limit=request.config.limit_train)
    request, choices = _suited_member(request, facts)
    spec, config = request.entry.spec, request.config
    suited = suit_recipe(
        config.recipe,
        facts,
        spec=spec,
        keep=chosen_numbers(request.options),
        trained_input=request.weights is not None,
    )
    input = config.input if request.weights else sized_input(spec.input, suited.recipe)
    config = replace(config, recipe=suited.recipe, input=input, choices=(*choices, *config.choices, *suited.choices))
    return replace(request, config=config)


def _suited_member(request: TrainingRequest, facts: DataFacts) -> tuple[TrainingRequest, tuple[Choice, ...]]:
    """The request for the member of its family that suits the pictures, and why it is this one."""
    if not request.family:
        return request, ()
    limits = [member.spec.takes_over.get(request.alias) for member in request.family]
    member = request.family[choose_member(limits, facts)]
    words = [
        f"{other.bare_name} {'above' if limit is None else f'for pictures up to {limit} px'}"
        for other, limit in zip(request.family, limits, strict=True)
    ]
    reason = f"{facts.pictures}; {request.alias} is {', '.join(words)}"
    if member.full_name != request.entry.full_name:
        entry, trainer, config = _settle_model(member, request.options, request.catalog)
        output = request.options.output or default_output(entry.full_name)
        request = replace(request, entry=entry, trainer=trainer, config=config, output=output)
    return request, (Choice(name="model", value=member.bare_name, reason=reason),)


def choice_sentences(config: TrainConfig) -> list[str]:
    """A sentence for each number that zoo chose for the data, and one that says how to choose others."""
    sentences = [f"{choice.name} {choice.value}: {choice.reason}" for choice in config.choices]
    names = [choice.name for choice in config.choices if choice.name != "model"]
    return [*sentences, *([f"to choose others: {recipe_flags(names)}"] if names else [])]


def _trained_member(
    family: tuple[RegistryEntry[ModelSpec], ...], options: TrainOptions
) -> RegistryEntry[ModelSpec] | None:
    """The member of a family that a run trained, where the options name one to replay or to start from."""
    path = options.config or options.weights
    if not family or path is None or not (options.config or (Path(path) / "run.json").is_file()):
        return None
    trained = read_config(Path(path)).model
    return next((member for member in family if same_name(trained, member.full_name)), None)


def _default_weights(catalog: Catalog, entry: RegistryEntry[ModelSpec], options: TrainOptions) -> str:
    """The name of the weights that --pretrained means."""
    if options.weights:
        raise UsageError(f"--pretrained and --weights {options.weights} both name weights", hint="say one of them")
    if best := default_weights(catalog, entry):
        return best.full_name
    raise UsageError(
        f"no weights are published for {entry.full_name}", hint="leave out --pretrained, or name yours with --weights"
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
