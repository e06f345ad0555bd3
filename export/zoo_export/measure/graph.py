"""From outputs to evidence: one graph, its cases, what is right and what the runtime gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    Magnitude,
    Precision,
    Waiver,
)
from zoo.bundle.judge.parity_rule import Cell, Status, judge_output, usual_noise
from zoo.models.outputs import call
from zoo_export.capture.capture import GraphFile
from zoo_export.measure.onnx_facts import arithmetic, declared_axes, graph_facts
from zoo_export.measure.outputs import compare_case, liveness
from zoo_export.reference.graph_noise import own_rounding
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.batching import batch_name
from zoo_export.subject.ranges import is_range
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs, RuntimeResult

LITTLE = 100.0
"""How many times PyTorch's noise the rounding of a graph's own operators may be."""
References = Sequence[ReferenceOutputs | Failed]
"""Per case what is right, or why PyTorch cannot say."""
Judge = Callable[[CaseEvidence], str]
"""What fails in a case; empty when nothing does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What was asked of the graphs, and what the model's plugin says about them."""

    opset: int
    precision: Precision = "float32"
    """What the model itself computes with."""
    arithmetic: tuple[str, ...] = ()
    """Outputs whose sizes may be computed from those of the inputs."""
    waivers: tuple[Waiver, ...] = ()
    """Outputs that the rule cannot hold for."""
    maxima: Mapping[str, int] = field(default_factory=dict)
    """The largest size that the model declares, by axis name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRun:
    """One graph after its cases were run: what is right, and what the runtime gave."""

    file: GraphFile
    references: tuple[ReferenceOutputs | Failed, ...]
    """Per case of the file."""
    result: RuntimeResult

    def on(self, indices: Sequence[int]) -> GraphRun:
        """The same for these cases alone."""
        return GraphRun(
            file=replace(self.file, cases=tuple(self.file.cases[index] for index in indices)),
            references=tuple(self.references[index] for index in indices),
            result=self.result.on(indices),
        )


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


def with_own_rounding(run: GraphRun, declared: Declared, preprocessed: Sequence[RuntimeOutputs] = ()) -> GraphRun:
    """The run; where the rule fails by little and the file is right in double precision, its own rounding is noise.

    `preprocessed` is what a pipeline's own preprocess gave for its first cases.
    """
    rows = list(zip(run.file.cases, run.result.outputs, run.references, strict=True))
    compared = [compare_case(case, actual, expected, run.file.signature) for case, actual, expected in rows]
    judge = _judge_for(compared, run.file.signature, declared)
    references = list(run.references)
    for index, (case, actual, expected) in enumerate(rows):
        if isinstance(actual, Failed) or isinstance(expected, Failed) or not judge.fails_by_little(compared[index]):
            continue
        own = preprocessed[index] if index < len(preprocessed) else None
        rounding = own_rounding(
            run.file.model,
            case.inputs,
            actual,
            expected,
            preprocessed=None if isinstance(own, Failed) else own,
        )
        if rounding is not None:
            references[index] = _noisier(expected, rounding)
    return replace(run, references=tuple(references))


def _noisier(expected: ReferenceOutputs, rounding: Mapping[str, Magnitude]) -> ReferenceOutputs:
    noise = {
        name: Magnitude(
            rms=max(own.rms or 0.0, rounding[name].rms or 0.0), max=max(own.max or 0.0, rounding[name].max or 0.0)
        )
        if name in rounding
        else own
        for name, own in expected.noise.items()
    }
    return replace(expected, noise=noise)


def compare_cases(run: GraphRun) -> tuple[CaseEvidence, ...]:
    """Every case compared, but those of a range or other values for which PyTorch itself has no finite answer."""
    rows = zip(run.file.cases, run.result.outputs, run.references, strict=True)
    return tuple(
        compare_case(case, actual, expected, run.file.signature)
        for case, actual, expected in rows
        if not (is_range(case) and _has_no_answer(expected))
    )


def _has_no_answer(expected: ReferenceOutputs | Failed) -> bool:
    """Whether PyTorch does not run in single precision, or gives numbers that are infinite or none."""
    if isinstance(expected, Failed):
        return True
    return not all(np.isfinite(value).all() for value in expected.single.values() if value.dtype.kind == "f")


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
    judge = _judge_for(compared, file.signature, declared)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseJudge:
    """The rule with the noise that is usual in a graph's cases."""

    usual: Mapping[str, Magnitude | None]
    waivers: Mapping[str, Waiver]
    precision: Precision

    def failure(self, case: CaseEvidence) -> str:
        """The first output that fails, in a sentence; empty when none does."""
        failed = (row for row in self._cells(case) if row[1].status == Status.FAIL)
        return next((f"{case.name}, {name}: {cell.why}" for name, cell in failed), "")

    def fails_by_little(self, case: CaseEvidence) -> bool:
        """Whether all outputs that fail do so by the rule, and by less than a hundred times the noise."""
        failed = [cell for _, cell in self._cells(case) if cell.status == Status.FAIL]
        return bool(failed) and all(not cell.broken and (cell.ratio or math.inf) <= LITTLE for cell in failed)

    def decides(self, case: CaseEvidence) -> bool:
        """Whether some output can tell right from wrong."""
        return any(cell.status != Status.INCONCLUSIVE for _, cell in self._cells(case))

    def _cells(self, case: CaseEvidence) -> list[tuple[str, Cell]]:
        return [
            (
                output.name,
                judge_output(
                    output,
                    self.waivers.get(output.name),
                    usual=self.usual.get(output.name),
                    beyond=case.kind in BEYOND,
                    precision=self.precision,
                ),
            )
            for output in case.outputs
        ]


def _judge_for(compared: Sequence[CaseEvidence], signature: Signature, declared: Declared) -> _CaseJudge:
    gating = [output for case in compared if case.gates and case.kind not in BEYOND for output in case.outputs]
    usual = {
        port.name: usual_noise((output for output in gating if output.name == port.name), precision=declared.precision)
        for port in signature.outputs
    }
    waivers = {waiver.output: waiver for waiver in declared.waivers}
    return _CaseJudge(usual=usual, waivers=waivers, precision=declared.precision)


def _sizes(
    port: str, index: int, compared: Sequence[CaseEvidence], judge: _CaseJudge
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


def _batch_failures(run: GraphRun, judge: _CaseJudge) -> dict[int, tuple[str, ...]]:
    """Per batch size at which something was compared, what failed, in sentences."""
    failures = {}
    for size, rows in run.result.by_batch.items():
        sentences = [_batch_failure(run, index, outputs, judge.failure) for index, outputs in rows]
        wrong = tuple(f"batch {size}: {sentence}" for sentence in dict.fromkeys(filter(None, sentences)))
        if wrong or any(_decides(run, index, outputs, judge) for index, outputs in rows):
            failures[size] = wrong
    return failures


def _decides(run: GraphRun, index: int, outputs: RuntimeOutputs, judge: _CaseJudge) -> bool:
    """Whether an item of a batch can tell right from wrong."""
    case, expected = run.file.cases[index], run.references[index]
    if isinstance(expected, Failed) or not case.gates:
        return False
    return judge.decides(compare_case(case, outputs, expected, run.file.signature))


def _batch_failure(run: GraphRun, index: int, outputs: RuntimeOutputs, judge: Judge) -> str:
    case, expected = run.file.cases[index], run.references[index]
    if isinstance(expected, Failed):
        return ""  # PyTorch does not run it either
    if not case.gates:
        return outputs.reason if isinstance(outputs, Failed) else ""
    compared = compare_case(case, outputs, expected, run.file.signature)
    return compared.error or judge(compared)
