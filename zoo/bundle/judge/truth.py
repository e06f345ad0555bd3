"""The gate truth: the answers that a user gets reach what the run itself reached, on the same items.

All other gates compare the file with PyTorch.  What the task's author wrote between the raw head and the answer is the
same on both sides, and a mistake in it is in both: only the data can tell.
"""

from __future__ import annotations

import math

from zoo.api.data import counted
from zoo.bundle.judge.cases import Finding, some
from zoo.bundle.judge.evidence import Evidence, Truth
from zoo.bundle.judge.parity_rule import Status

RELATIVE = 1e-3
"""Two libraries that compute one metric in single and double precision differ by less."""
ROUNDED_SHARE = 0.01
"""The share of items whose answer may change where a grey level is rounded in another way."""
RESIZED_SHARE = 0.01
"""A metric may change by this share where one side counts pixels of the picture, the other pixels of the model: the
borders between classes lie otherwise."""
MAX_SHARE = 1.0
"""The largest value of a metric that counts a share of items."""


def truth(evidence: Evidence) -> Finding:
    """Every metric that both know is the same, up to what undecided items explain."""
    measured = evidence.truth
    if measured is None:
        return Status.INCONCLUSIVE, "not measured"
    if measured.reason:
        return (Status.WARN, f"truth not checked: {measured.reason}") if measured.needed else _nothing(measured)
    shared = [name for name in measured.answers if name in measured.own]
    if not shared or measured.items <= 0:
        return Status.WARN, "truth not checked: the answers and the run have no metric in common"
    wrong = [name for name in shared if not _same(measured, name)]
    if wrong:
        words = some([_difference(measured, name) for name in wrong])
        return (
            Status.FAIL,
            f"on {counted(measured.items, 'item')} {words}; what turns the raw head into the answer is wrong",
        )
    words = ", ".join(f"{name} {measured.answers[name]:.4g}" for name in shared)
    stand_ins = f"; zoo's own {', '.join(measured.stand_ins)}" if measured.stand_ins else ""
    return Status.PASS, f"{words} on {counted(measured.items, 'item')}, as the run itself has it{stand_ins}"


def tolerance(measured: Truth, name: str) -> float:
    """How far a metric of the answers may be from the run's own."""
    own = abs(measured.own[name])
    unsure = measured.undecided + (math.ceil(ROUNDED_SHARE * measured.items) if measured.rounded else 0)
    scale = max(MAX_SHARE, own) if own > MAX_SHARE else MAX_SHARE
    resized = RESIZED_SHARE if measured.resized else 0.0
    return RELATIVE * own + scale * (unsure / measured.items + resized)


def _same(measured: Truth, name: str) -> bool:
    actual, own = measured.answers[name], measured.own[name]
    if math.isnan(actual) or math.isnan(own):
        return math.isnan(actual) and math.isnan(own)
    return abs(actual - own) <= tolerance(measured, name)


def _difference(measured: Truth, name: str) -> str:
    return f"{name} of the answers is {measured.answers[name]:.4g}, the run's own is {measured.own[name]:.4g}"


def _nothing(measured: Truth) -> Finding:
    return Status.PASS, measured.reason
