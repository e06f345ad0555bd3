"""Every vector becomes a direction, and none becomes NaN."""

from __future__ import annotations

import torch

from zoo.data.embedding.postprocess import UnitLength, unit_length


def test_rows_have_length_one() -> None:
    assert torch.equal(unit_length(torch.tensor([[3.0, 4.0], [0.0, -2.0]])), torch.tensor([[0.6, 0.8], [0.0, -1.0]]))


def test_a_vector_of_zeros_stays_one() -> None:
    assert torch.equal(UnitLength()(torch.zeros(1, 3)), torch.zeros(3))
