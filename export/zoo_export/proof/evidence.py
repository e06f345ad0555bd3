"""From references and runtime results to evidence: every graph measured, and what is known beside the graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from zoo.api.data import counted
from zoo.api.task import Agreement
from zoo.bundle.judge.evidence import (
    Axes,
    CaseEvidence,
    Evidence,
    File,
    GraphEvidence,
    Prepared,
    Truth,
)
from zoo.bundle.judge.evidence import Subject as SubjectRecord
from zoo_export.capture.capture import MODEL, PIPELINE, Exported
from zoo_export.measure.agreement import (
    AgreementCases,
    RawAgreement,
    measure_agreement,
    noise_of,
    with_answers,
)
from zoo_export.measure.boundary import BoundaryRun
from zoo_export.measure.graph import measure_graph
from zoo_export.measure.graph_run import GraphRun, decides_about
from zoo_export.measure.labels import measure_labels
from zoo_export.measure.outputs import compare_case
from zoo_export.measure.preprocess import with_preprocessed
from zoo_export.measure.training_serving_skew import measure_skew
from zoo_export.measure.truth import is_raw_head, measure_truth
from zoo_export.proof.references import GraphReferences
from zoo_export.proof.results import Results, graphs_of, timed
from zoo_export.proof.submit import SubmittedGraph
from zoo_export.reference.postprocess import batched_answers
from zoo_export.reference.ties import answers_within_noise, case_alternatives, item_alternatives
from zoo_export.subject.results import Failed, Outputs
from zoo_export.subject.subject import Subject


def gather(results: Results) -> Evidence:
    """Everything that the judge needs, but for the mutants."""
    subject, module, whole = results.subject, results.module, results.whole
    exported = results.submitted.exported
    graphs = timed(lambda: tuple(_graph(results, *pair) for pair in graphs_of(results.submitted, results.references)))
    noise = {**noise_of(graphs.value[-1].cases), **results.references.answer_noise}
    agreement = timed(lambda: _agreement(results, noise) if whole else (None, ""))
    skew = timed(lambda: _skew(results, noise) if whole else ())
    labels = timed(
        lambda: (
            measure_labels(subject.problem, {file.name: file.model for file in exported.graphs}, results.runs[PIPELINE])
            if whole
            else None
        )
    )
    truth = timed(lambda: _truth(results, agreement.value[0], skew.value) if whole else None)
    return Evidence(
        environment=results.submitted.environment.result(),
        subject=_subject_record(subject, exported),
        reference=results.eager.oracle.backends.facts,
        graphs=graphs.value,
        eval_mode=module.eval_mode.value,
        lineage=module.lineage.value,
        labels=labels.value,
        agreement=agreement.value[0],
        agreement_data=agreement.value[1],
        skew=skew.value,
        truth=truth.value,
        waivers=results.declared.waivers,
        seconds={
            "eval mode": module.eval_mode.seconds,
            "determinism": module.repeats.seconds,
            "lineage": module.lineage.seconds,
            "axes": graphs.seconds,
            "agreement": agreement.seconds + skew.seconds,
            "labels": labels.seconds,
            "truth": truth.seconds,
        },
    )


def _subject_record(subject: Subject, exported: Exported) -> SubjectRecord:
    files = [File(name=file.name, sha256=file.sha256, bytes=file.stored.bytes) for file in exported.graphs]
    if (beside := exported.weights) is not None:
        files.append(File(name=beside.path.name, sha256=beside.sha256, bytes=beside.bytes))
    return SubjectRecord(
        model=subject.model,
        task=subject.problem.task,
        files=tuple(files),
        weights=subject.lineage.weights,
        weights_sha256=subject.lineage.weights_sha256,
        trained=subject.trained,
        scope="bundle" if PIPELINE in exported.names else "file",
    )


def _graph(results: Results, submitted: SubmittedGraph, expected: GraphReferences) -> GraphEvidence:
    run = results.runs[submitted.file.name]
    graph = measure_graph(run, declared=results.declared, torch_equal=results.module.repeats.value)
    cases = (*graph.cases, *_rollouts(submitted, expected), *_violations(submitted, expected))
    graph = replace(graph, cases=cases, stateful=bool(run.file.signature.feedback))
    if graph.role == "model":
        return replace(graph, axes=_with_batch_dependence(graph.axes, results.references.batch_dependence))
    graph = replace(graph, cases=with_preprocessed(graph.cases, results.references.preprocessed))
    graph = with_answers(graph, raw_agreement(results), range(len(run.file.cases)), run.result.outputs)
    return replace(graph, cases=(*graph.cases, *boundary_run(results).evidence()))


def boundary_run(results: Results) -> BoundaryRun:
    """The postprocess alone, on the boundary cases."""
    pipeline = results.submitted.pipeline
    assert pipeline is not None
    return BoundaryRun(
        cases=results.inputs.boundary,
        signature=pipeline.graph.file.signature,
        references=results.references.boundary,
        outputs=pipeline.boundary.result(),
    )


def _rollouts(submitted: SubmittedGraph, references: GraphReferences) -> Iterator[CaseEvidence]:
    """Roll-out and split of a graph with state."""
    rows = zip(submitted.rollouts, submitted.rollout_outputs.result(), references.rollouts, strict=True)
    for rollout, actual, expected in rows:
        compared = compare_case(rollout.case, actual, expected, submitted.file.signature)
        yield replace(compared, steps=rollout.steps)


def _violations(submitted: SubmittedGraph, references: GraphReferences) -> Iterator[CaseEvidence]:
    """Sizes at which a shape guard does not hold, as far as PyTorch itself runs there."""
    rows = zip(submitted.violations, submitted.violation_outputs.result(), references.violations, strict=True)
    for case, actual, expected in rows:
        if not isinstance(expected, Failed):
            yield compare_case(case, actual, expected, submitted.file.signature)


def _with_batch_dependence(axes: Axes | None, dependence: str) -> Axes | None:
    """An answer that depends on its batch is a failure of the batch axis."""
    if axes is None or not dependence:
        return axes
    first = [replace(axis, failures=(*axis.failures, dependence)) for axis in axes.tested[:1]]
    return replace(axes, tested=(*first, *axes.tested[1:]))


# --- agreement ---


def raw_agreement(results: Results) -> RawAgreement:
    """The raw cases as the task compares them."""
    raw, pipelines, model = results.inputs.raw, results.eager.pipelines, results.runs[MODEL]
    rows = [
        (index, case, expected)
        for index, (case, expected) in enumerate(zip(raw, results.runs[PIPELINE].references, strict=True))
        if case.gates and not isinstance(expected, Failed) and decides_about(model, index, results.declared)
    ]
    noise = _model_noise(model)

    def alternatives(position: int) -> list[Outputs]:
        index, case, expected = rows[position]
        outputs = model.result.outputs[index]
        return case_alternatives(model.references[index], expected, outputs, case.inputs, pipelines)

    return RawAgreement(
        indices=tuple(index for index, _, _ in rows),
        expected=AgreementCases(
            task=results.subject.task,
            problem=results.subject.problem,
            cases=[case for _, case, _ in rows],
            reference=[expected.reference for _, _, expected in rows],
            noise=results.references.answer_noise,
            alternatives=alternatives,
            within_noise=lambda at: answers_within_noise(rows[at][1].inputs, noise=noise, pipelines=pipelines),
        ),
    )


def _agreement(results: Results, noise: Mapping[str, float]) -> tuple[Agreement | None, str]:
    """Over the evaluation items; without data, over the pipeline's own cases."""
    items, outputs = results.inputs.items, results.runs[PIPELINE].result.outputs
    if items:
        return _compare_items(results, noise), f"{len(items)} evaluation items"
    agreement = raw_agreement(results).measure(range(len(outputs)), outputs, noise=noise)
    return agreement, f"{counted(agreement.items if agreement else 0, 'case')} without evaluation data"


