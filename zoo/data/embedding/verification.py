"""The metrics of verification: how well similarities separate pairs of one identity from pairs of two, in numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FAR: Final = 0.01
"""The stated false-accept rate: of a hundred pairs of two identities, one is taken for one identity."""
FOLDS: Final = 10
MAX_PAIRS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Roc:
    """Rates at every threshold, float64 [points], from accepting nothing to accepting everything."""

    false_accepts: Floats
    true_accepts: Floats
    thresholds: Floats
    """A pair is accepted from here on: half-way between the last similarity accepted and the next."""

    @property
    def area(self) -> float:
        """The probability that a pair of one identity is more similar than a pair of two; ties count half."""
        return float(np.trapezoid(self.true_accepts, self.false_accepts))

    def at(self, far: float) -> tuple[float, float]:
        """(true-accept rate, threshold) at the largest false-accept rate that does not exceed `far`."""
        point = int(np.searchsorted(self.false_accepts, far, side="right")) - 1
        return float(self.true_accepts[point]), float(self.thresholds[point])


def roc(similarities: npt.NDArray[Any], same: npt.NDArray[Any]) -> Roc:
    """The curve over pairs, both [pairs]; ValueError unless there are pairs of both kinds."""
    scores, genuine = np.asarray(similarities, np.float64), np.asarray(same, bool)
    if genuine.all() or not genuine.any():
        raise ValueError("a ROC curve needs pairs of one identity and pairs of two")
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], genuine[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # of equal similarities
    true = np.append(0, np.cumsum(hits)[last])
    false = np.append(0, last + 1) - true
    steps = np.concatenate([[max(1.0, ordered[0])], ordered[last], [min(-1.0, ordered[-1])]])
    return Roc(false / false[-1], true / true[-1], (steps[:-1] + steps[1:]) / 2)


def pair_similarities(embeddings: Floats, pairs: npt.NDArray[np.int64]) -> Floats:
    """The dot products of pairs [pairs, 3] of unit vectors [n, d], float64 [pairs]."""
    return np.asarray(np.einsum("pd,pd->p", embeddings[pairs[:, 0]], embeddings[pairs[:, 1]]))


def verification(similarities: npt.NDArray[Any], same: npt.NDArray[Any]) -> dict[str, float]:
    """The metrics of pairs, both [pairs]: roc_auc, accuracy, tar_at_far_1pct and threshold; none of one kind alone.

    accuracy is ten-fold, as for LFW; tar_at_far_1pct the true-accept rate at a false-accept rate of 1 %; threshold the
    cosine similarity from which on that rate is kept.
    """
    if np.all(same) or not np.any(same):
        return {}
    curve = roc(similarities, same)
    accepted, threshold = curve.at(FAR)
    return {
        "roc_auc": curve.area,
        "accuracy": fold_accuracy(similarities, same),
        "tar_at_far_1pct": accepted,
        "threshold": threshold,
    }


def fold_accuracy(similarities: npt.NDArray[Any], same: npt.NDArray[Any], folds: int = FOLDS) -> float:
    """Share of pairs told right, each fold by the threshold that is best for the others (Huang et al. 2007, LFW).

    Pair number i is in fold i modulo `folds`.
    """
    scores, genuine = np.asarray(similarities, np.float64), np.asarray(same, bool)
    fold = np.arange(len(scores)) % folds
    right = 0
    for number in range(min(folds, len(scores))):
        held_out = fold == number
        threshold = _best_threshold(scores[~held_out], genuine[~held_out])
        right += int(np.sum((scores[held_out] >= threshold) == genuine[held_out]))
    return right / len(scores)


def _best_threshold(scores: Floats, genuine: npt.NDArray[np.bool_]) -> float:
    if genuine.all() or not genuine.any():
        return -np.inf if genuine.all() and len(genuine) else np.inf
    curve, positives = roc(scores, genuine), int(genuine.sum())
    right = curve.true_accepts * positives + (1 - curve.false_accepts) * (len(genuine) - positives)
    return float(curve.thresholds[int(right.argmax())])


def verification_pairs(identities: npt.NDArray[Any], limit: int = MAX_PAIRS) -> npt.NDArray[np.int64]:
    """Pairs to verify, int64 [pairs, 3]: two indices and whether they are of one identity (1) or two (0).

    All pairs where there are at most `limit`; else a sample, half of it of one identity, drawn from fixed seeds.
    """
    labels = np.asarray(identities)
    count = len(labels)
    if count * (count - 1) // 2 <= limit:
        first, second = np.triu_indices(count, 1)
    else:
        first, second = (
            np.concatenate(parts)
            for parts in zip(_genuine(labels, limit // 2), _impostors(labels, limit // 2), strict=True)
        )
    return np.stack([first, second, labels[first] == labels[second]], axis=1).astype(np.int64)


def _genuine(labels: npt.NDArray[Any], count: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Pairs of one identity, none twice."""
    random = np.random.default_rng(1)
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    several = np.where(sizes > 1, sizes, 0)
    if not several.any():
        return order[:0], order[:0]
    group = random.choice(len(sizes), count, p=several / several.sum())
    first = random.integers(0, sizes[group])
    second = (first + random.integers(1, sizes[group])) % sizes[group]
    return _unique(order[starts[group] + first], order[starts[group] + second])


def _impostors(labels: npt.NDArray[Any], count: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Pairs of two identities, none twice."""
    first, second = np.random.default_rng(2).integers(0, len(labels), (2, count))
    differ = labels[first] != labels[second]
    return _unique(first[differ], second[differ])


def _unique(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Every pair once, whatever its order."""
    pairs = np.unique(np.sort(np.stack([first, second], axis=1), axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]
