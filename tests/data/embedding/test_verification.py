"""Rates, area, accuracy and pairs, by hand and against a kept library."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_auroc

from zoo.data.embedding.verification import fold_accuracy, roc, verification_pairs


def test_the_curve_of_five_pairs_by_hand() -> None:
    curve = roc(np.array([0.9, 0.8, 0.7, 0.6, 0.1]), np.array([1, 1, 0, 1, 0]))
    assert curve.false_accepts.tolist() == [0, 0, 0, 0.5, 0.5, 1]
    assert np.allclose(curve.true_accepts, [0, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert curve.area == pytest.approx(5 / 6)  # of six (same, different) pairs one is the wrong way round
    assert curve.at(0.0) == pytest.approx((2 / 3, 0.75))
    assert curve.at(0.49) == pytest.approx((2 / 3, 0.75))
    assert curve.at(0.5) == pytest.approx((1.0, 0.35))


def test_ties_count_half() -> None:
    curve = roc(np.array([0.5, 0.5, 0.5, 0.5]), np.array([1, 0, 1, 0]))
    assert curve.area == 0.5
    assert curve.at(0.01) == (0.0, 0.75)
    assert curve.at(1.0) == (1.0, -0.25)


def test_the_area_is_that_of_torchmetrics() -> None:
    random = np.random.default_rng(0)
    same = random.integers(0, 2, 500)
    scores = np.round(random.uniform(-1, 1, 500) + 0.3 * same, 2)  # with ties
    expected = float(binary_auroc(torch.sigmoid(torch.from_numpy(scores)), torch.from_numpy(same)))
    assert roc(scores, same).area == pytest.approx(expected, abs=1e-6)


def test_a_curve_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="pairs of two"):
        roc(np.array([0.1, 0.2]), np.array([1, 1]))


def test_accuracy_takes_each_threshold_from_the_other_folds() -> None:
    scores = np.array([0.9, 0.1, 0.8, 0.2])
    assert fold_accuracy(scores, np.array([1, 0, 1, 0]), folds=2) == 0.0  # either fold has one kind only
    assert fold_accuracy(np.repeat(scores, 2), np.array([1, 1, 0, 0, 1, 1, 0, 0]), folds=2) == 1.0


def test_few_identities_give_every_pair() -> None:
    assert verification_pairs(np.array([4, 4, 7])).tolist() == [[0, 1, 1], [0, 2, 0], [1, 2, 0]]


def test_many_give_half_of_either_kind_always_alike() -> None:
    labels = np.arange(400) // 4
    pairs = verification_pairs(labels, limit=1000)
    assert np.array_equal(pairs, verification_pairs(labels, limit=1000))
    assert len(np.unique(pairs[:, :2], axis=0)) == len(pairs)
    assert np.array_equal(pairs[:, 2] == 1, labels[pairs[:, 0]] == labels[pairs[:, 1]])
    assert 300 <= pairs[:, 2].sum() <= 500
    assert (pairs[:, 0] != pairs[:, 1]).all()
