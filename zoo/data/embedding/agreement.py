"""Two sets of embeddings compared as their users would: the same directions, and the same pairs taken for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case
from zoo.data.embedding.verification import FAR, Floats, roc, verification_pairs

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT: Final = "embedding"
MARGIN: Final = 10.0
"""A similarity nearer to the threshold than so many times what the reference's own error may move it is undecided."""
NEAR: Final = 1 - 1e-6
"""The least cosine between the reference's embedding and the candidate's."""
SHOWN: Final = 12

Places = npt.NDArray[np.intp]
Scores = Callable[[npt.NDArray[Any], Sequence[Case]], dict[str, float]]
"""(embeddings [items, d], cases) -> metrics by name."""


def agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    noise: Mapping[str, float],
    scores: Scores,
) -> Agreement:
    """An item agrees when its embedding keeps its direction, and each of its pairs its side of the threshold.

    The threshold is the reference's own at the stated false-accept rate, where the truths of the cases say which pairs
    are of one identity, else half-way between its middle similarities.  An item is undecided when only pairs inside
    their margin flipped.  Of very many items not every pair is looked at.
    """
    ours, theirs = _stacked(reference), _stacked(candidate)
    cosines = _cosines(ours, theirs)
    one, other, _ = verification_pairs(_labels(cases)).T
    before, after = similarities(ours, one, other), similarities(theirs, one, other)
    threshold = decision_threshold(ours, cases, otherwise=_middle(before))
    margin = 2 * MARGIN * noise.get(OUTPUT, 0.0) * float(np.sqrt(ours.shape[1]))
    flipped = (before >= threshold) != (after >= threshold)
    beyond = np.flatnonzero(flipped & (np.abs(before - threshold) > margin))
    turned = ~(cosines >= NEAR)  # NaN has no direction
    wrong = turned | _touched(one[beyond], other[beyond], len(cases))
    sentences = [(float(cosines[at]), _turn(cases[at], cosines[at])) for at in np.flatnonzero(turned).tolist()]
    for pair in beyond[:SHOWN].tolist():
        here, there = cases[int(one[pair])], cases[int(other[pair])]
        moved = f"a similarity of {before[pair]:.6f} became {after[pair]:.6f}, across the threshold {threshold:.6f}"
        sentences.append((1.0, f"{_where(here)} and {_where(there)}: {moved}"))
    sentences.sort(key=lambda one: one[0])
    undecided = int(np.sum(_touched(one[flipped], other[flipped], len(cases)) & ~wrong))
    return Agreement(
        items=len(cases),
        agreeing=len(cases) - int(wrong.sum()) - undecided,
        undecided=undecided,
        reference_metrics=scores(ours, cases),
        candidate_metrics=scores(theirs, cases),
        disagreements=tuple(sentence for _, sentence in sentences[:SHOWN]),
    )


def decision_threshold(embeddings: Floats, cases: Sequence[Case], *, otherwise: float, far: float = FAR) -> float:
    """The similarity from which on a pair is taken for one identity; `otherwise` where truths do not say it."""
    known = known_pairs(cases)
    if known is None:
        return otherwise
    one, other, same = known
    return roc(similarities(embeddings, one, other), same).at(far)[1]


def known_pairs(cases: Sequence[Case]) -> tuple[Places, Places, npt.NDArray[np.bool_]] | None:
    """(places, places, whether of one identity) of pairs of known truth; None unless there are both kinds."""
    known = np.array([place for place, case in enumerate(cases) if case.truth is not None], np.intp)
    pairs = verification_pairs(_labels([cases[place] for place in known.tolist()]))
    same = pairs[:, 2] == 1
    return None if same.all() or not same.any() else (known[pairs[:, 0]], known[pairs[:, 1]], same)


def similarities(embeddings: Floats, one: Places, other: Places) -> Floats:
    """Of the pairs at these places, float64 [pairs]."""
    return np.asarray(np.einsum("pd,pd->p", embeddings[one], embeddings[other]))


def _middle(values: Floats) -> float:
    """Half-way between the two middle values: unlike the median never one of them, which rounding alone would flip."""
    ordered = np.sort(values)
    return float(ordered[len(ordered) // 2 - 1 : len(ordered) // 2 + 1].mean()) if len(ordered) > 1 else 0.0


def _labels(cases: Sequence[Case]) -> Places:
    """A number for each truth; an unknown one is like no other."""
    names = [f"case {place}" if case.truth is None else f"truth {case.truth}" for place, case in enumerate(cases)]
    return np.unique(np.array(names, str), return_inverse=True)[1]


def _touched(one: Places, other: Places, count: int) -> npt.NDArray[np.bool_]:
    """Which items are in one of these pairs."""
    touched = np.zeros(count, bool)
    touched[one] = touched[other] = True
    return touched


def _stacked(answers: Sequence[Arrays]) -> Floats:
    return np.stack([np.asarray(answer[OUTPUT], np.float64) for answer in answers])


def _cosines(ours: Floats, theirs: Floats) -> Floats:
    """Row by row, from the distance of the directions: one minus a product of nearly equal vectors rounds away."""
    apart = _directions(ours) - _directions(theirs)
    return np.asarray(1 - (apart**2).sum(1) / 2)


def _directions(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _turn(case: Case, cosine: float) -> str:
    return f"{_where(case)}: the embedding has turned, its cosine with the reference's is {cosine:.6f}"


def _where(case: Case) -> str:
    return case.origin or case.name
