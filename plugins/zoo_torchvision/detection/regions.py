"""Which proposals a two-stage detector selects, and which it could select within noise.

A selection by score, overlap and number is a step: of two nearly equal proposals, single and double precision may
select different ones.  `choose` selects; `possible` gives every proposal that could be selected within given errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torchvision
from torch import Tensor

MAX_CANDIDATE_FACTOR: Final = 2
"""In an empty picture thousands of proposals are nearly equal: more than this many times the usual number are not
analysed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The parameters of a selection (Ren et al. 2015, section 3.3)."""

    levels: tuple[int, ...]
    """How many anchors each level of the pyramid has."""
    candidates: int
    """Proposals of each level that take part, those with the highest scores."""
    overlap: float
    """The NMS IoU limit within a level."""
    smallest: float
    """Least side in pixels."""
    least: float = -math.inf
    """Least score."""
    regions: int
    """Proposals that are selected at most, over all levels."""

    @property
    def room(self) -> int:
        """The largest number of proposals that can be selected."""
        return min(self.regions, sum(min(self.candidates, count) for count in self.levels))

    def spans(self) -> Iterator[tuple[int, int]]:
        """First anchor and number of anchors of each level."""
        first = 0
        for count in self.levels:
            yield first, count
            first += count


def choose(scores: Tensor, boxes: Tensor, choice: Choice) -> Tensor:
    """scores [anchors] and boxes [anchors, 4] -> anchors int64 [room] in rising order, -1 where there are no more."""
    remaining = torch.full_like(scores, -torch.inf)
    for first, count in choice.spans():
        best, indices = scores[first : first + count].topk(min(choice.candidates, count))
        kept = torch.ops.torchvision.nms(boxes[first : first + count][indices], best, choice.overlap)
        remaining = remaining.scatter(0, indices[kept] + first, best[kept])
    sides = (boxes[:, 2:] - boxes[:, :2]).amin(1)
    out = (sides < choice.smallest) | (scores < choice.least)
    ranked, selected = remaining.masked_fill(out, -torch.inf).topk(choice.room)
    # what was not selected gets the largest index, so that sorting puts it last
    selected = torch.where(ranked > -torch.inf, selected, len(scores)).sort().values
    return torch.where(selected < len(scores), selected, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """The proposals that could be selected."""

    anchors: Tensor
    """int64 [k], rising: selected for some errors within the bounds."""
    certain: Tensor
    """bool [k]: selected for all errors within the bounds."""


def possible(scores: Tensor, boxes: Tensor, choice: Choice, *, off: Sequence[float]) -> Possible | None:
    """Every proposal that could be selected if scores are off by up to `off[0]` and edges by up to `off[1]` pixels;
    None where there are too many to analyse.

    A proposal is certainly selected, certainly suppressed, or neither.  It is certainly selected where no possible
    proposal may suppress it, and certainly suppressed where a certain proposal certainly suppresses it.
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
    if len(anchors) > MAX_CANDIDATE_FACTOR * choice.room:
        return None
    return Possible(anchors=anchors, certain=(must & (before < choice.room))[anchors])


def _at_least(marks: Tensor, scores: Tensor) -> Tensor:
    """For each mark the number of scores that are at least as high."""
    return len(scores) - torch.searchsorted(scores.sort().values, marks)


def _above(marks: Tensor, scores: Tensor) -> Tensor:
    """For each mark the number of scores that are higher."""
    return len(scores) - torch.searchsorted(scores.sort().values, marks, right=True)


def _surviving(scores: Tensor, boxes: Tensor, choice: Choice, *, off: Sequence[float]) -> tuple[Tensor, Tensor]:
    """For one level, bool [anchors] twice: which proposals may survive NMS, and which certainly do."""
    least = scores.topk(min(choice.candidates, len(scores))).values[-1]
    indices = (scores >= least - 2 * off[0]).nonzero().squeeze(1)
    may, must = torch.zeros_like(scores, dtype=torch.bool), torch.zeros_like(scores, dtype=torch.bool)
    may[indices] = True
    if len(indices) > MAX_CANDIDATE_FACTOR * choice.candidates:
        return may, must
    # the last candidate is certain to take part where nothing outside comes near it
    beyond = int((scores >= least - 2 * off[0]).sum()) > choice.candidates
    taking_part = scores[indices] > least + 2 * off[0] if beyond else torch.ones_like(indices, dtype=torch.bool)
    could, does = _suppresses(scores[indices], boxes[indices], choice.overlap, off=off)
    some, sure = torch.ones_like(taking_part), torch.zeros_like(taking_part)
    while True:
        surer = taking_part & ~(could & some[:, None]).any(0)
        fewer = ~(does & surer[:, None]).any(0)
        if torch.equal(surer, sure) and torch.equal(fewer, some):
            break
        some, sure = fewer, surer
    may[indices], must[indices] = some, sure
    return may, must


def _suppresses(scores: Tensor, boxes: Tensor, overlap: float, *, off: Sequence[float]) -> tuple[Tensor, Tensor]:
    """bool [k, k] twice: whether the row may suppress the column, and whether it certainly does."""
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
