"""Whether two sets of embeddings agree: by their directions, and by the pairs that they take for one identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from zoo.api.task import Agreement, Case
from zoo.data.agreement import shown_case
from zoo.data.embedding.verification import FAR, Floats, pair_similarities, roc, verification_pairs

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT: Final = "embedding"
MARGIN: Final = 10.0
"""A similarity is undecided where it is nearer to the threshold than this many times its own error bound."""
MIN_COSINE: Final = 1 - 1e-6
"""The smallest accepted cosine between the reference's embedding and the candidate's; less where eight times the
reference's own error turns it further."""
MAX_NOISE: Final = 1e-3
"""The largest error of a whole embedding that widens the accepted angle: above, PyTorch itself cannot tell."""
SHOWN: Final = 12

Indices = npt.NDArray[np.intp]


def agreement(
    reference: Sequence[Arrays],
    candidate: Sequence[Arrays],
    *,
    cases: Sequence[Case],
    noise: Mapping[str, float],
) -> Agreement:
    """An item agrees when its embedding keeps its direction and each of its pairs stays on its side of the threshold.

    The threshold is the reference's own at the stated false-accept rate, where the truths of the cases say which pairs
    are of one identity, else half-way between its middle similarities.  An item is undecided when only pairs inside
    their margin crossed it.  Of very many items, a sample of pairs is compared.
    """
    expected, actual = stacked(reference), stacked(candidate)
    cosines = _cosines(expected, actual)
    pairs = verification_pairs(_labels(cases))
    first, second, _ = pairs.T
    before, after = pair_similarities(expected, pairs), pair_similarities(actual, pairs)
    threshold = decision_threshold(expected, cases, default=_middle(before))
    margin = 2 * MARGIN * noise.get(OUTPUT, 0.0) * float(np.sqrt(expected.shape[1]))
    crossed = (before >= threshold) != (after >= threshold)
    decided = np.flatnonzero(crossed & (np.abs(before - threshold) > margin))
    turned = ~(cosines >= min_cosine(noise.get(OUTPUT, 0.0), expected.shape[1]))  # NaN has no direction
    wrong = turned | _in_pairs(first[decided], second[decided], len(cases))
    sentences = [(float(cosines[i]), _turn(cases[i], cosines[i])) for i in np.flatnonzero(turned).tolist()]
    for pair in decided[:SHOWN].tolist():
        names = f"{shown_case(cases[int(first[pair])])} and {shown_case(cases[int(second[pair])])}"
        moved = f"a similarity of {before[pair]:.6f} became {after[pair]:.6f}, across the threshold {threshold:.6f}"
        sentences.append((1.0, f"{names}: {moved}"))
    sentences.sort(key=lambda entry: entry[0])
    undecided = int(np.sum(_in_pairs(first[crossed], second[crossed], len(cases)) & ~wrong))
    return Agreement(
        items=len(cases),
        agreeing=len(cases) - int(wrong.sum()) - undecided,
        undecided=undecided,
        disagreements=tuple(sentence for _, sentence in sentences[:SHOWN]),
    )


def decision_threshold(embeddings: Floats, cases: Sequence[Case], *, default: float, far: float = FAR) -> float:
    """The smallest similarity at which a pair is taken for one identity; `default` where truths do not give it."""
    known = known_pairs(cases)
    if known is None:
        return default
    return roc(pair_similarities(embeddings, known), known[:, 2] == 1).at(far)[1]


def min_cosine(noise: float, length: int) -> float:
    """The smallest accepted cosine where each element of unit vectors of this length may be off by `noise`."""
    distance = 8 * min(noise * float(np.sqrt(length)), MAX_NOISE)
    return min(MIN_COSINE, 1 - distance**2 / 2)


def known_pairs(cases: Sequence[Case]) -> npt.NDArray[np.int64] | None:
    """Pairs of known truth, int64 [pairs, 3]: two indices, and 1 where they are of one identity; None of one kind."""
    known = np.array([index for index, case in enumerate(cases) if case.truth is not None], np.intp)
    pairs = verification_pairs(_labels([cases[index] for index in known.tolist()]))
    same = pairs[:, 2] == 1
    return None if same.all() or not same.any() else np.stack([*known[pairs[:, :2]].T, pairs[:, 2]], axis=1)


def _middle(values: Floats) -> float:
    """Half-way between the two middle values: unlike the median it is no value itself, which rounding could flip."""
    ordered = np.sort(values)
    return float(ordered[len(ordered) // 2 - 1 : len(ordered) // 2 + 1].mean()) if len(ordered) > 1 else 0.0


def _labels(cases: Sequence[Case]) -> Indices:
    """An integer for each truth; every unknown truth gets one of its own."""
    names = [f"case {index}" if case.truth is None else f"truth {case.truth}" for index, case in enumerate(cases)]
    return np.unique(np.array(names, str), return_inverse=True)[1]


def _in_pairs(first: Indices, second: Indices, count: int) -> npt.NDArray[np.bool_]:
    """Which of `count` items are in one of these pairs, bool [count]."""
    mask = np.zeros(count, bool)
    mask[first] = mask[second] = True
    return mask


def stacked(answers: Sequence[Arrays]) -> Floats:
    """The embeddings, float64 [answers, d]."""
    return np.stack([np.asarray(answer[OUTPUT], np.float64) for answer in answers])


def _cosines(expected: Floats, actual: Floats) -> Floats:
    """Row by row, from the distance of the unit vectors: a dot product of nearly equal vectors loses the difference."""
    distance = _directions(expected) - _directions(actual)
    return np.asarray(1 - (distance**2).sum(1) / 2)


def _directions(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _turn(case: Case, cosine: float) -> str:
    return f"{shown_case(case)}: the embedding has turned, its cosine with the reference's is {cosine:.6f}"
