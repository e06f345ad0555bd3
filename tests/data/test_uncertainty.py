"""Intervals and calibration, by numbers that can be checked by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from zoo.data.split_sums import accuracy, macro_f1
from zoo.data.uncertainty import Calibration, bootstrap, class_rows, mean_interval, wilson


@pytest.mark.parametrize(
    ("right", "items", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.27753279),
        (10, 10, 0.72246721, 1.0),
        (8, 10, 0.49016247, 0.94331785),
        (950, 1000, 0.93468618, 0.96186974),
    ],
)
def test_shares_have_the_interval_of_wilson(right: int, items: int, low: float, high: float) -> None:
    assert wilson(right, items) == pytest.approx((low, high), abs=1e-6)


def test_means_have_the_interval_of_their_standard_error() -> None:
    values = torch.tensor([1.0, 2.0, 3.0, 4.0])
    half = 1.959964 * math.sqrt(5 / 3) / 2
    assert mean_interval(10.0, float(values.square().sum()), 4) == pytest.approx((2.5 - half, 2.5 + half))
    assert all(math.isnan(end) for end in mean_interval(1.0, 1.0, 1))


def test_a_bootstrap_draws_the_same_items_every_time_and_agrees_with_wilson() -> None:
    matrix = torch.tensor([[450, 50], [50, 450]])
    interval = bootstrap(matrix, accuracy)
    assert interval == bootstrap(matrix, accuracy)
    assert interval == pytest.approx(wilson(900, 1000), abs=3e-3)
    low, high = bootstrap(matrix, macro_f1)
    assert low < macro_f1(matrix) < high
    assert all(math.isnan(end) for end in bootstrap(torch.zeros(2, 2, dtype=torch.int64), accuracy))


def test_calibration_is_the_distance_of_probability_and_share() -> None:
    calibration = Calibration()
    sure = math.log(0.9 / 0.1)
    logits = torch.tensor([[sure, 0.0]] * 10)
    calibration.add(logits, torch.tensor([0] * 6 + [1] * 4))  # says 0.9, right in 0.6
    assert calibration.total().error() == pytest.approx(0.3)
    calibration.add(torch.tensor([[0.0, math.log(0.7 / 0.3)]] * 10), torch.tensor([1] * 8 + [0] * 2))  # 0.7 and 0.8
    assert calibration.total().error() == pytest.approx(0.2)
    assert math.isnan(Calibration().total().error())


def test_calibration_is_a_picture_and_a_table(tmp_path: Path) -> None:
    calibration = Calibration()
    calibration.add(torch.tensor([[math.log(0.9 / 0.1), 0.0]] * 10), torch.tensor([0] * 6 + [1] * 4))
    picture, table = calibration.total().files(tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert table.read_text() == "probability,items,mean probability,right\n0.867 to 0.933,10,0.9000,0.6000\n"


def test_every_class_has_a_row_and_an_interval_where_it_has_items() -> None:
    rows = class_rows(torch.tensor([[8, 2], [0, 0]]), ("cat", "dog"))
    assert rows == [("cat", "10", "0.8000", "0.4902 to 0.9433", "1.0000"), ("dog", "0", "", "", "0.0000")]
