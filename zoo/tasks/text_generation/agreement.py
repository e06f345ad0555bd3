"""Whether two models of sequences agree: by the likeliest next token, and by the negative log-likelihood."""

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
"""Two logits are tied where they differ by less than this many times the reference's own error."""
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
    for expected_answer, actual_answer, case in zip(reference, candidate, cases, strict=True):
        expected, actual = expected_answer[OUTPUT][0], actual_answer[OUTPUT][0]
        top_two = np.partition(expected, -2, axis=-1)[..., -2:]
        decided = top_two[..., 1] - top_two[..., 0] > margin
        chosen = np.take_along_axis(expected, actual.argmax(-1)[..., None], -1)[..., 0]
        differ = top_two[..., 1] - chosen > margin  # a tie of the best two does not accept a third
        if differ.any():
            count, first = int(differ.sum()), int(differ.argmax()) + 1
            positions = f"{count} of {decided.size} next {element}s differ, the first after {first}"
            wrong.append((count, f"{case.origin or case.name}: {positions}"))
        elif decided.any():
            agreeing += 1
        else:
            undecided += 1
    wrong.sort(reverse=True)
    return Agreement(
        items=len(cases),
        agreeing=agreeing,
        undecided=undecided,
        disagreements=tuple(sentence for _, sentence in wrong[:SHOWN]),
    )


def scores(answers: Sequence[Arrays], cases: Sequence[Case], *, element: str) -> dict[str, float]:
    """Bits per element over the items whose next tokens are known; every item is read without context."""
    pairs = zip(answers, cases, strict=True)
    bits = [
        negative_log_likelihood(answer[OUTPUT][0], np.asarray(case.truth))
        for answer, case in pairs
        if case.truth is not None
    ]
    return {f"bits_per_{element}": float(np.concatenate(bits).mean())} if bits else {}


def negative_log_likelihood(logits: npt.NDArray[Any], targets: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """In bits per token, float64 [length]: of logits [length, vocabulary] and the true tokens, int64 [length]."""
    wide = logits.astype(np.float64)
    top = wide.max(-1, keepdims=True)
    log = wide - top - np.log(np.exp(wide - top).sum(-1, keepdims=True))
    nats: npt.NDArray[Any] = -np.take_along_axis(log, targets[:, None], -1)[:, 0]
    return nats / math.log(2)
