"""What `--weights` names: a tag, a run, or a file of tensors; looked up, not yet read; torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoo.api.errors import BadFile, PluginError, UnknownName, UsageError, ZooError
from zoo.api.problem import Input, Json, Problem
from zoo.api.specs import ModelSpec, Reference, WeightsSpec
from zoo.api.task import Progress
from zoo.models.weights.published import WeightsFile, check_accepted, fetch, labels, tokens
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import current_plugin, same_name
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.checkpoints import Checkpoint, file_sha256
from zoo.runs.run import Run

READING = ("tokenizer", "architecture")
"""Facts of a run's problem that hold for whatever is trained from it."""
PICKLES = frozenset({".pth", ".pt", ".ckpt", ".bin", ".pkl", ".pickle", ".tar"})
"""Checkpoints that PyTorch writes: their tensors are read in a sandbox, and no code of theirs runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSource:
    """Parameters for one model, and what they were trained for.

    Examples:
        >>> zoo.WeightsSource(name="cnn/cnn@cnn/digits", model="cnn/cnn", classes=("0", "1")).name
        'cnn/cnn@cnn/digits'
    """

    name: str
    """torchvision/resnet18@torchvision/imagenet1k_v1, or the path of a run or a file."""
    model: str = ""
    """The model that they belong to, where whoever found them knows it; empty means whichever model asked."""
    classes: tuple[str, ...] = ()
    """In index order; empty where nobody recorded them."""
    vocabulary: tuple[str, ...] = ()
    """Tokens in index order; empty where none are read, or nobody recorded them."""
    input: Input | None = None
    """What they were trained with; None where nobody recorded it."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """What else of the problem they know: how texts are cut, which architecture they belong to."""
    licence: str = ""
    """Of the parameters; empty where nothing is stated."""
    reader: Reference | None = None
    """(path of `file`) -> state_dict, where another library writes it; None reads a safetensors file of zoo's."""
    entry: RegistryEntry[WeightsSpec] | None = None
    """The published weights; None for a run or a file."""
    checkpoint: Checkpoint | None = None
    """The checkpoint of a run; None elsewhere."""
    file: Path | None = None
    """The file of parameters; None where it is not here yet."""
    notes: tuple[str, ...] = ()
    """What a person should know of them, a sentence each."""

    def fetch(self, progress: Progress) -> WeightsFile:
        """The file of the parameters on this disk, its hash checked where one is declared."""
        if self.entry:
            return fetch(self.entry, progress=progress)
        path = self.checkpoint.model if self.checkpoint else self.file
        assert path is not None
        return WeightsFile(path=path, sha256=file_sha256(path))


def find_source(text: str, catalog: Catalog, model: RegistryEntry[ModelSpec]) -> WeightsSource:
    """The parameters that TEXT names for a model: a run, what the model knows by itself, a file, then a tag."""
    path = Path(text)
    if (path / "run.json").is_file():
        return _run_source(path, catalog, model)
    if own := own_source(text, catalog, model):
        return own
    if path.exists():
        return _file_source(path)
    owner, _, _ = text.rpartition("/")
    installed = ("", *(plugin.name for plugin in catalog.plugins))
    if "@" in text or (not path.suffix and current_plugin(owner, catalog.plugins) in installed):
        name = text if "@" in text else f"{model.full_name}@{text}"
        return published_source(catalog, catalog.weight(name), model)
    if "://" in text:
        raise UsageError(
            f"the weights {text} are an address, and zoo downloads only what a plugin publishes with its hash",
            hint="download the file, then name it with --weights",
        )
    raise UsageError(f"the weights {text} do not exist", hint=_tags(catalog, model))


def own_source(text: str, catalog: Catalog, model: RegistryEntry[ModelSpec]) -> WeightsSource | None:
    """What a model's own `sources` make of TEXT; None where it has none, or they know nothing of it."""
    if model.spec.sources is None:
        return None
    find = catalog.load(model, model.spec.sources)
    source = find(text) if callable(find) else find
    if source is None:
        return None
    if not isinstance(source, WeightsSource):
        raise PluginError(
            f"{model.spec.sources!r} of the {model.plugin.title} gave a {type(source).__name__} for {text}"
        )
    if source.model and not same_name(source.model, model.full_name):
        raise UsageError(f"{text} are weights of {source.model}, not of {model.full_name}")
    return source


