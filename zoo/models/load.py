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
from zoo.api.specs import ModelSpec
from zoo.api.task import Progress
from zoo.models.build import build, default_problem, silent, weights_problem
from zoo.models.target import ModelTarget, RunTarget, SourceTarget, Target, WeightsTarget
from zoo.models.weights.load import load_state, read_state
from zoo.models.weights.source import WeightsSource, published_source
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
        case RunTarget(path=path, checkpoint=checkpoint):
            return _from_run(Run.open(path), catalog, checkpoint, notes=target.notes, wanted=target.model)
        case WeightsTarget(model=model, weights=weights):
            return _from_weights(published_source(catalog, weights, model), model, catalog, progress)
        case SourceTarget(model=model, source=source):
            return _from_weights(source, model, catalog, progress)
        case ModelTarget(model=model):
            return _untrained(model, catalog, allowed=untrained, seed=seed)
        case _:
            raise UsageError(
                f"{target.path} is already exported, and holds no torch model",
                hint="name a run, or weights such as resnet18@imagenet1k_v1",
            )


def trained_model(run: Run, catalog: Catalog) -> RegistryEntry[ModelSpec]:
    """The model that a run trained; UsageError says which plugin to install where it is gone."""
    config = run.config
    try:
        return catalog.model(config.model)
    except UnknownName as error:
        raise UsageError(
            f"the run {run.path} is of {config.model}, which is not on offer here: {error.message}",
            hint=f"install the plugin {config.plugin} {config.plugin_version}",
        ) from error


def _from_run(
    run: Run, catalog: Catalog, which: str, *, notes: tuple[str, ...], wanted: RegistryEntry[ModelSpec] | None = None
) -> Trained:
    config, entry = run.config, trained_model(run, catalog)
    found = run.checkpoint(which)
    chosen = found.checkpoint
    state, problem = read_state(chosen.model), run.problem
    if wanted is not None and wanted.full_name != entry.full_name:
        state, problem = _part(wanted, entry, run, catalog, state)
        entry = wanted
    task = catalog.make_task(entry.spec.task)
    if task.tags.has_threshold:
        problem = task.answers.calibrate(problem, chosen.manifest.metrics)
    model = build(catalog, entry, problem)
    load_state(model, state, origin=str(chosen.path))
    lineage = replace(
        _lineage(entry),
        sha256=chosen.manifest.files[MODEL].sha256,
        run=str(run.path),
        checkpoint=chosen.path.name,
        step=chosen.manifest.step,
        epoch=chosen.manifest.epoch,
        weights=config.weights,
        licence=_licence(catalog, entry, config.weights),
        data=config.data,
        data_fingerprint=run.data.fingerprint,
        seed=config.seed,
        metrics=dict(chosen.manifest.metrics),
    )
    return Trained(
        model=model.eval(),
        entry=entry,
        problem=problem,
        task=task,
        lineage=lineage,
        run=run,
        notes=(*notes, *found.notes, *_other_version(run, entry)),
    )


def _part(
    wanted: RegistryEntry[ModelSpec],
    whole: RegistryEntry[ModelSpec],
    run: Run,
    catalog: Catalog,
    state: dict[str, Tensor],
) -> tuple[dict[str, Tensor], Problem]:
    """The parameters and the problem of a model that is a part of the trained one."""
    for name, reference in wanted.spec.part_of.items():
        if catalog.model(name if "/" in name else f"{wanted.plugin.name}/{name}").full_name == whole.full_name:
            take = cast("Callable[[dict[str, Tensor], Problem], _Part]", catalog.load(wanted, reference))
            return take(state, run.problem)
    raise UsageError(
        f"the run {run.path} trained {whole.full_name}, and {wanted.full_name} is no part of it",
        hint=f"zoo train {wanted.bare_name}",
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
    then, now = run.config.plugin_version, entry.plugin.version
    if then == now:
        return ()
    return (f"{run.path} was trained with version {then} of the plugin {entry.plugin.name}; installed is {now}",)


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
