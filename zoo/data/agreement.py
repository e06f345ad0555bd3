"""Two sets of answers compared item by item, the way a user of the task would; numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case

if TYPE_CHECKING:
    from zoo.api.task import Arrays

MARGIN: Final = 10.0
"""Two scores closer than so many times the reference's own error have no order."""
MAX_SENTENCES: Final = 12
MAX_DIFFERING_SHARE: Final = 0.001
"""The share of pixels that may be more than one grey level away."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one item.

    Examples:
        >>> zoo.numeric_verdict({"y": np.ones(2)}, {"y": np.ones(2)}, tolerance=0).state
        'agreeing'
    """

    state: Literal["agreeing", "undecided", "differing"]
    """Undecided where the reference's answer lies inside its own margin, and the candidate's with it."""
    size: float = 0.0
    """Of a difference: how bad it is, so that the worst is named first."""
    difference: str = ""
    """What differs: "class 3 (0.9021) became 5 (0.8012)"."""


AGREEING: Final = Verdict("agreeing")
UNDECIDED: Final = Verdict("undecided")


def item_agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    compare: Callable[[Arrays, Arrays, Case], Verdict],
) -> Agreement:
    """What `compare` says of the reference's and the candidate's answer to each case, counted.

    Args:
        reference: What is right, an answer by output name for each case.
        candidate: The answers to be judged, in the same order.
        cases: The cases that were answered.
        compare: (expected, actual, case) to a verdict.

    Returns:
        How many agree, and a sentence for each of the worst that do not.

    Examples:
        >>> case = zoo.Case(name="one", kind="uniform", inputs={})
        >>> same = lambda expected, actual, case: zoo.numeric_verdict(expected, actual, tolerance=0.1)
        >>> zoo.item_agreement([{"y": np.ones(1)}], [{"y": np.zeros(1)}], cases=[case], compare=same).holds
        False
    """
    verdicts = [compare(*row) for row in zip(reference, candidate, cases, strict=True)]
    states = [verdict.state for verdict in verdicts]
    differing = [(one.size, case, one) for one, case in zip(verdicts, cases, strict=True) if one.state == "differing"]
    differing.sort(key=lambda row: -row[0])
    sentences = [f"{shown_case(case)}: {one.difference}" for _, case, one in differing[:MAX_SENTENCES]]
    return Agreement(
        items=len(cases),
        agreeing=states.count("agreeing"),
        undecided=states.count("undecided"),
        disagreements=tuple(sentences),
    )


def shown_case(case: Case) -> str:
    """An item of the data by its source, another case by its name as well: its source may be any picture."""
    if case.item is not None or case.name in case.origin or not case.origin:
        return case.origin or case.name
    return f"{case.name} ({case.origin})"


def numeric_agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    tolerance: float | Callable[[Case], float],
    relative: float = 0.0,
    unit: str = "",
) -> Agreement:
    """An item agrees when no number of any output is farther away than `tolerance`; nothing is undecided.

    Where `relative` times the largest number of an output is more, that is allowed.

    The tolerance may depend on the case, as pixels depend on the size of a picture.  An output that is not finite in
    the candidate alone, or has another shape, differs.

    Args:
        reference: What is right, an answer by output name for each case.
        candidate: The answers to be judged.
        cases: The cases that were answered.
        tolerance: The largest distance, in the unit of the outputs, or a function of the case.
        relative: A share of the largest number of an output that is allowed where it is more.
        unit: What sentences call it: "px".

    Returns:
        How many items agree, and the worst differences.

    Examples:
        >>> case = zoo.Case(name="one", kind="uniform", inputs={})
        >>> answers = [{"y": np.float32([1, 2])}]
        >>> zoo.numeric_agreement(answers, answers, cases=[case], tolerance=0.0).agreeing
        1
    """

    def compare(expected: Arrays, actual: Arrays, case: Case) -> Verdict:
        allowed = tolerance(case) if callable(tolerance) else tolerance
        return numeric_verdict(expected, actual, tolerance=allowed, relative=relative, unit=unit)

    return item_agreement(reference, candidate, cases=cases, compare=compare)


