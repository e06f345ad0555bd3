"""From two sets of answers to evidence: every graph measured, and what is known beside the graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from zoo.api.task import Agreement
from zoo.bundle.judge.evidence import (
    CaseEvidence,
    Evidence,
    File,
    GraphEvidence,
    Labels,
    Lineage,
    Prepared,
)
from zoo.bundle.judge.evidence import Subject as SubjectRecord
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.measure.agreement import agree, noise_of
from zoo_export.measure.graph import eval_mode, measure_graph, torch_repeats
from zoo_export.measure.labels import measure_labels
from zoo_export.measure.outputs import Given, compare_case
from zoo_export.measure.training_serving_skew import fed_items
from zoo_export.measure.weights import differing, measure_lineage, trace
from zoo_export.proof.phases import Underway
from zoo_export.reference.oracle import Answer
from zoo_export.reference.postprocess import eager_answers
from zoo_export.reference.ties import nearby, otherwise, otherwise_in_case
from zoo_export.subject.module_io import Array


def gather(under: Underway) -> Evidence:
    """Everything that the judge needs, but for the controls."""
    subject = under.subject
    with under.clock("eval mode"):
        mode = eval_mode(subject.module)
    with under.clock("determinism"):
        repeats = torch_repeats(subject.module, under.inputs.model[:1], under.model)
    with under.clock("lineage"):
        lineage = _lineage(under)
    graphs = tuple(_graph(under, name, repeats=repeats) for name in under.exported.files)
    graphs = tuple(_as_pipeline(under, graph) if graph.role == "pipeline" else graph for graph in graphs)
    whole = PIPELINE in under.exported.files
    with under.clock("agreement"):
        agreement, data = _agreement(under, graphs) if whole else (None, "")
        fed = _fed(under, graphs) if whole else ()
    return Evidence(
        environment=under.environment.result(),
        subject=SubjectRecord(
            model=subject.model,
            task=subject.problem.task,
            files=tuple(
                File(name=name, sha256=digest, bytes=len(under.exported.files[name]))
                for name, digest in under.exported.sha256.items()
            ),
            weights=subject.lineage.weights,
            weights_sha256=subject.lineage.weights_sha256,
            trained=subject.trained,
            scope="bundle" if whole else "file",
        ),
        reference=under.reference,
        graphs=graphs,
        eval_mode=mode,
        lineage=lineage,
        labels=_labels(under) if whole else None,
        agreement=agreement,
        agreement_data=data,
        skew=fed,
        waivers=under.waivers(),
    )


def _as_pipeline(under: Underway, graph: GraphEvidence) -> GraphEvidence:
    """With the prepared pictures, and the task's word where only the task can compare."""
    graph = replace(graph, cases=tuple(with_prepared(graph.cases, under.levels)))
    return with_answers(under, graph, range(len(under.inputs.raw)), under.trials[graph.name].result().given)


def _labels(under: Underway) -> Labels:
    with under.clock("labels"):
        return measure_labels(
            under.subject.problem,
            under.exported.models,
            signature=under.pipeline,
            cases=under.inputs.raw,
            answers=under.answers[PIPELINE],
            given=under.trials[PIPELINE].result().given,
        )


def _lineage(under: Underway) -> Lineage | None:
    """From the module's state to the captured graph, and from that to the bytes of the files."""
    if PIPELINE not in under.exported.files:
        return trace(under.subject.module, under.fresh.graph.shipped, under.exported.models[MODEL])
    inputs = under.inputs.model[0].inputs
    found = measure_lineage(under.subject.module, under.fresh.graph.plain, inputs, under.model)
    wrong = [
        f"{name}: {sentence}"
        for name, model in under.exported.models.items()
        if model is not under.fresh.models[name]
        for sentence in differing(model, under.fresh.models[name])
    ]
    return replace(found, different=(*found.different, *wrong))


