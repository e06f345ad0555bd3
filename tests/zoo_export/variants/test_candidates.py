"""Which candidate is published, and which is repaired: one that converts next to nothing is worth nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import onnx
import pytest

from zoo.bundle.judge.variant_evidence import Candidate, MetricDrop
from zoo_export.capture.capture import PIPELINE
from zoo_export.variants.candidates import CandidateContext, MeasuredCandidate, choose, to_repair
from zoo_export.variants.convert import Way

BASELINE = 1_000


def context() -> CandidateContext:
    """A context whose fp32 pipeline has 1,000 bytes."""
    exported = SimpleNamespace(files={PIPELINE: bytes(BASELINE)})
    return cast("CandidateContext", SimpleNamespace(max_drop=None, proof=SimpleNamespace(exported=exported)))


def candidate(name: str, *, drop: float, size: int, ratio: float) -> MeasuredCandidate:
    """One that loses so much of its metric in every resample."""
    metric = MetricDrop(name="top1", mode="max", items=500, baseline=0.9, value=0.9 - drop, resampled=(drop,) * 200)
    return MeasuredCandidate(
        way=Way(kind="static"),
        model=onnx.ModelProto(),
        files={PIPELINE: bytes(size)},
        answers=(),
        metric=metric,
        candidate=Candidate(name=name, metric=0.9 - drop, upper_drop=drop, bytes=size, ratio=ratio),
    )


GOOD = candidate("good", drop=0.0, size=300, ratio=0.7)
SLOW = candidate("small and slow", drop=0.0, size=300, ratio=1.5)
IDLE = candidate("hardly converted", drop=0.0, size=990, ratio=1.0)
NEAR = candidate("near", drop=0.05, size=300, ratio=0.5)
FAR = candidate("far", drop=0.5, size=300, ratio=0.4)


@pytest.mark.parametrize(
    ("made", "chosen", "repaired"),
    [
        ([GOOD, NEAR], GOOD, None),
        ([IDLE, FAR, NEAR], IDLE, NEAR),
        ([SLOW, NEAR], SLOW, NEAR),
        ([FAR, NEAR], NEAR, NEAR),
        ([IDLE, SLOW], IDLE, None),
        ([IDLE, GOOD], GOOD, None),
    ],
)
def test_what_gains_nothing_does_not_stop_the_repair(
    made: list[MeasuredCandidate], chosen: MeasuredCandidate, repaired: MeasuredCandidate | None
) -> None:
    assert choose(context(), made) is chosen
    assert to_repair(context(), made) is repaired
