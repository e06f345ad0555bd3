"""Two sets of embeddings compared as their users would: the same directions, and the same pairs taken for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.embeddings.verification import FAR, roc
from zoo.task import Agreement, Case

if TYPE_CHECKING:
    from zoo.task import Arrays

OUTPUT: Final = "embedding"
MARGIN: Final = 10.0
"""A similarity nearer to the threshold than so many times what the reference's own error may move it is undecided."""
NEAR: Final = 1 - 1e-6
"""The least cosine between the reference's embedding and the candidate's."""
SHOWN: Final = 12

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
    are of one identity, else its median similarity.  An item is undecided when only pairs inside their margin flipped.
    """
    ours, theirs = _stacked(reference), _stacked(candidate)
    cosines = _cosines(ours, theirs)
    before, after = ours @ ours.T, theirs @ theirs.T
    threshold = decision_threshold(before, cases)
    margin = 2 * MARGIN * noise.get(OUTPUT, 0.0) * float(np.sqrt(ours.shape[1]))
    flipped = ((before >= threshold) != (after >= threshold)) & ~np.eye(len(cases), dtype=bool)
    beyond = flipped & (np.abs(before - threshold) > margin)
    turned = ~(cosines >= NEAR)  # NaN has no direction
    wrong = turned | beyond.any(1)
    sentences = [(float(cosines[at]), _turn(cases[at], cosines[at])) for at in np.flatnonzero(turned).tolist()]
    for at in np.flatnonzero(wrong & ~turned).tolist():
        other = int(np.flatnonzero(beyond[at])[0])
        moved = f"a similarity of {before[at, other]:.6f} became {after[at, other]:.6f}"
        sentence = f"{_where(cases[at])} and {_where(cases[other])}: {moved}, across the threshold {threshold:.6f}"
        sentences.append((float(cosines[at]), sentence))
    sentences.sort(key=lambda one: one[0])
    undecided = int(np.sum(flipped.any(1) & ~wrong))
    return Agreement(
        items=len(cases),
        agreeing=len(cases) - int(wrong.sum()) - undecided,
        undecided=undecided,
        reference_metrics=scores(ours, cases),
        candidate_metrics=scores(theirs, cases),
        disagreements=tuple(sentence for _, sentence in sentences[:SHOWN]),
    )


def decision_threshold(similarities: npt.NDArray[Any], cases: Sequence[Case], far: float = FAR) -> float:
    """The similarity from which on a pair is taken for one identity; similarities are [items, items]."""
    known = known_pairs(cases)
    if known is not None:
        one, other, same = known
        return roc(similarities[one, other], same).at(far)[1]
    upper = np.triu_indices(len(cases), 1)
    return float(np.median(similarities[upper])) if len(cases) > 1 else 0.0


def known_pairs(
    cases: Sequence[Case],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.bool_]] | None:
    """(places, places, whether of one identity) of all pairs of known truth; None unless there are both kinds."""
    known = [place for place, case in enumerate(cases) if case.truth is not None]
    if len(known) < 3:
        return None
    places = np.array(known)
    labels = np.unique(np.array([str(cases[place].truth) for place in known]), return_inverse=True)[1]
    one, other = np.triu_indices(len(known), 1)
    same = labels[one] == labels[other]
    return None if same.all() or not same.any() else (places[one], places[other], same)


def _stacked(answers: Sequence[Arrays]) -> npt.NDArray[np.float64]:
    return np.stack([np.asarray(answer[OUTPUT], np.float64) for answer in answers])


def _cosines(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Row by row, from the distance of the directions: one minus a product of nearly equal vectors rounds away."""
    apart = _directions(ours) - _directions(theirs)
    return np.asarray(1 - (apart**2).sum(1) / 2)


def _directions(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _turn(case: Case, cosine: float) -> str:
    return f"{_where(case)}: the embedding has turned, its cosine with the reference's is {cosine:.6f}"


def _where(case: Case) -> str:
    return case.origin or case.name
