"""Two models of sequences compared as their users would: the same likeliest next token, the same surprise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case

if TYPE_CHECKING:
    from zoo.api.task import Arrays

MARGIN: Final = 10.0
"""Two logits closer than so many times the reference's own error have no order."""
OUTPUT: Final = "logits"
SHOWN: Final = 12


def agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    noise: Mapping[str, float],
    element: str = "token",
) -> Agreement:
    """An item agrees when the likeliest next token is the same after every token where the reference has one.

    `element` is what a token is called: "sample" in a sound.
    """
    margin = MARGIN * noise.get(OUTPUT, 0.0)
    agreeing = undecided = 0
    wrong: list[tuple[int, str]] = []
    for ours, theirs, case in zip(reference, candidate, cases, strict=True):
        one, other = ours[OUTPUT][0], theirs[OUTPUT][0]
        two = np.partition(one, -2, axis=-1)[..., -2:]
        decided = two[..., 1] - two[..., 0] > margin
        chosen = np.take_along_axis(one, other.argmax(-1)[..., None], -1)[..., 0]
        apart = two[..., 1] - chosen > margin  # a tie of two excuses no third
        if apart.any():
            count, first = int(apart.sum()), int(apart.argmax()) + 1
            places = f"{count} of {decided.size} next {element}s differ, the first after {first}"
            wrong.append((count, f"{case.origin or case.name}: {places}"))
        elif decided.any():
            agreeing += 1
        else:
            undecided += 1
    wrong.sort(reverse=True)
    return Agreement(
        items=len(cases),
        agreeing=agreeing,
        undecided=undecided,
        reference_metrics=scores(reference, cases, element=element),
        candidate_metrics=scores(candidate, cases, element=element),
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def scores(answers: Sequence[Arrays], cases: Sequence[Case], *, element: str) -> dict[str, float]:
    """Bits per element, each item read without what stands before it, where the next tokens are known."""
    pairs = zip(answers, cases, strict=True)
    bits = [surprise(answer[OUTPUT][0], np.asarray(case.truth)) for answer, case in pairs if case.truth is not None]
    return {f"bits_per_{element}": float(np.concatenate(bits).mean())} if bits else {}


def surprise(logits: npt.NDArray[Any], targets: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Bits per token: logits [length, vocabulary] and the tokens [length] that came."""
    wide = logits.astype(np.float64)
    top = wide.max(-1, keepdims=True)
    log = wide - top - np.log(np.exp(wide - top).sum(-1, keepdims=True))
    nats: npt.NDArray[Any] = -np.take_along_axis(log, targets[:, None], -1)[:, 0]
    return nats / math.log(2)
