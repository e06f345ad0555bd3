"""The negative control: what the gates say to mutants of this very bundle, measured as the bundle is.

Mutants share inputs and references with the proof; only the runtime's outputs are new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import onnx

from zoo.api.problem import Problem
from zoo.api.task import GENERIC_CONTROLS, Control, Signature
from zoo.bundle.judge.cases import usual_noises
from zoo.bundle.judge.evidence import BOUNDARY, Evidence, GraphEvidence, MutantResult, Prepared
from zoo.bundle.judge.parity_rule import judge_output
from zoo.bundle.judge.verdict import killing_gates
from zoo_export.capture.capture import MODEL, PIPELINE, Exported
from zoo_export.capture.onnx_graph import copy_of, hash_weights
from zoo_export.capture.stored_model import StoredModel
from zoo_export.controls.graph_edits import ON_MODEL, ON_PREPROCESS
from zoo_export.controls.mutants import Mutant, NotApplied
from zoo_export.measure.agreement import RawAgreement, with_answers
from zoo_export.measure.boundary import BoundaryRun
from zoo_export.measure.graph import compare_cases, measure_graph
from zoo_export.measure.graph_run import Declared, GraphRun
from zoo_export.measure.preprocess import compare_preprocessed, with_preprocessed
from zoo_export.subject.batching import batch_name
from zoo_export.subject.results import Failed, RuntimeOutputs

SAME = "the copy is the same graph, byte for byte"


def planned(declared: Sequence[Control], signature: Signature, *, whole: bool = True) -> tuple[Control, ...]:
    """The task's controls, those it does not mention included; without a batch axis none can be frozen.

    Where the export is not `whole`, but a model alone, only mutants of the model apply.
    """
    named = {control.name: control for control in declared}
    if batch_name(signature) is None:
        named["batch"] = Control(name="batch", applies=False, reason="the model has no batch axis")
    generic = tuple(named.pop(name, Control(name=name)) for name in GENERIC_CONTROLS)
    controls = (*generic, *named.values())
    return controls if whole else tuple(_without_pipeline(control) for control in controls)


def _without_pipeline(control: Control) -> Control:
    if not control.applies or control.name in ON_MODEL:
        return control
    return Control(name=control.name, applies=False, reason="this file holds the model alone, without a preprocess")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmutated:
    """The measured export that mutants are compared with."""

    evidence: Evidence
    exported: Exported
    runs: Mapping[str, GraphRun]
    """By file name."""
    declared: Declared
    problem: Problem
    preprocessed: tuple[Prepared | None, ...]
    """Per raw case: the file's preprocessed picture against the training-time one."""
    answers: RawAgreement | None
    """The raw cases as the task compares them; None where a model alone is measured."""
    boundary: BoundaryRun | None = None
    """The postprocess alone on its boundary cases; None where a model alone is measured."""


def mutation_score(
    controls: Sequence[Control], mutants: Mapping[str, Mutant | NotApplied], unmutated: Unmutated
) -> tuple[MutantResult, ...]:
    """Every control of the task, and every mutant of the postprocess, with the gates that killed it."""
    planned_names = {control.name for control in controls}
    others = [mutant for name, mutant in mutants.items() if name not in planned_names]
    return (*_task_controls(controls, mutants, unmutated), *(_postprocess(mutant, unmutated) for mutant in others))


def _postprocess(mutant: Mutant | NotApplied, unmutated: Unmutated) -> MutantResult:
    """A mutant of the postprocess alone: the same proof but for the boundary cases."""
    assert unmutated.boundary is not None
    if isinstance(mutant, NotApplied):
        return MutantResult(name=mutant.name, applied=False, detail=mutant.reason)
    original = next(graph for graph in unmutated.evidence.graphs if graph.name == PIPELINE)
    usual = tuple(case for case in original.cases if case.kind != BOUNDARY)
    cases = unmutated.boundary.giving(mutant.result.outputs).evidence()
    result = score(mutant, unmutated.evidence, replace(original, cases=(*usual, *cases)))
    if result.killed_by or not unmutated.boundary.equals(mutant.result.outputs):
        return result
    return replace(result, equivalence=f"the same bits as the unmutated postprocess in all {len(cases)} cases")


def _task_controls(
    controls: Sequence[Control], mutants: Mapping[str, Mutant | NotApplied], unmutated: Unmutated
) -> tuple[MutantResult, ...]:
    tried = [mutants[control.name] for control in controls if control.applies]
    kinds = {_kind(mutant): mutant for mutant in tried if isinstance(mutant, Mutant)}
    baselines = {kind: _baseline(mutant, unmutated) for kind, mutant in kinds.items()}
    return tuple(
        _scored(mutants[control.name], unmutated, baselines)
        if control.applies
        else MutantResult(name=control.name, applied=False, detail=control.reason)
        for control in controls
    )


Kind = tuple[str, tuple[int, ...], bool]
"""Mutants with the same file, cases and way of measuring share their baseline."""


def _kind(mutant: Mutant) -> Kind:
    return _file(mutant), mutant.indices, _is_preprocess(mutant)


def _file(mutant: Mutant) -> str:
    return MODEL if mutant.role == "model" else PIPELINE


def _is_preprocess(mutant: Mutant) -> bool:
    return mutant.name in ON_PREPROCESS


def _scored(mutant: Mutant | NotApplied, unmutated: Unmutated, baselines: Mapping[Kind, GraphEvidence]) -> MutantResult:
    if isinstance(mutant, NotApplied):
        return MutantResult(name=mutant.name, applied=False, detail=mutant.reason)
    measured = _measured(mutant, unmutated)
    exported = unmutated.exported

    def original() -> onnx.ModelProto:
        return exported.pipeline.preprocess if _is_preprocess(mutant) else exported.file(_file(mutant)).model

    return score(mutant, unmutated.evidence, measured, baseline=baselines[_kind(mutant)], original=original)


