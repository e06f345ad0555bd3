"""What listings of annotated pictures have in common, be it objects or masks: names, bad pictures, splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from zoo.api.data import Split
from zoo.api.errors import BadSample, DataError
from zoo.data.formats.bad_samples import note_bad, share_left_out
from zoo.data.formats.splits import Ratios, divided


class PictureRow(Protocol):
    """One picture of a listing."""

    @property
    def name(self) -> str:
        """The path below the listing's root, with slashes."""

    @property
    def split(self) -> Split | None:
        """Where the source puts it, if it says so."""


class PictureSample(Protocol):
    """One picture of a split."""

    @property
    def name(self) -> str:
        """As its row has it."""


S = TypeVar("S", bound=PictureSample)


def listed_twice(rows: Iterable[PictureRow], *, repeats: bool = False) -> Iterator[BadSample]:
    """A problem for every picture that stands in more than one row; with `repeats` in more than one of a split."""
    for (name, _), count in Counter((row.name, row.split if repeats else None) for row in rows).items():
        if count > 1:
            yield BadSample(name, f"it is listed {count} times", "keep one entry")


def left_out(where: object, problems: Sequence[BadSample], *, total: int, skip: bool) -> list[str]:
    """A sentence on the pictures that were left out as asked; DataError with every problem otherwise."""
    if not problems:
        return []
    bad = len({problem.where for problem in problems})
    share = share_left_out(where, problems, bad=bad, total=total, skip=skip)
    return [note_bad(f"left out {bad} bad pictures ({share:.2%}) as asked", problems, what="bad pictures", items=bad)]


def split_up(
    rows: Iterable[PictureRow],
    samples: Mapping[str, S],
    *,
    group: Callable[[S], Hashable],
    ratios: Ratios | None = None,
) -> tuple[dict[Split, tuple[S, ...]], list[str]]:
    """The samples of every split in the order of their names, and what must be said about it.

    Where no row is for validation, a tenth of each group of train (or as `ratios` say) is held out by the hash of its
    name.
    """
    splits: dict[Split, list[S]] = {"train": [], "validation": [], "test": []}
    for row in sorted(rows, key=lambda row: row.name):
        if row.name in samples:
            splits[row.split or "train"].append(samples[row.name])
    if not splits["train"]:
        raise DataError("there are no pictures to train on", hint="one split must be called train, or --train names it")
    return divided(splits, ratios=ratios, name=lambda item: item.name, group=group, noun="pictures")
