"""What a command works on: a run, a bundle, an ONNX file, weights by name, or a bare architecture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from zoo.api.errors import UnknownName, UsageError
from zoo.api.parts import Task
from zoo.api.problem import Input
from zoo.api.specs import ModelSpec, WeightsSpec
from zoo.bundle.runtime.manifest import read_manifest
from zoo.models.weights.source import WeightsSource, named_by_source, own_source, published_source, trained_model
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import same_name
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.listing import latest_run, list_runs, why_skipped
from zoo.runs.misspelt import near_outputs
from zoo.runs.run import Run

MAX_SKIPPED: Final = 3
"""Runs that cannot be taken that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTarget:
    """A training, opened."""

    run: Run
    model: RegistryEntry[ModelSpec]
    """The trained model, or the part of it that the command works on."""
    whole: RegistryEntry[ModelSpec] | None = None
    """The trained model, where `model` is a part of it."""
    checkpoint: str = "best"
    """best, last, or the name of a checkpoint's directory: step-938."""
    notes: tuple[str, ...] = ()
    """How the run was chosen, when nobody named it, and which newer ones were passed over."""

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.run.path


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleTarget:
    """An exported bundle, by its directory."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxTarget:
    """One ONNX file."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsTarget:
    """A model with published parameters, resnet18@imagenet1k_v1, or with those of another library, encoder@folder."""

    model: RegistryEntry[ModelSpec]
    source: WeightsSource

    @property
    def published(self) -> RegistryEntry[WeightsSpec] | None:
        """The published weights; None for another library's parameters."""
        return self.source.entry


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """An architecture without trained parameters."""

    model: RegistryEntry[ModelSpec]


Target = RunTarget | BundleTarget | OnnxTarget | WeightsTarget | ModelTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRequest:
    """What a command works on, looked up once and handed down, so that no name is read again."""

    catalog: Catalog
    target: Target
    device: str = "auto"
    """cpu, cuda, mps or auto: where PyTorch computes."""

    @property
    def download(self) -> RegistryEntry[WeightsSpec] | None:
        """Published weights that the target needs, which may have to be downloaded first."""
        return self.target.published if isinstance(self.target, WeightsTarget) else None

    @property
    def input(self) -> Input:
        """What the target's model is fed; UsageError for a single ONNX file."""
        match self.target:
            case BundleTarget(path=path):
                return read_manifest(path).manifest.problem.input
            case RunTarget(model=model) | WeightsTarget(model=model) | ModelTarget(model=model):
                return model.spec.input
            case OnnxTarget(path=path):
                raise _single_file(path)

    def make_task(self) -> Task:
        """The task of the target; UsageError for a single ONNX file, which names none."""
        match self.target:
            case BundleTarget(path=path):
                name = read_manifest(path).manifest.task
            case OnnxTarget(path=path):
                raise _single_file(path)
            case RunTarget(model=model) | WeightsTarget(model=model) | ModelTarget(model=model):
                name = model.spec.task
        return self.catalog.make_task(name)


def _single_file(path: Path) -> UsageError:
    return UsageError(
        f"{path} alone does not say how files are read and answers shown", hint="name the bundle that it belongs to"
    )


def resolve_target(
    text: str | None,
    *,
    catalog: Catalog | None = None,
    runs_root: Path = Path("runs"),
    checkpoint: str = "best",
    untrained: bool = False,
    device: str = "auto",
) -> TargetRequest:
    """The request that a command's TARGET and options make; see `find_target` for what TARGET can be.

    `catalog` defaults to the installed plugins.  UsageError for a checkpoint of what is no run.
    """
    catalog = catalog or Catalog.discover()
    target = find_target(text, catalog, runs_root, untrained=untrained)
    return TargetRequest(catalog=catalog, target=at_checkpoint(target, checkpoint), device=device)


def target_text(target: object) -> str:
    """A TARGET as text; UsageError for what is no name and no path, as a module is."""
    if isinstance(target, str | Path):
        return str(target)
    raise UsageError(
        f"a {type(target).__name__} is no TARGET: a model is named, not handed over",
        hint="name a run, a bundle or weights; a module of your own gets a name from a plugin (zoo plugins new)",
    )


def check_model_name(name: object) -> None:
    """UsageError for a model that is handed over and not named; None is a name that is left out."""
    if name is not None and not isinstance(name, str):
        raise UsageError(
            f"a {type(name).__name__} is no model's name: zoo knows models by their names",
            hint="see zoo.list_models(); a module of your own gets a name from a plugin (zoo plugins new)",
        )


