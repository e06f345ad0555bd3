"""From what a user names to what is exported: the module behind an adapter, with its task, data and lineage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from torch import nn

from zoo.api.data import DataCard, DataRequest, Split
from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Purpose, Signature
from zoo.bundle.runtime.manifest import LineageRecord, PluginRecord
from zoo.models.adapter import adapted, signature_of
from zoo.models.load import Trained, load_trained
from zoo.models.outputs import call
from zoo.models.pipeline import without_state
from zoo.models.target import RunTarget, Target
from zoo.registry.catalog import Catalog
from zoo.registry.loader import Plugin
from zoo.training.results.evaluate import measure_trained
from zoo_export.subject.random_weights import randomise
from zoo_export.subject.state_dict import state_sha256
from zoo_export.subject.subject import Subject

RANDOM_WEIGHTS_INPUTS = 8


def find_subject(
    target: Target,
    catalog: Catalog,
    *,
    untrained: bool = False,
    seed: int = 0,
    input_size: tuple[int, int] | None = None,
    data: bool = True,
) -> Subject:
    """The subject of a target; an architecture alone gets seeded random weights.

    With `data`, a run's own data are looked at again for its evaluation items; where they are gone, a note says so.
    """
    trained = load_trained(target, catalog, untrained=untrained, seed=seed)
    spec, entry = trained.entry.spec, trained.entry
    offering = catalog.task(spec.task).plugin
    problem = _resized(trained, input_size)
    module = adapted(trained.model, catalog, entry, problem)
    card, notes = _card(trained) if data else (None, ())
    fresh = not trained.lineage.sha256
    weights = _weights(trained)
    if fresh:
        weights = _randomise(module, trained, problem, seed=seed)
    licences = {"code": spec.licence, "weights": trained.lineage.licence}
    return Subject(
        model=entry.full_name,
        module=module,
        task=trained.task,
        problem=problem,
        plugin=_record(entry.plugin),
        task_plugin=_record(offering),
        lineage=LineageRecord(
            weights=weights,
            weights_sha256=state_sha256(module),
            target=_target_name(target, trained),
            run_created=trained.run.record.created if trained.run else "",
            checkpoint=trained.lineage.checkpoint or "",
            data=trained.lineage.data_fingerprint,
            seed=seed if fresh else None,
        ),
        trained=not fresh,
        adapted=bool(spec.adapter),
        export=spec.export,
        card=card,
        evaluation=card or (_embedded_card(trained, catalog) if data else None),
        licences={what: licence for what, licence in licences.items() if licence},
        metrics=dict(trained.lineage.metrics),
        own_metrics=partial(_own_metrics, trained, catalog),
        notes=(*(trained.notes if not fresh else ()), *notes),
    )


def _record(plugin: Plugin) -> PluginRecord:
    return PluginRecord(name=plugin.name, distribution=plugin.distribution, version=plugin.version)


def _own_metrics(trained: Trained, catalog: Catalog, card: DataCard, split: Split) -> Mapping[str, float]:
    """As `zoo eval` measures the model."""
    tensors, problem = trained.task.tensors, trained.problem
    dataset = tensors.dataset(card, split, problem)
    return measure_trained(trained, catalog, dataset, tensors.metrics(problem), device="cpu")


def _resized(trained: Trained, size: tuple[int, int] | None) -> Problem:
    """The problem with another size of picture, where the architecture allows it."""
    problem = trained.problem
    if size is None or (isinstance(problem.input, ImageInput) and problem.input.size == size):
        return problem
    image = problem.image
    if image.fixed_size and size != image.size:
        raise UsageError(
            f"{trained.entry.full_name} takes pictures of {image.size[0]}x{image.size[1]} only: its parameters "
            "depend on the size"
        )
    if demand := image.demand(size):
        near = "x".join(map(str, image.nearest(size)))
        raise UsageError(
            f"{trained.entry.full_name} takes pictures with sides of {demand}", hint=f"say --input-size {near}"
        )
    resize = None if image.resize is None else max(round(image.resize * min(size) / min(image.size)), *size)
    changed: ImageInput = replace(image, size=size, resize=resize)
    return replace(problem, input=changed)


def _card(trained: Trained) -> tuple[DataCard | None, tuple[str, ...]]:
    """The data of a run; without them the proof goes on, and the report says so."""
    try:
        return trained.card(), ()
    except UsageError as error:
        return None, (f"the data of the run are not at hand ({error.message}), so no evaluation items are compared",)


def _embedded_card(trained: Trained, catalog: Catalog) -> DataCard | None:
    """The task's embedded data, where published weights were trained on them."""
    source = catalog.task(trained.entry.spec.task).spec.default_data
    if trained.published is None or not source or trained.published.spec.data != source:
        return None
    return trained.card(DataRequest(source=source))


def _weights(trained: Trained) -> str:
    lineage = trained.lineage
    if lineage.run:
        return f"run {lineage.run}, {lineage.checkpoint}"
    return lineage.weights or ""


def _target_name(target: Target, trained: Trained) -> str:
    """What `zoo verify --against` takes to mean this target again."""
    if isinstance(target, RunTarget) and target.whole is not None:
        return f"{target.model.full_name}@{target.path}"
    return trained.lineage.run or trained.lineage.weights or ""


def _randomise(module: nn.Module, trained: Trained, problem: Problem, *, seed: int) -> str:
    """Draw weights that make every output depend on its inputs; what was done, in words."""
    task = trained.task
    signature = signature_of(module, task, problem)
    raw = task.answers.cases(None, problem, Purpose.PIPELINE, limit=RANDOM_WEIGHTS_INPUTS // 2)
    prepare = task.graphs.preprocess(problem).eval()
    preprocess = Signature(
        inputs=task.graphs.signatures(problem).pipeline.inputs, outputs=without_state(signature).inputs
    )
    inputs = [call(prepare, case.inputs, preprocess) for case in raw]
    ready = task.answers.cases(None, problem, Purpose.MODEL, limit=RANDOM_WEIGHTS_INPUTS // 2)
    inputs += [dict(case.inputs) for case in ready if case.gates]
    return randomise(module, [{**arrays, **signature.initial_state()} for arrays in inputs], signature, seed=seed)