def numeric_verdict(
    expected: Arrays, actual: Arrays, *, tolerance: float, relative: float = 0.0, unit: str = ""
) -> Verdict:
    """The same numbers in every output; see `numeric_agreement`.

    Args:
        expected: The right outputs by name.
        actual: The outputs to be judged.
        tolerance: The largest distance, in the unit of the outputs.
        relative: A share of the largest number that is allowed where it is more.
        unit: What sentences call it.

    Returns:
        Agreeing, or differing with its size and a sentence.

    Examples:
        >>> zoo.numeric_verdict({"y": np.zeros(2)}, {"y": np.ones(2)}, tolerance=0.5).state
        'differing'
    """
    worst = AGREEING
    for name, value in expected.items():
        if name not in actual or actual[name].shape != value.shape:
            shape = list(actual[name].shape) if name in actual else "missing"
            return Verdict("differing", float("inf"), f"{name} is {shape} instead of {list(value.shape)}")
        most = max(tolerance, relative * float(np.abs(np.asarray(value, float)).max(initial=0.0)))
        far = float(np.abs(np.asarray(actual[name], float) - np.asarray(value, float)).max(initial=0.0))
        if not far <= most and not far <= worst.size:
            worst = Verdict("differing", far, f"{name} is off by up to {far:.4g}{unit and f' {unit}'}")
    return worst


def class_verdict(expected: Arrays, actual: Arrays, *, output: str, margin: float, top: int = 1) -> Verdict:
    """The same likeliest class, and the same `top` likeliest, wherever the reference is decided.

    The output is scores [classes], or [1, classes].  The item is undecided where the reference's first two scores are
    within `margin`, and the candidate's class is one of those that are.
    """
    scores, others = (np.asarray(answer[output], float).reshape(-1) for answer in (expected, actual))
    first, other = int(scores.argmax()), int(others.argmax())
    gap = _gap(scores, 1)
    if scores[first] - scores[other] > margin:  # a tie of two excuses no third
        change = f"class {first} ({scores[first]:.4f}) became {other} ({others[other]:.4f})"
        return Verdict("differing", gap, f"{change}, with a margin of {gap:.2g}")
    if not gap > margin:
        return UNDECIDED
    if set(first_classes(scores, top)) == set(first_classes(others, top)) or not _gap(scores, top) > margin:
        return AGREEING
    rows = " and ".join(str(first_classes(row, top)) for row in (scores, others))
    return Verdict("differing", gap, f"class {first} comes first in both, but the first {top} are {rows}")


def first_classes(scores: npt.NDArray[Any], count: int) -> list[int]:
    """The `count` likeliest classes of scores [classes], best first."""
    best: list[int] = np.argsort(-scores, kind="stable")[:count].tolist()
    return best


def _gap(scores: npt.NDArray[Any], count: int) -> float:
    """How far the last of the first `count` scores lies above the next; without a next there is nothing to confuse."""
    ordered = np.sort(scores)[::-1]
    return float(ordered[count - 1] - ordered[count]) if len(ordered) > count else float("inf")


def level_verdict(expected: Arrays, actual: Arrays, *, output: str) -> Verdict:
    """99.9 % of the pixels within one grey level; rounding to whole levels leaves nothing undecided."""
    if expected[output].shape != actual[output].shape:
        shapes = f"{list(actual[output].shape)} instead of {list(expected[output].shape)}"
        return Verdict("differing", 1.0, shapes)
    away = np.abs(expected[output].astype(int) - actual[output].astype(int))
    share = float((away > 1).mean())
    if not share > MAX_DIFFERING_SHARE:
        return AGREEING
    return Verdict("differing", share, f"{share:.2%} of the pixels are more than one level away, up to {away.max()}")


def noise_margin(noise: Mapping[str, float], output: str) -> float:
    """The distance below which two scores of an output have no order."""
    return MARGIN * noise.get(output, 0.0)
