"""Which of many proposed regions a two-stage detector looks into, and which of near-equal ones it might as well.

A choice by score, overlap and number is a step: of two regions as good as each other, single and double precision may
take either.  `choose` is the choice; `possible` says what it could have been, had every number been a little off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torchvision
from torch import Tensor

CROWDED: Final = 2
"""Where nothing is to be seen, thousands are as good as each other: above so many times the usual number they are not
told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The numbers of a choice (Ren et al. 2015, section 3.3)."""

    levels: tuple[int, ...]
    """How many anchors each level of the pyramid has."""
    candidates: int
    """The best so many of each level take part."""
    overlap: float
    """Of two in one level that overlap by more (intersection over union), the better stays."""
    smallest: float
    """Least side in pixels."""
    least: float = -math.inf
    """Least score."""
    regions: int
    """The best so many of what stays, over all levels."""

    @property
    def room(self) -> int:
        """How many can be chosen at most."""
        return min(self.regions, sum(min(self.candidates, count) for count in self.levels))

    def spans(self) -> Iterator[tuple[int, int]]:
        """First anchor and number of anchors of each level."""
        first = 0
        for count in self.levels:
            yield first, count
            first += count


def choose(scores: Tensor, boxes: Tensor, choice: Choice) -> Tensor:
    """scores [anchors] and boxes [anchors, 4] -> anchors int64 [room] in rising order, -1 where there are no more."""
    standing = torch.full_like(scores, -torch.inf)
    for first, count in choice.spans():
        best, places = scores[first : first + count].topk(min(choice.candidates, count))
        kept = torch.ops.torchvision.nms(boxes[first : first + count][places], best, choice.overlap)
        standing = standing.scatter(0, places[kept] + first, best[kept])
    sides = (boxes[:, 2:] - boxes[:, :2]).amin(1)
    out = (sides < choice.smallest) | (scores < choice.least)
    ranked, found = standing.masked_fill(out, -torch.inf).topk(choice.room)
    # beyond the last anchor stands what was not chosen, so that rising order puts it last
    found = torch.where(ranked > -torch.inf, found, len(scores)).sort().values
    return torch.where(found < len(scores), found, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """What could have been chosen."""

    anchors: Tensor
    """int64 [k], rising: chosen in one way or another."""
    certain: Tensor
    """bool [k]: chosen in every way."""


def possible(scores: Tensor, boxes: Tensor, choice: Choice, *, off: Sequence[float]) -> Possible | None:
    """All choices that scores off by `off[0]` and edges off by `off[1]` pixels, at most, could lead to; None where
    they are too many to look at.

    Three answers instead of two: a region is certainly in, certainly out, or neither.  One is certainly in where
    nothing that may be in may remove it, and certainly out where something that is certainly in certainly does.
    """
    may, must = torch.zeros_like(scores, dtype=torch.bool), torch.zeros_like(scores, dtype=torch.bool)
    for first, count in choice.spans():
        span = slice(first, first + count)
        may[span], must[span] = _surviving(scores[span], boxes[span], choice, off=off)
    sides = (boxes[:, 2:] - boxes[:, :2]).amin(1)
    may &= (sides >= choice.smallest - 2 * off[1]) & (scores >= choice.least - off[0])
    must &= (sides >= choice.smallest + 2 * off[1]) & (scores >= choice.least + off[0])
    before = _at_least(scores - 2 * off[0], scores[may]) - 1  # without itself
    ahead = _above(scores + 2 * off[0], scores[must])
    anchors = (may & (ahead < choice.room)).nonzero().squeeze(1)
    if len(anchors) > CROWDED * choice.room:
        return None
    return Possible(anchors=anchors, certain=(must & (before < choice.room))[anchors])


def _at_least(marks: Tensor, scores: Tensor) -> Tensor:
    """Per mark how many of the scores reach it."""
    return len(scores) - torch.searchsorted(scores.sort().values, marks)


def _above(marks: Tensor, scores: Tensor) -> Tensor:
    """Per mark how many of the scores exceed it."""
    return len(scores) - torch.searchsorted(scores.sort().values, marks, right=True)


def _surviving(scores: Tensor, boxes: Tensor, choice: Choice, *, off: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Of one level, bool [anchors] twice: what may survive the suppression, what must."""
    least = scores.topk(min(choice.candidates, len(scores))).values[-1]
    places = (scores >= least - 2 * off[0]).nonzero().squeeze(1)
    may, must = torch.zeros_like(scores, dtype=torch.bool), torch.zeros_like(scores, dtype=torch.bool)
    may[places] = True
    if len(places) > CROWDED * choice.candidates:
        return may, must
    # the last candidate is certain to take part where nothing outside comes near it
    beyond = int((scores >= least - 2 * off[0]).sum()) > choice.candidates
    taking_part = scores[places] > least + 2 * off[0] if beyond else torch.ones_like(places, dtype=torch.bool)
    could, does = _suppresses(scores[places], boxes[places], choice.overlap, off=off)
    some, sure = torch.ones_like(taking_part), torch.zeros_like(taking_part)
    while True:
        surer = taking_part & ~(could & some[:, None]).any(0)
        fewer = ~(does & surer[:, None]).any(0)
        if torch.equal(surer, sure) and torch.equal(fewer, some):
            break
        some, sure = fewer, surer
    may[places], must[places] = some, sure
    return may, must


def _suppresses(scores: Tensor, boxes: Tensor, overlap: float, *, off: Sequence[float]) -> tuple[Tensor, Tensor]:
    """bool [k, k] twice: the row may suppress the column, the row certainly does."""
    shared = torchvision.ops.box_iou(boxes, boxes)
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6)
    # an edge that moves by e changes the overlap of two boxes by e over the side of the smaller one, about
    change = 4 * off[1] * (1 / sides).sum(1)
    slack = torch.maximum(change[:, None], change[None])
    ahead = scores[:, None] - scores[None]
    could = (shared > overlap - slack) & (ahead >= -2 * off[0])
    does = (shared > overlap + slack) & (ahead > 2 * off[0])
    could.fill_diagonal_(False)
    return could, does
