"""Which proposals are selected: the same as in torchvision, and which ones certainly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.plugins.two_stage_networks import SIZE, small_network
from zoo_torchvision.detection.regions import Choice, choose, possible

CHOICE = Choice(levels=(4, 2), candidates=3, overlap=0.5, smallest=1.0, regions=3)
BOXES = torch.tensor(
    [[0.0, 0, 10, 10], [0, 1, 10, 11], [20, 0, 30, 10], [40, 0, 50, 10], [0, 0, 10, 10], [60, 0, 60.5, 9]],
    dtype=torch.float64,
)
SCORES = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5, 0.95], dtype=torch.float64)
FIRM = (1e-6, 1e-6)


def chosen(scores: Tensor, choice: Choice = CHOICE, boxes: Tensor = BOXES) -> list[int]:
    return choose(scores, boxes, choice).tolist()


def bounds(scores: Tensor, choice: Choice = CHOICE, *, off: tuple[float, float] = FIRM) -> dict[int, bool]:
    found = possible(scores, BOXES, choice, off=off)
    assert found is not None
    return dict(zip(found.anchors.tolist(), found.certain.tolist(), strict=True))


def test_each_level_chooses_for_itself_and_all_of_them_the_best() -> None:
    # 1 lies on 0, 3 is no candidate, 4 stands in another level, 5 is too narrow
    assert chosen(SCORES) == [0, 2, 4]
    assert bounds(SCORES) == {0: True, 2: True, 4: True}


def test_where_there_are_fewer_the_rest_is_empty() -> None:
    assert chosen(SCORES, replace(CHOICE, regions=5)) == [0, 2, 4, -1, -1]
    assert replace(CHOICE, regions=9).room == 5


def test_of_equals_that_overlap_either_may_stay() -> None:
    tie = SCORES.clone()
    tie[1] = 0.9 - 1e-7
    assert chosen(tie) == [0, 2, 4]
    assert bounds(tie, replace(CHOICE, regions=4)) == {0: False, 1: False, 2: True, 4: True}
    # both are counted, so that of three the last is not certain either
    assert bounds(tie) == {0: False, 1: False, 2: True, 4: False}


def test_the_last_one_in_and_the_first_one_out_are_ties_where_they_are_equal() -> None:
    tie = SCORES.clone()
    tie[4] = 0.7 + 1e-7
    assert bounds(tie, replace(CHOICE, regions=2)) == {0: True, 2: False, 4: False}


def test_so_is_the_last_candidate_of_a_level() -> None:
    tie = SCORES.clone()
    tie[3] = 0.7 - 1e-7
    assert bounds(tie, replace(CHOICE, regions=4)) == {0: True, 2: False, 3: False, 4: True}


def test_what_scores_too_little_is_not_looked_into() -> None:
    assert chosen(SCORES, replace(CHOICE, least=0.6)) == [0, 2, -1]
    assert bounds(SCORES, replace(CHOICE, least=0.6)) == {0: True, 2: True}
    assert bounds(SCORES, replace(CHOICE, least=0.7 + 1e-7)) == {0: True, 2: False}


def test_an_overlap_at_the_limit_is_a_tie() -> None:
    at = float(9 / 11)  # of the boxes 0 and 1; the third region is either 1 or 4
    assert bounds(SCORES, replace(CHOICE, overlap=at)) == {0: True, 1: False, 2: True, 4: False}
    assert bounds(SCORES, replace(CHOICE, overlap=at + 0.01)) == {0: True, 1: True, 2: True}


def test_where_everything_is_equal_nothing_can_be_said() -> None:
    equal = torch.full((90,), 0.5, dtype=torch.float64)
    boxes = torch.arange(90, dtype=torch.float64)[:, None] * 20 + torch.tensor([0.0, 0, 10, 10], dtype=torch.float64)
    choice = Choice(levels=(90,), candidates=20, overlap=0.5, smallest=1.0, regions=10)
    assert possible(equal, boxes, choice, off=FIRM) is None


def test_no_shift_within_the_bounds_leads_out_of_them() -> None:
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(60, 2, generator=generator, dtype=torch.float64) * 40
    boxes = torch.cat([corners, corners + 8 + 12 * torch.rand(60, 2, generator=generator, dtype=torch.float64)], dim=1)
    scores = torch.rand(60, generator=generator, dtype=torch.float64)
    choice = Choice(levels=(40, 20), candidates=15, overlap=0.4, smallest=1.0, regions=12)
    off = (0.01, 0.05)
    found = possible(scores, boxes, choice, off=off)
    assert found is not None
    may, must = set(found.anchors.tolist()), set(found.anchors[found.certain].tolist())
    seen = set()
    for _ in range(200):
        moved = scores + off[0] * (2 * torch.rand(60, generator=generator, dtype=torch.float64) - 1)
        shifted = boxes + off[1] * (2 * torch.rand(60, 4, generator=generator, dtype=torch.float64) - 1)
        one = set(choose(moved, shifted, choice).tolist()) - {-1}
        assert must <= one <= may
        seen.add(tuple(sorted(one)))
    assert len(seen) > 2, "the shifts do lead to other choices"


def test_the_regions_are_torchvisions() -> None:
    network = small_network(classes=3, regions=40)
    assert network.choice.least == pytest.approx(math.log(0.3 / 0.7))
    images = torch.randn(1, 3, *SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        scores, boxes = network.proposed(images)
        each = [scores.reshape(-1, 1)[first : first + count] for first, count in network.choice.spans()]
        expected, _ = network.network.rpn.filter_proposals(
            boxes, torch.cat(each), [SIZE], [count for _, count in network.choice.spans()]
        )
    actual = choose(scores[0], boxes[0], network.choice)
    actual = boxes[0][actual[actual >= 0]]
    assert sorted(map(tuple, actual.tolist())) == sorted(map(tuple, expected[0].tolist()))
