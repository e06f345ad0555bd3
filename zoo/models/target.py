"""What a command works on: a run, a bundle, an ONNX file, weights by name, or a bare architecture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.errors import UnknownName, UsageError
from zoo.api.specs import ModelSpec, WeightsSpec
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.listing import latest_run, list_runs

if TYPE_CHECKING:
    from zoo.models.weights.source import WeightsSource


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTarget:
    """A training, by its directory."""

    path: Path
    model: RegistryEntry[ModelSpec] | None = None
    """The model that is meant, where it is not the trained one but a part of it."""
    checkpoint: str = "best"
    """best, last, or the name of a checkpoint's directory: step-938."""
    notes: tuple[str, ...] = ()
    """How it was chosen, when nobody named it, and which newer ones were passed over."""


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
    """Published weights of a model, resnet18@imagenet1k_v1."""

    model: RegistryEntry[ModelSpec]
    weights: RegistryEntry[WeightsSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """An architecture without trained parameters."""

    model: RegistryEntry[ModelSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTarget:
    """Parameters that the model knows to find by itself: another library's folder, encoder@folder."""

    model: RegistryEntry[ModelSpec]
    source: WeightsSource


Target = RunTarget | BundleTarget | OnnxTarget | WeightsTarget | SourceTarget | ModelTarget


def find_target(
    text: str | None, catalog: Catalog, runs_root: Path = Path("runs"), *, untrained: bool = False
) -> Target:
    """What TARGET means: an existing path, then model@tag, then a model's name; without one, the latest run.

    The tag may be what the model's own `sources` know (encoder@folder), a run that trained the model, or one of a
    larger model that it is a part of: vae_decoder@runs/vae/...
    A model's name alone is a UsageError unless `untrained` is set; then nothing else is accepted.
    """
    if untrained:
        if text is None:
            raise UsageError("an untrained export needs the name of a model", hint="zoo list")
        return ModelTarget(model=catalog.model(text))
    if text is None:
        return _latest(runs_root)
    return _existing(text) or _named(text, catalog)


def at_checkpoint(target: Target, checkpoint: str) -> Target:
    """The target with another of its checkpoints; UsageError for what has none to choose from."""
    if isinstance(target, RunTarget):
        return replace(target, checkpoint=checkpoint)
    if checkpoint == "best":
        return target
    raise UsageError(f"--checkpoint {checkpoint} chooses among the checkpoints of a run, and TARGET is none")


def _latest(root: Path) -> RunTarget:
    found = latest_run(root)
    if found is None:
        passed_over = "".join(f"; {sentence}" for sentence in list_runs(root).unreadable)
        raise UsageError(
            f"there is no run in {root} to take{passed_over}", hint="train one (zoo train resnet), or name a TARGET"
        )
    return RunTarget(path=found.run.path, notes=(*found.skipped, f"taking the latest run, {found.run.path}"))


def _existing(text: str) -> Target | None:
    path = Path(text)
    if path.is_dir():
        if (path / "run.json").is_file():
            return RunTarget(path=path)
        if (path / "manifest.json").is_file():
            return BundleTarget(path=path)
    if path.is_file() and path.suffix == ".onnx":
        return OnnxTarget(path=path)
    return None


def _named(text: str, catalog: Catalog) -> Target:
    try:
        name, _, rest = text.partition("@")
        if rest and (Path(rest) / "run.json").is_file():
            return RunTarget(path=Path(rest), model=catalog.model(name))
        if rest and (own := _own(catalog.model(name), rest, catalog)):
            return own
        if rest:
            weights = catalog.weight(text)
            return WeightsTarget(model=catalog.model(weights.model), weights=weights)
        model = catalog.model(text)
    except UnknownName as error:
        raise _nothing(text, error) from None
    raise UsageError(
        f"{model.bare_name} alone is a bare architecture, without trained parameters",
        hint=f"train it (zoo train {model.bare_name}), name weights ({_example(model, catalog)}), "
        "or export it as it is with --untrained",
    )


def _own(model: RegistryEntry[ModelSpec], text: str, catalog: Catalog) -> SourceTarget | None:
    """What the model's own `sources` make of a tag."""
    from zoo.models.weights.source import own_source  # noqa: PLC0415  the floor above, and only few models have any

    source = own_source(text, catalog, model)
    if source is None:
        return None
    return SourceTarget(model=model, source=replace(source, name=f"{model.full_name}@{source.name}"))


def _example(model: RegistryEntry[ModelSpec], catalog: Catalog) -> str:
    weights = catalog.weights(model.full_name)
    return weights[0].bare_name if weights else f"{model.bare_name}@TAG"


def _nothing(text: str, error: UnknownName) -> UsageError:
    """What was tried, in order, for a text that means nothing."""
    path = Path(text)
    if not path.exists():
        if "@" not in text and ("/" in text or path.suffix):
            return UsageError(f"{text} does not exist, and {error.message}", hint=error.hint)
        return error
    inside = next((parent for parent in path.resolve().parents if (parent / "run.json").is_file()), None)
    if inside:
        return UsageError(f"{text} is a part of the run {inside}", hint=f"name the run itself: {inside}")
    if path.is_dir():
        return UsageError(
            f"{text} is neither a run (no run.json in it) nor a bundle (no manifest.json), and {error.message}",
            hint="zoo runs",
        )
    return UsageError(f"{text} is a file, but not an .onnx file, and {error.message}", hint="zoo runs")
