"""A trained model ready to answer, with everything that is known about where it comes from.  [torch]

Evaluation, prediction and export begin here, so that all three mean the same parameters by the same TARGET.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from torch import Tensor, nn

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import UnknownName, UsageError
from zoo.api.parts import Task
from zoo.api.problem import Json, Problem
from zoo.api.specs import ModelSpec, WeightsSpec
from zoo.api.task import Progress
from zoo.models.build import build, default_problem, silent, weights_problem
from zoo.models.target import ModelTarget, RunTarget, Target, WeightsTarget
from zoo.models.weights.load import load_state, read_state
from zoo.models.weights.source import WeightsSource
from zoo.models.weights.start import start_from
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.checkpoints import MODEL
from zoo.runs.run import Run

_Part = tuple[dict[str, Tensor], Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where parameters come from; written into every bundle."""

    model: str
    """Full name."""
    plugin: str
    distribution: str
    plugin_version: str
    sha256: str = ""
    """Of the file that the parameters were read from; empty for an untrained model."""
    run: str | None = None
    checkpoint: str | None = None
    """The checkpoint's directory inside the run."""
    step: int | None = None
    epoch: int | None = None
    """Epochs completed."""
    weights: str | None = None
    """Published weights, or what the run started from."""
    url: str = ""
    licence: str = ""
    """Of the published weights; empty for parameters that the user trained from random numbers."""
    data: str = ""
    """What the parameters were trained on: the run's data, or the publisher's."""
    data_fingerprint: str = ""
    seed: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    """As measured in training, or by the publisher."""

    def record(self) -> dict[str, Json]:
        """The same as JSON, without what is not known."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        known = {name: value for name, value in values.items() if value not in (None, "", {})}
        return known | ({"metrics": dict(self.metrics)} if self.metrics else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model in evaluation mode on the CPU, with its problem, its task and its lineage."""

    model: nn.Module
    entry: RegistryEntry[ModelSpec]
    problem: Problem
    task: Task
    lineage: Lineage
    run: Run | None = None
    published: RegistryEntry[WeightsSpec] | None = None
    """The published weights that its parameters are."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: checkpoints passed over, another version of the plugin."""

    @property
    def data(self) -> DataRequest | None:
        """The data that the run was trained on, or that the task embeds for untrained models; None for weights."""
        return self.run.config.request if self.run is not None else None

    def card(self, request: DataRequest | None = None, *, progress: Progress = silent) -> DataCard | None:
        """The checked data of a request, else of the run; None where neither is."""
        request = request or self.data
        return self.task.data.check(self.task.data.detect(request), progress=progress) if request else None


def load_trained(
    target: Target,
    catalog: Catalog,
    *,
    untrained: bool = False,
    seed: int = 0,
    progress: Progress = silent,
) -> Trained:
    """The model that a target means, its parameters loaded strictly.

    A run gives the checkpoint that the target names, by default its best.  A bare architecture needs `untrained`; its
    parameters are then drawn from `seed`.  Bundles and ONNX files hold no torch model: UsageError.
    """
    match target:
        case RunTarget():
            return _from_run(target, catalog)
        case WeightsTarget(model=model, source=source):
            return _from_weights(source, model, catalog, progress)
        case ModelTarget(model=model):
            return _untrained(model, catalog, allowed=untrained, seed=seed)
        case _:
            raise UsageError(
                f"{target.path} is already exported, and holds no torch model",
                hint="name a run, or weights such as resnet18@imagenet1k_v1",
            )


def _from_run(target: RunTarget, catalog: Catalog) -> Trained:
    run, entry = target.run, target.model
    config, selected = run.config, run.checkpoint(target.checkpoint)
    checkpoint = selected.checkpoint
    state, problem = read_state(checkpoint.model), run.problem
    if target.whole is not None:
        state, problem = _part(target, target.whole, catalog, state)
    task = catalog.make_task(entry.spec.task)
    if task.tags.has_threshold:
        problem = task.answers.calibrate(problem, checkpoint.manifest.metrics)
    model = build(catalog, entry, problem)
    load_state(model, state, origin=str(checkpoint.path))
    lineage = replace(
        _lineage(entry),
        sha256=checkpoint.manifest.files[MODEL].sha256,
        run=str(run.path),
        checkpoint=checkpoint.path.name,
        step=checkpoint.manifest.step,
        epoch=checkpoint.manifest.epoch,
        weights=config.weights,
        licence=_licence(catalog, entry, config.weights),
        data=config.data,
        data_fingerprint=run.data.fingerprint,
        seed=config.seed,
        metrics=dict(checkpoint.manifest.metrics),
    )
    return Trained(
        model=model.eval(),
        entry=entry,
        problem=problem,
        task=task,
        lineage=lineage,
        run=run,
        notes=(
            *target.notes,
            *selected.notes,
            *_unfinished(run, lineage.epoch),
            *_other_version(run, entry),
        ),
    )