def _graph(
    under: Underway,
    name: str,
    *,
    repeats: bool,
) -> GraphEvidence:
    cases, signature = under.of(name)
    with under.clock("axes"):
        graph = measure_graph(
            name=name,
            role="model" if name == MODEL else "pipeline",
            sha256=under.exported.sha256[name],
            model=under.exported.models[name],
            signature=signature,
            cases=cases,
            answers=under.answers[name],
            trial=under.trials[name].result(),
            opset=under.opset,
            torch_equal=repeats,
            example=under.example(name),
            declared_arithmetic=under.subject.export.declared_arithmetic,
            waivers=under.waivers(),
        )
    if name == MODEL and under.company and graph.axes is not None:
        tested = [replace(a, failures=(*a.failures, under.company)) for a in graph.axes.tested[:1]]
        graph = replace(graph, axes=replace(graph.axes, tested=(*tested, *graph.axes.tested[1:])))
    others = (*_walked(under, name), *under.tried[name])
    return replace(graph, cases=(*graph.cases, *others), stateful=bool(signature.feedback))


def _walked(under: Underway, name: str) -> Iterator[CaseEvidence]:
    """Roll-out and split of a graph with state, compared."""
    _, signature = under.of(name)
    for walk, given, answer in zip(under.walks[name], under.walking[name], under.walked[name], strict=True):
        yield replace(compare_case(walk.case, given.result(), answer, signature), steps=walk.steps)


def with_answers(under: Underway, graph: GraphEvidence, places: Sequence[int], given: Sequence[Given]) -> GraphEvidence:
    """With the task's comparison of the answers to these raw cases, where only the task can compare them."""
    if not any(output.compare == "agreement" for case in graph.cases for output in case.outputs):
        return graph
    return replace(graph, answers=_agreeing(under, places, given, noise=noise_of(graph.cases)))


def _agreeing(
    under: Underway, places: Sequence[int], given: Sequence[Given], *, noise: Mapping[str, float]
) -> Agreement | None:
    """Over those of the raw cases at these places that gate."""
    rows = [
        (place, under.inputs.raw[place], answer, one)
        for place, one in zip(places, given, strict=True)
        if isinstance(answer := under.answers[PIPELINE][place], Answer) and under.inputs.raw[place].gates
    ]
    return agree(
        under.subject.task,
        [case for _, case, _, _ in rows],
        [answer.reference for _, _, answer, _ in rows],
        [ours for _, _, _, ours in rows],
        problem=under.subject.problem,
        noise=noise,
        others=lambda place: otherwise_in_case(under, rows[place][0]),
        near=lambda place: nearby(under, rows[place][1].inputs),
    )


def _agreement(under: Underway, graphs: Sequence[GraphEvidence]) -> tuple[Agreement | None, str]:
    """Over the evaluation items; without data, over the pipeline's own cases."""
    noise = noise_of(next(graph.cases for graph in graphs if graph.name == PIPELINE))
    items = under.inputs.items
    if not items:
        places = range(len(under.inputs.raw))
        found = _agreeing(under, places, under.trials[PIPELINE].result().given, noise=noise)
        return found, f"{found.items if found else 0} cases without evaluation data"
    reference: Sequence[Mapping[str, Array]] = eager_answers(
        items,
        prepare=under.prepare,
        module=under.subject.module,
        finisher=under.finisher,
        model=under.model,
        pipeline=under.pipeline,
    )
    found = agree(
        under.subject.task,
        items,
        reference,
        under.items.result(),
        problem=under.subject.problem,
        noise=noise,
        others=lambda place: otherwise(under, items[place].inputs),
        near=lambda place: nearby(under, items[place].inputs),
    )
    return found, f"{len(items)} evaluation items"


def _fed(under: Underway, graphs: Sequence[GraphEvidence]) -> tuple[Prepared, ...]:
    noise = noise_of(next(graph.cases for graph in graphs if graph.name == PIPELINE))
    return fed_items(under.subject, under.inputs.items, prepare=under.prepare, finisher=under.finisher, noise=noise)


def with_prepared(cases: Sequence[CaseEvidence], levels: Sequence[Prepared | None]) -> Iterator[CaseEvidence]:
    """The first cases with their prepared pictures, the rest as they are."""
    for place, case in enumerate(cases):
        known = levels[place] if place < len(levels) else None
        yield case if place >= len(levels) else replace(case, prepared=() if known is None else (known,))
