"""From outputs to evidence: one graph, its cases, what is right and what the runtime gave."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from zoo.api.task import Case, Signature
from zoo.bundle.judge.evidence import (
    BEYOND,
    Axes,
    Axis,
    CaseEvidence,
    Determinism,
    EvalMode,
    GraphEvidence,
)
from zoo.bundle.judge.parity_rule import judge_output
from zoo.models.outputs import call
from zoo_export.measure.graph_run import CaseJudge, Declared, GraphRun, has_no_answer, judge_for
from zoo_export.measure.onnx_facts import arithmetic, declared_axes, graph_facts
from zoo_export.measure.outputs import compare_case, liveness
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.batching import batch_name
from zoo_export.subject.ranges import is_range
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs

Judge = Callable[[CaseEvidence], str]
"""What fails in a case; empty when nothing does."""


def eval_mode(module: nn.Module) -> EvalMode:
    """Which parts of the module are in training mode."""
    parts = [(path or "the module itself", part.training) for path, part in module.named_modules()]
    return EvalMode(modules=len(parts), training=tuple(path for path, training in parts if training))


def torch_repeats(module: nn.Module, cases: Sequence[Case], signature: Signature) -> bool:
    """Whether eager PyTorch gives the same bits under two seeds."""
    state = torch.random.get_rng_state()
    try:
        runs = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            runs.append([call(module, case.inputs, signature) for case in cases])
    finally:
        torch.random.set_rng_state(state)
    return all(
        first[name].tobytes() == second[name].tobytes() for first, second in zip(*runs, strict=True) for name in first
    )


def measure_graph(run: GraphRun, *, declared: Declared, torch_equal: bool = True) -> GraphEvidence:
    """Everything measured about one graph; `torch_equal` is what `torch_repeats` found."""
    file, result = run.file, run.result
    compared = compare_cases(run)
    live = [
        (expected, actual)
        for index, (expected, actual) in enumerate(zip(run.references, result.outputs, strict=True))
        if not isinstance(expected, Failed) and not isinstance(actual, Failed) and _complete(actual, file.signature)
        if file.cases[index].kind not in BEYOND  # what moves for huge values alone is dead
        if not any(_same(file.cases[index], other) for other in file.cases[:index])  # the same input twice says nothing
    ]
    return GraphEvidence(
        name=file.name,
        role=file.role,
        sha256=file.sha256,
        cases=compared,
        facts=graph_facts(file.model, opset_asked=declared.opset, weights=file.weights),
        determinism=None
        if result.repeats_equal is None
        else Determinism(torch_equal=torch_equal, runtime_equal=result.repeats_equal, repeats=2),
        liveness=liveness(
            file.signature,
            [expected for expected, _ in live],
            [actual for _, actual in live],
            precision=declared.precision,
        ),
        axes=_axes(run, compared, declared),
        outputs=tuple(port.name for port in file.signature.outputs),
    )


def compare_cases(run: GraphRun) -> tuple[CaseEvidence, ...]:
    """Every case compared, but those of a range or other values for which PyTorch itself has no finite answer."""
    rows = zip(run.file.cases, run.result.outputs, run.references, strict=True)
    return tuple(
        compare_case(case, actual, expected, run.file.signature)
        for case, actual, expected in rows
        if not _is_left_out(case, expected)
    )


def _is_left_out(case: Case, expected: ReferenceOutputs | Failed) -> bool:
    """A case of a range or of other values for which PyTorch itself has no finite answer."""
    return is_range(case) and has_no_answer(expected)


def _same(case: Case, other: Case) -> bool:
    return case.inputs.keys() == other.inputs.keys() and all(
        np.array_equal(value, other.inputs[name]) for name, value in case.inputs.items()
    )


def _complete(outputs: Outputs, signature: Signature) -> bool:
    return all(port.name in outputs for port in signature.outputs)


# --- axes ---


def _axes(run: GraphRun, compared: Sequence[CaseEvidence], declared: Declared) -> Axes:
    file = run.file
    batch = batch_name(file.signature)
    judge = judge_for(compared, file.signature, declared)
    by_batch = _batch_failures(run, judge)
    tested = []
    for port in file.signature.inputs:
        for index, axis in enumerate(port.shape):
            if not isinstance(axis, str):
                continue
            if axis == batch:
                sizes, failures = tuple(sorted(by_batch)), tuple(s for rows in by_batch.values() for s in rows)
            else:
                sizes, failures = _sizes(port.name, index, compared, judge)
            tested.append(
                Axis(
                    input=port.name,
                    index=index,
                    name=axis,
                    tested=sizes,
                    example=file.example[port.name][index],
                    failures=failures,
                    maximum=declared.maxima.get(axis),
                )
            )
    return Axes(
        tested=tuple(tested),
        arithmetic=arithmetic(file.model, declared.arithmetic, file.signature),
        undeclared=declared_axes(file.model, file.signature),
        static="" if tested else "every input of this graph has one size",
    )


def _sizes(
    port: str, index: int, compared: Sequence[CaseEvidence], judge: CaseJudge
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sizes at which cases decided something, and what failed at any of them: what only informs tests no size."""
    sizes, failures = set(), []
    for case in compared:
        if case.reference_error or not case.gates:
            continue
        failure = case.error or _broken(case)
        if failure or judge.decides(case):
            sizes.add(case.inputs[port][index])
        if failure:
            failures.append(f"size {case.inputs[port][index]} ({case.name}): {failure}")
    return tuple(sorted(sizes)), tuple(failures)


def _broken(case: CaseEvidence) -> str:
    """The first output of another shape or dtype, or that is not finite: the rest is parity's."""
    cells = ((output.name, judge_output(output)) for output in case.outputs)
    return next((f"{case.name}, {name}: {cell.why}" for name, cell in cells if cell.broken), "")


def _batch_failures(run: GraphRun, judge: CaseJudge) -> dict[int, tuple[str, ...]]:
    """Per batch size at which something was compared, what failed, in sentences."""
    failures = {}
    for size, rows in run.result.by_batch.items():
        sentences = [_batch_failure(run, index, outputs, judge.failure) for index, outputs in rows]
        wrong = tuple(f"batch {size}: {sentence}" for sentence in dict.fromkeys(filter(None, sentences)))
        if wrong or any(_decides(run, index, outputs, judge) for index, outputs in rows):
            failures[size] = wrong
    return failures


def _decides(run: GraphRun, index: int, outputs: RuntimeOutputs, judge: CaseJudge) -> bool:
    """Whether an item of a batch can tell right from wrong."""
    case, expected = run.file.cases[index], run.references[index]
    if isinstance(expected, Failed) or not case.gates or _is_left_out(case, expected):
        return False
    return judge.decides(compare_case(case, outputs, expected, run.file.signature))


def _batch_failure(run: GraphRun, index: int, outputs: RuntimeOutputs, judge: Judge) -> str:
    case, expected = run.file.cases[index], run.references[index]
    if isinstance(expected, Failed) or _is_left_out(case, expected):
        return ""  # PyTorch does not run it either, or has no finite answer
    if not case.gates:
        return outputs.reason if isinstance(outputs, Failed) else ""
    compared = compare_case(case, outputs, expected, run.file.signature)
    return compared.error or judge(compared)
