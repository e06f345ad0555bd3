"""Whether the nearest of many embeddings is one of the same label, in numpy."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

ROWS_AT_A_TIME: Final = 1024
"""Embeddings that are compared with all others at a time, which bounds the memory."""


def nearest(embeddings: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """For each of the unit vectors [n, d] the index of its nearest neighbour, int64 [n]."""
    neighbours = []
    for start in range(0, len(embeddings), ROWS_AT_A_TIME):
        similar = embeddings[start : start + ROWS_AT_A_TIME] @ embeddings.T
        row = np.arange(len(similar))
        similar[row, start + row] = -np.inf  # none is its own neighbour
        neighbours.append(similar.argmax(1))
    return np.concatenate(neighbours).astype(np.int64)


def retrieval(embeddings: npt.NDArray[Any], labels: npt.NDArray[Any]) -> dict[str, float]:
    """retrieval_accuracy, cosine_same and cosine_other of unit vectors [n, d] with labels [n].

    The accuracy is the share of those items whose nearest other item has their label, among the items whose label
    another one has.  The cosines are means over all pairs of one label, and over all pairs of two.  A mean over nothing
    is left out.
    """
    values = np.asarray(embeddings, np.float64)
    _, group, sizes = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    findable = sizes[group] > 1
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, group, values)
    own = float((values**2).sum())
    same, every = float((sums**2).sum()) - own, float((sums.sum(0) ** 2).sum()) - own
    same_pairs, pairs = int((sizes * (sizes - 1)).sum()), len(values) * (len(values) - 1)
    metrics: dict[str, float] = {}
    if findable.any():
        hits = group[nearest(values)] == group
        metrics = {"retrieval_accuracy": float(hits[findable].mean()), "cosine_same": same / same_pairs}
    if pairs > same_pairs:
        metrics["cosine_other"] = (every - same) / (pairs - same_pairs)
    return metrics