def score(
    mutant: Mutant,
    proof: Evidence,
    measured: GraphEvidence,
    *,
    baseline: GraphEvidence | None = None,
    original: Callable[[], onnx.ModelProto] | None = None,
) -> MutantResult:
    """The gates that fail on a mutant, beyond those that fail on the unmutated export.

    `baseline` is the unmutated graph in the same few cases: a gate that fails there as well, because two cases are too
    few for it, has not killed anything.  A mutant that the runtime refuses in every case is no wrong answer, and would
    be noticed by anybody; only a frozen batch kills by refusing.  `original` gives the graph that was mutated.
    """
    refused = _refused(mutant.result.outputs) if mutant.name != "batch" else ""
    before = set(killing_gates(proof)) | (set() if baseline is None else set(killing_gates(_instead(proof, baseline))))
    ratios = [cell.ratio for case in measured.cases for cell in map(judge_output, case.outputs)]
    killed_by = () if refused else tuple(n for n in killing_gates(_instead(proof, measured)) if n not in before)
    return MutantResult(
        name=mutant.name,
        applied=True,
        graph=next(graph.name for graph in proof.graphs if graph.role == mutant.role),
        detail=mutant.detail + (f"; it does not run, which proves nothing: {refused}" if refused else ""),
        killed_by=killed_by,
        equivalence=SAME if not killed_by and original is not None and _is_same(mutant, original()) else "",
        ratio=max((ratio for ratio in ratios if ratio is not None and ratio < float("inf")), default=None),
    )


def _is_same(mutant: Mutant, original: onnx.ModelProto) -> bool:
    copied = copy_of(original)
    hash_weights(copied)
    return mutant.model == copied


def _refused(outputs: Sequence[RuntimeOutputs]) -> str:
    """What the runtime said, if it refused every case."""
    failures = [output.reason for output in outputs if isinstance(output, Failed)]
    return failures[0] if failures and len(failures) == len(outputs) else ""


def _instead(proof: Evidence, measured: GraphEvidence) -> Evidence:
    """The evidence with this graph in the place of the one of its role."""
    graphs = tuple(measured if graph.role == measured.role else graph for graph in proof.graphs)
    return replace(proof, graphs=graphs)


# --- measuring ---


def _baseline(mutant: Mutant, unmutated: Unmutated) -> GraphEvidence:
    """The unmutated graph in the cases of a mutant."""
    run = _run_of(mutant, unmutated)
    if _is_preprocess(mutant):
        return _with_preprocess(
            run, [unmutated.preprocessed[index] for index in mutant.indices], mutant.indices, unmutated
        )
    return _with_graph(run, mutant.indices, unmutated)


def _measured(mutant: Mutant, unmutated: Unmutated) -> GraphEvidence:
    """A mutant in its own cases."""
    run = replace(_run_of(mutant, unmutated), result=mutant.result)
    if _is_preprocess(mutant):
        return _with_preprocess(run, _preprocessed(mutant, unmutated), mutant.indices, unmutated)
    return _with_graph(
        replace(run, file=replace(run.file, stored=StoredModel.of(mutant.model))), mutant.indices, unmutated
    )


def _run_of(mutant: Mutant, unmutated: Unmutated) -> GraphRun:
    """The unmutated graph in the cases of a mutant, with the noise that is usual in all cases.

    A few cases are too few to measure noise by: the unmutated graph itself could fail in them.
    """
    run = unmutated.runs[_file(mutant)].on(mutant.indices)
    graph = next(graph for graph in unmutated.evidence.graphs if graph.name == run.file.name)
    noises = usual_noises(graph, unmutated.evidence.reference.precision)
    usual = {name: noise for name, noise in noises.items() if noise is not None}
    references = tuple(
        expected if isinstance(expected, Failed) else replace(expected, typical=usual) for expected in run.references
    )
    return replace(run, references=references)


def _with_graph(run: GraphRun, indices: Sequence[int], unmutated: Unmutated) -> GraphEvidence:
    """The evidence on another graph."""
    measured = measure_graph(run, declared=unmutated.declared)
    return _with_answers(measured, run, indices, unmutated)


def _with_preprocess(
    run: GraphRun, pictures: Sequence[Prepared | None], indices: Sequence[int], unmutated: Unmutated
) -> GraphEvidence:
    """The evidence on the same graph behind another preprocess: only its pictures and answers are new."""
    original = next(graph for graph in unmutated.evidence.graphs if graph.name == run.file.name)
    measured = replace(original, cases=with_preprocessed(compare_cases(run), pictures))
    return _with_answers(measured, run, indices, unmutated)


def _with_answers(
    measured: GraphEvidence, run: GraphRun, indices: Sequence[int], unmutated: Unmutated
) -> GraphEvidence:
    if measured.role == "model" or unmutated.answers is None:
        return measured
    return with_answers(measured, unmutated.answers, indices, run.result.outputs)


def _preprocessed(mutant: Mutant, unmutated: Unmutated) -> list[Prepared | None]:
    """The pictures of a mutated preprocess: a class map may be the same for another brightness."""
    expected = [unmutated.exported.file(MODEL).cases[index].inputs for index in mutant.indices]
    return [
        None if isinstance(actual, Failed) else compare_preprocessed(actual, right, unmutated.problem)
        for actual, right in zip(mutant.preprocessed, expected, strict=True)
    ]
