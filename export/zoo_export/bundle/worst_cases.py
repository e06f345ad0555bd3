"""The worst cases as people see them: the input, what PyTorch answers, what the file answers."""

from __future__ import annotations

import io

from PIL import Image

from zoo.api.task import Case
from zoo.bundle.judge.evidence import CaseEvidence
from zoo.bundle.judge.parity_rule import judge_output
from zoo.bundle.report.page import ShownCase
from zoo_export.capture.capture import PIPELINE
from zoo_export.proof.prove import Proof
from zoo_export.subject.golden_cases import OWN_DATA
from zoo_export.subject.ranges import is_range
from zoo_export.subject.results import Failed, Outputs

COUNT = 3
SIDE = 320
"""Pixels of the longer side in the report."""


def shown_cases(proof: Proof) -> list[ShownCase]:
    """The gating pipeline cases with the largest ratios, worst first, without those that are not to travel."""
    graph = proof.evidence.graph(PIPELINE)
    if graph is None:
        return []
    rows = [
        (_ratio(compared), case, expected.single, actual)
        for case, compared, expected, actual in zip(
            proof.inputs.raw, graph.cases, proof.references[PIPELINE], proof.answers, strict=False
        )
        if compared.gates and not is_range(case)
        if not isinstance(expected, Failed) and not isinstance(actual, Failed)
        if case.origin != OWN_DATA
    ]
    worst = sorted(rows, key=lambda row: -row[0])[:COUNT]
    return [_shown(proof, case, expected, actual) for _, case, expected, actual in worst]


def _ratio(case: CaseEvidence) -> float:
    return max((cell.ratio or 0.0 for cell in map(judge_output, case.outputs)), default=0.0)


def _shown(proof: Proof, case: Case, expected: Outputs, actual: Outputs) -> ShownCase:
    task, problem = proof.subject.task, proof.subject.problem
    reference, candidate = task.answers.show(case, expected, problem), task.answers.show(case, actual, problem)
    return ShownCase(
        graph=PIPELINE,
        case=case.name,
        reference=reference.text,
        candidate=candidate.text,
        input_png=_picture(case),
        reference_png=_png(reference.picture),
        candidate_png=_png(candidate.picture),
    )


def _picture(case: Case) -> bytes | None:
    """The first input that is a picture."""
    for value in case.inputs.values():
        if value.dtype == "uint8" and value.ndim == 3 and value.shape[-1] == 3:
            return _png(Image.fromarray(value))
    return None


def _png(picture: Image.Image | None) -> bytes | None:
    if picture is None:
        return None
    small = picture.copy()
    small.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    small.save(buffer, format="PNG")
    return buffer.getvalue()