def named_by_source(text: str, catalog: Catalog) -> tuple[RegistryEntry[ModelSpec], WeightsSource] | None:
    """The model and its weights where TEXT alone names both, as "hf-hub:timm/resnet10t.c3_in1k" does; else None.

    The `sources` of the plugins are asked in turn, and only for what has the form scheme:name; first those of models
    that are built from weights alone, which know best why a whole model is none.
    """
    scheme, colon, name = text.partition(":")
    if not (colon and name) or "/" in scheme or name.startswith(("//", "\\")):
        return None
    models = sorted(catalog.models(), key=lambda model: not model.spec.from_weights)
    askable = {model.spec.sources: model for model in models if model.spec.sources}
    refusals = list[ZooError]()
    for model in askable.values():
        if catalog.missing(model):
            continue
        find = catalog.load(model, str(model.spec.sources))
        try:
            source = find(text) if callable(find) else None
        except ZooError as error:  # another plugin may know it
            refusals.append(error)
            continue
        if isinstance(source, WeightsSource) and source.model:
            return catalog.model(source.model), source
    if refusals:
        raise refusals[0]
    return None


def read_as(problem: Problem, source: WeightsSource) -> Problem:
    """The problem as the parameters know it: their embedding has no other tokens, and cuts texts in no other way."""
    vocabulary = source.vocabulary or problem.vocabulary
    return replace(problem, vocabulary=vocabulary, facts={**problem.facts, **source.facts})


def published_source(
    catalog: Catalog, entry: RegistryEntry[WeightsSpec], model: RegistryEntry[ModelSpec]
) -> WeightsSource:
    """Published parameters, of this very model; UsageError where their licence is still to be accepted."""
    if entry.model != model.full_name:
        raise UsageError(f"{entry.full_name} are weights of {entry.model}, not of {model.full_name}")
    check_accepted(entry)
    return described_weights(catalog, entry, model)


def described_weights(
    catalog: Catalog, entry: RegistryEntry[WeightsSpec], model: RegistryEntry[ModelSpec]
) -> WeightsSource:
    """What published parameters say of themselves; whoever loads them asks `published_source`, which checks more."""
    return WeightsSource(
        name=entry.full_name,
        classes=labels(catalog, entry),
        vocabulary=tokens(catalog, entry),
        input=entry.spec.input or model.spec.input,
        facts=entry.spec.facts,
        licence=entry.spec.licence,
        entry=entry,
        notes=(entry.note,) if entry.note else (),
    )


def trained_model(run: Run, catalog: Catalog) -> RegistryEntry[ModelSpec]:
    """The model that a run trained; UsageError says which plugin to install where it is gone."""
    config = run.config
    try:
        model = catalog.model(config.model)
    except UnknownName as error:
        raise UsageError(
            f"the run {run.path} is of {config.model}, which is not on offer here: {error.message}",
            hint=f"install the plugin {config.plugin} {config.plugin_version}",
        ) from error
    try:
        return catalog.with_trainer(model, config.trainer)
    except UnknownName as error:
        raise UsageError(
            f"the run {run.path} was trained by {config.trainer}, which is not on offer here: {error.message}",
            hint=f"install the plugin {config.trainer.partition('/')[0]}",
        ) from error


def _run_source(path: Path, catalog: Catalog, model: RegistryEntry[ModelSpec]) -> WeightsSource:
    run = Run.open(path)
    if not same_name(run.config.model, model.full_name) and trained_model(run, catalog).full_name != model.full_name:
        raise UsageError(f"the run {path} trained {run.config.model}, not {model.full_name}")
    best = run.checkpoint("best")
    return WeightsSource(
        name=str(path),
        classes=run.problem.classes,
        vocabulary=run.problem.vocabulary,
        input=run.problem.input,
        facts={name: run.problem.facts[name] for name in READING if name in run.problem.facts},
        checkpoint=best.checkpoint,
        notes=best.notes,
    )


def _file_source(path: Path) -> WeightsSource:
    if path.is_dir():
        raise UsageError(
            f"{path} cannot be taken for weights: it is a folder without run.json, so no run of zoo",
            hint="name a run directory, a file of tensors or a tag",
        )
    if path.suffix == ".safetensors" or path.suffix in PICKLES:
        return WeightsSource(name=str(path), file=path)
    raise BadFile(
        f"{path} cannot be taken for weights: it is neither a run of zoo nor a file of tensors",
        hint=f"files of tensors end in .safetensors, {', '.join(sorted(PICKLES))}",
    )


def _tags(catalog: Catalog, model: RegistryEntry[ModelSpec]) -> str:
    tags = ", ".join(entry.spec.tag for entry in catalog.weights(model.full_name))
    return f"name a run directory, a .safetensors or .pth file{f', or one of {tags}' if tags else ''}"


def default_weights(catalog: Catalog, entry: RegistryEntry[ModelSpec]) -> RegistryEntry[WeightsSpec] | None:
    """The published weights of a model that --pretrained means: the last of its plugin's own tags that names classes.

    Publishers number their sets upwards (imagenet1k_v1, imagenet1k_v2), and those without classes are features of
    another work.  None where there are none.
    """
    every = catalog.weights(entry.full_name)
    own = [weights for weights in every if weights.plugin.name == entry.plugin.name] or list(every)
    labelled = [weights for weights in own if weights.spec.classes] or own
    return labelled[-1] if labelled else None