def _compare_items(results: Results, noise: Mapping[str, float]) -> Agreement | None:
    assert results.submitted.pipeline is not None
    expected = _item_agreement(results, noise)  # PyTorch answers while the runtime does
    return measure_agreement(expected, results.submitted.pipeline.items.result())


def _item_agreement(results: Results, noise: Mapping[str, float]) -> AgreementCases:
    items, eager, model = results.inputs.items, results.eager, results.runs[MODEL]
    pipelines, model_noise = eager.pipelines, _model_noise(model)
    return AgreementCases(
        task=results.subject.task,
        problem=results.subject.problem,
        cases=items,
        reference=batched_answers(items, pipelines.single),
        noise=noise,
        alternatives=lambda index: item_alternatives(
            items[index].inputs,
            model=model.references,
            strategy=eager.oracle.strategy,
            pipelines=pipelines,
            run=results.run_model,
        ),
        within_noise=lambda index: answers_within_noise(items[index].inputs, noise=model_noise, pipelines=pipelines),
    )


def _model_noise(model: GraphRun) -> dict[str, float]:
    """Per output of the model, PyTorch's own largest error over the gating cases."""
    noise: dict[str, float] = {}
    for case, expected in zip(model.file.cases, model.references, strict=True):
        if case.gates and not isinstance(expected, Failed):
            for name, error in expected.noise.items():
                noise[name] = max(noise.get(name, 0.0), error.max or 0.0)
    return noise


def _truth(results: Results, agreement: Agreement | None, skew: Sequence[Prepared]) -> Truth:
    assert results.submitted.pipeline is not None
    return measure_truth(
        results.subject,
        results.inputs.items,
        results.submitted.pipeline.items.result(),
        agreement=agreement if results.inputs.items else None,
        skew=skew,
        # an adapter stands between the head that was trained and the one that ships
        raw_head=not results.subject.adapted and is_raw_head(results.runs[MODEL], results.runs[PIPELINE]),
    )


def _skew(results: Results, noise: Mapping[str, float]) -> tuple[Prepared, ...]:
    return measure_skew(results.subject, results.inputs.items, results.eager.pipelines.single, noise=noise)