def find_target(
    text: str | None, catalog: Catalog, runs_root: Path = Path("runs"), *, untrained: bool = False
) -> Target:
    """What TARGET names: an existing path, then model@tag, then a model's name; without one, the latest run.

    The tag may be what the model's own `sources` know (encoder@folder), a run that trained the model, or one of a
    larger model that the model is a part of: vae_decoder@runs/vae/...
    A model's name alone is a UsageError unless `untrained` is set; then nothing else is accepted.
    """
    if untrained:
        if text is None:
            raise UsageError("an untrained export needs the name of a model", hint="zoo list")
        return ModelTarget(model=catalog.usable_model(text))
    if text is None:
        return _latest(runs_root, catalog)
    return _existing(text, catalog) or _named(text, catalog)


def at_checkpoint(target: Target, checkpoint: str) -> Target:
    """The target with another of its checkpoints; UsageError for what has none to choose from."""
    if isinstance(target, RunTarget):
        return replace(target, checkpoint=checkpoint)
    if checkpoint == "best":
        return target
    raise UsageError(f"--checkpoint {checkpoint} chooses among the checkpoints of a run, and TARGET is none")


def _latest(root: Path, catalog: Catalog) -> RunTarget:
    latest = latest_run(root)
    if latest is None:
        listed = list_runs(root)
        sentences = [*listed.unreadable, *map(why_skipped, listed.runs)]
        more = [f"{len(sentences) - MAX_SKIPPED} more"] if len(sentences) > MAX_SKIPPED else []
        passed_over = "".join(f"; {sentence}" for sentence in [*sentences[:MAX_SKIPPED], *more])
        raise UsageError(
            f"there is no run in {root} to take{passed_over}",
            hint="name a TARGET: a run that is being trained gives its best checkpoint so far"
            if any(run.status == "running" for run in listed.runs)
            else "train one (zoo train resnet), or name a TARGET",
        )
    notes = (*latest.skipped, f"taking the latest run, {latest.run.path}")
    return RunTarget(run=latest.run, model=trained_model(latest.run, catalog), notes=notes)


def _existing(text: str, catalog: Catalog) -> Target | None:
    path = Path(text)
    if path.is_dir():
        if (path / "run.json").is_file():
            run = Run.open(path)
            return RunTarget(run=run, model=trained_model(run, catalog))
        if (path / "manifest.json").is_file():
            return BundleTarget(path=path)
    if path.is_file() and path.suffix == ".onnx":
        return OnnxTarget(path=path)
    return None


def _named(text: str, catalog: Catalog) -> Target:
    if both := named_by_source(text, catalog):
        return WeightsTarget(model=both[0], source=both[1])
    name, _, rest = text.partition("@")
    try:
        model = catalog.usable_model(name if rest else text)
        if not rest:
            raise _bare(model, catalog)
        if (Path(rest) / "run.json").is_file():
            run = Run.open(Path(rest))
            members = (member for member in catalog.family(name) if same_name(run.config.model, member.full_name))
            return _part_of(run, next(members, model), catalog)
        if source := own_source(rest, catalog, model):
            return WeightsTarget(model=model, source=replace(source, name=f"{model.full_name}@{source.name}"))
        return WeightsTarget(model=model, source=published_source(catalog, catalog.weight(text), model))
    except UnknownName as error:
        raise _nothing(text, error) from None


def _part_of(run: Run, model: RegistryEntry[ModelSpec], catalog: Catalog) -> RunTarget:
    """The run for a model that it trained, or for a part of that model."""
    trained = trained_model(run, catalog)
    return RunTarget(run=run, model=model, whole=None if trained.full_name == model.full_name else trained)


def _bare(model: RegistryEntry[ModelSpec], catalog: Catalog) -> UsageError:
    return UsageError(
        f"{model.bare_name} alone is a bare architecture, without trained parameters",
        hint=f"train it (zoo train {model.bare_name}), name weights ({_example(model, catalog)}), "
        "or export it as it is with --untrained",
    )


def _example(model: RegistryEntry[ModelSpec], catalog: Catalog) -> str:
    weights = catalog.weights(model.full_name)
    return weights[0].bare_name if weights else f"{model.bare_name}@TAG"


def _nothing(text: str, error: UnknownName) -> UsageError:
    """What was tried, in order, for a text that means nothing."""
    path = Path(text)
    if not path.exists():
        if "@" in text:
            return error
        hint = near_outputs(path) or error.hint
        if "/" in text or path.suffix:
            return UsageError(f"{text} does not exist, and {error.message}", hint=hint)
        return UnknownName(f"{error.message}, and there is no file or folder {text} here", hint=hint)
    run = next((parent for parent in path.resolve().parents if (parent / "run.json").is_file()), None)
    if run:
        return UsageError(f"{text} is a part of the run {run}", hint=f"name the run itself: {run}")
    if path.is_dir():
        return UsageError(
            f"{text} is neither a run (no run.json in it) nor a bundle (no manifest.json), and {error.message}",
            hint="zoo runs",
        )
    return UsageError(f"{text} is a file, but not an .onnx file, and {error.message}", hint="zoo runs")