def _unfinished(run: Run, epoch: int | None) -> tuple[str, ...]:
    """That a run has not come to its end, and what is taken of it; empty for a finished one."""
    states = {"running": "is still being trained", "interrupted": "was interrupted", "failed": "failed"}
    if run.status == "finished":
        return ()
    return (f"{run.path} {states[run.status]}: its checkpoint of epoch {epoch} of {run.config.recipe.epochs} is taken",)


def _part(
    target: RunTarget, whole: RegistryEntry[ModelSpec], catalog: Catalog, state: dict[str, Tensor]
) -> tuple[dict[str, Tensor], Problem]:
    """The parameters and the problem of a model that is a part of the trained one."""
    run, part = target.run, target.model
    for name, reference in part.spec.part_of.items():
        if catalog.model(name if "/" in name else f"{part.plugin.name}/{name}").full_name == whole.full_name:
            take = cast("Callable[[dict[str, Tensor], Problem], _Part]", catalog.load(part, reference))
            return take(state, run.problem)
    raise UsageError(
        f"the run {run.path} trained {whole.full_name}, and {part.full_name} is no part of it",
        hint=f"zoo train {part.bare_name}",
    )


def _from_weights(
    source: WeightsSource, entry: RegistryEntry[ModelSpec], catalog: Catalog, progress: Progress
) -> Trained:
    problem = weights_problem(catalog, entry, source)
    model = build(catalog, entry, problem)
    started = start_from(
        source, model, catalog=catalog, entry=entry, problem=problem, progress=progress, keep_head=True
    )
    lineage = replace(_lineage(entry), sha256=started.sha256, weights=source.name, licence=source.licence)
    if source.entry:
        spec = source.entry.spec
        lineage = replace(lineage, url=spec.url, data=spec.data, metrics=dict(spec.metrics))
    return Trained(
        model=model.eval(),
        entry=entry,
        problem=problem,
        task=catalog.make_task(entry.spec.task),
        lineage=lineage,
        published=source.entry,
        notes=source.notes,
    )


def _untrained(entry: RegistryEntry[ModelSpec], catalog: Catalog, *, allowed: bool, seed: int) -> Trained:
    if not allowed:
        raise UsageError(
            f"{entry.bare_name} alone is a bare architecture, without trained parameters",
            hint="name a run or weights, or say --untrained",
        )
    problem = default_problem(catalog, entry)
    return Trained(
        model=build(catalog, entry, problem, seed=seed).eval(),
        entry=entry,
        problem=problem,
        task=catalog.make_task(entry.spec.task),
        lineage=replace(_lineage(entry), seed=seed),
        notes=(f"{entry.full_name} is untrained: its parameters are random, seed {seed}",),
    )


def _lineage(entry: RegistryEntry[ModelSpec]) -> Lineage:
    """Who made the architecture; nothing yet about its parameters."""
    plugin = entry.plugin
    return Lineage(
        model=entry.full_name, plugin=plugin.name, distribution=plugin.distribution, plugin_version=plugin.version
    )


def _other_version(run: Run, entry: RegistryEntry[ModelSpec]) -> tuple[str, ...]:
    trained, installed = run.config.plugin_version, entry.plugin.version
    if trained == installed:
        return ()
    return (
        f"{run.path} was trained with version {trained} of the plugin {entry.plugin.name}; installed is {installed}",
    )


def _licence(catalog: Catalog, entry: RegistryEntry[ModelSpec], weights: str | None) -> str:
    """The licence of the published weights at the beginning of a chain of runs; empty where there are none."""
    if not weights:
        return ""
    path = Path(weights)
    if (path / "run.json").is_file():
        return _licence(catalog, entry, Run.open(path).config.weights)
    try:
        return catalog.weight(weights if "@" in weights else f"{entry.full_name}@{weights}").spec.licence
    except UnknownName:
        return ""
