"""One graph beside what is right, and the rule for its cases one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from zoo.api.task import Signature
from zoo.bundle.judge.evidence import BEYOND, CaseEvidence, Magnitude, OutputError, Precision, Waiver
from zoo.bundle.judge.parity_rule import Cell, Status, judge_output, usual_noise
from zoo_export.capture.capture import GraphFile
from zoo_export.measure.outputs import compare_case
from zoo_export.reference.graph_noise import own_rounding
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.results import Failed, RuntimeOutputs, RuntimeResult

LITTLE = 100.0
"""How many times PyTorch's noise the rounding of a graph's own operators may be."""
References = Sequence[ReferenceOutputs | Failed]
"""Per case what is right, or why PyTorch cannot say."""
NEAR: Final = 3.0
"""How many times PyTorch's usual noise a file may be off its plain fp32 to be right whatever double precision says.

Its error against double precision is at most three times the usual noise and once PyTorch's own, so at most four times
the larger of the two: the rule passes without a warning.
"""


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


# --- the rule, case by case ---


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseJudge:
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

    def is_near(self, case: CaseEvidence) -> bool:
        """Whether every output is so near to plain fp32 that double precision would find it right as well."""
        names = {output.name: output for output in case.outputs}
        return not case.error and all(_is_near(names[name], cell) for name, cell in self._cells(case))

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


def _is_near(output: OutputError, cell: Cell) -> bool:
    if cell.status != Status.PASS:
        return False
    return not output.differing and not output.far and (cell.ratio or 0.0) <= NEAR


def judge_for(compared: Sequence[CaseEvidence], signature: Signature, declared: Declared) -> CaseJudge:
    gating = [output for case in compared if case.gates and case.kind not in BEYOND for output in case.outputs]
    usual = {
        port.name: usual_noise((output for output in gating if output.name == port.name), precision=declared.precision)
        for port in signature.outputs
    }
    waivers = {waiver.output: waiver for waiver in declared.waivers}
    return CaseJudge(usual=usual, waivers=waivers, precision=declared.precision)


def has_no_answer(expected: ReferenceOutputs | Failed) -> bool:
    """Whether PyTorch does not run in single precision, or gives numbers that are infinite or none."""
    if isinstance(expected, Failed):
        return True
    return not all(np.isfinite(value).all() for value in expected.single.values() if value.dtype.kind == "f")


# --- what the rule needs to know more about ---


def undecided_ranges(run: GraphRun, declared: Declared) -> list[int]:
    """The cases that were compared with plain fp32 alone, and that double precision has to decide."""
    compared = _compared(run)
    judge = judge_for(compared, run.file.signature, declared)
    rows: dict[int, list[RuntimeOutputs]] = {}
    for batch in run.result.by_batch.values():
        for index, outputs in batch:
            rows.setdefault(index, []).append(outputs)
    undecided = []
    for index, expected in enumerate(run.references):
        if isinstance(expected, Failed) or expected.has_noise or has_no_answer(expected):
            continue
        case = run.file.cases[index]
        batched = (compare_case(case, row, expected, run.file.signature) for row in rows.get(index, ()))
        if not all(map(judge.is_near, (compared[index], *batched))):
            undecided.append(index)
    return undecided


def decides_about(run: GraphRun, index: int, declared: Declared) -> bool:
    """Whether the rule can tell right from wrong in a case.

    Of values beyond the usual ones it cannot where PyTorch's own noise is large: what the model answers there, which
    follows from its outputs, cannot be told either.
    """
    case, actual = run.file.cases[index], run.result.outputs[index]
    if case.kind not in BEYOND or isinstance(actual, Failed):
        return True
    compared = compare_case(case, actual, run.references[index], run.file.signature)
    return judge_for((), run.file.signature, declared).decides(compared)


def failing_by_little(run: GraphRun, declared: Declared) -> list[int]:
    """The cases that fail by the rule, and by less than a hundred times the noise."""
    compared = _compared(run)
    judge = judge_for(compared, run.file.signature, declared)
    failed = (isinstance(row, Failed) for row in run.references)
    return [
        index
        for index, (case, no_reference) in enumerate(zip(compared, failed, strict=True))
        if not no_reference and judge.fails_by_little(case)
    ]


def with_own_rounding(run: GraphRun, declared: Declared, preprocessed: Sequence[RuntimeOutputs] = ()) -> GraphRun:
    """The run; where the rule fails by little and the file is right in double precision, its own rounding is noise.

    `preprocessed` is what a pipeline's own preprocess gave for its first cases.
    """
    rows = list(zip(run.file.cases, run.result.outputs, run.references, strict=True))
    compared = _compared(run)
    judge = judge_for(compared, run.file.signature, declared)
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


def _compared(run: GraphRun) -> list[CaseEvidence]:
    rows = zip(run.file.cases, run.result.outputs, run.references, strict=True)
    return [compare_case(case, actual, expected, run.file.signature) for case, actual, expected in rows]
