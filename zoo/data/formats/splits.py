"""Splitting by the hash of a name: the same name lands in the same split, whatever else is added or removed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from zoo.api.data import Split
from zoo.api.errors import DataError, UsageError

T = TypeVar("T")
Ratios = tuple[float, float, float]
"""Shares of train, validation and test."""

VALIDATION_SHARE: Final = 0.1
FEW: Final = 100
"""A group of fewer items gives its whole share, whatever their hashes."""
ROUNDING: Final = 1e-6
"""What three ratios may differ from 1 by."""


def place(name: str) -> float:
    """A number in [0, 1) that depends on the name alone and has nothing to do with what it means."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def hold_out(
    items: Iterable[T],
    *,
    name: Callable[[T], str],
    group: Callable[[T], Hashable],
    share: float = VALIDATION_SHARE,
) -> tuple[list[T], list[T]]:
    """(kept, held out): those with a hash below `share`, and of a group of few at least that share; no group whole.

    When the data are so few that this is nothing, the lowest of each group of two or more is held out.

    Args:
        items: What is divided.
        name: The name of an item; its hash decides.
        group: The group of an item, as its class.
        share: Of the items, 0 to 1.

    Returns:
        Two lists, the same ones for the same names on every machine.

    Examples:
        >>> kept, held = zoo.hold_out([f"{i}.jpg" for i in range(100)], name=str, group=lambda item: 0, share=0.1)
        >>> len(kept) + len(held), 0 < len(held) < 25
        (100, True)
    """
    groups: defaultdict[Hashable, list[T]] = defaultdict(list)
    for item in items:
        groups[group(item)].append(item)
    held: list[T] = []
    for members in groups.values():
        members.sort(key=lambda item: place(name(item)))
        count = sum(place(name(item)) < share for item in members)
        if len(members) < FEW:  # where chance alone could leave half of the share
            count = max(count, round(share * len(members)))
        while 0 < count < len(members) and place(name(members[count])) == place(name(members[count - 1])):
            count += 1  # items of one name stay together
        held += members[: min(count, len(members) - 1)]
    if not held:
        held = [members[0] for members in groups.values() if len(members) > 1]
    held += _missing(groups.values(), held, name=name, share=share)
    out = {id(item) for item in held}
    kept = [item for members in groups.values() for item in members if id(item) not in out]
    return sorted(kept, key=name), sorted(held, key=name)


def _missing(groups: Iterable[list[T]], held: Sequence[T], *, name: Callable[[T], str], share: float) -> list[T]:
    """What many small groups together still owe of the share: their next lowest, which are not their last."""
    members = list(groups)
    count = sum(map(len, members))
    owed = round(share * count) - len(held)
    if count >= FEW or owed <= 0:
        return []
    out = {id(item) for item in held}
    rest = [[item for item in group if id(item) not in out] for group in members]
    spare = sorted((item for group in rest for item in group[:-1]), key=lambda item: place(name(item)))
    return spare[:owed]


def divided(
    splits: Mapping[Split, Sequence[T]],
    *,
    ratios: Ratios | None,
    name: Callable[[T], str],
    group: Callable[[T], Hashable],
    noun: str,
    by: str = "hash of their names",
) -> tuple[dict[Split, tuple[T, ...]], list[str]]:
    """The splits that have items, and what must be said; validation is held out of train where the source has none.

    `ratios` says how much, for testing as well; UsageError where the source has these splits itself.
    """
    every: dict[Split, list[T]] = {split: list(splits.get(split, ())) for split in ("train", "validation", "test")}
    notes = []
    shares = check_ratios(ratios)
    if ratios and any(every[split] for split in shares):
        own = " and ".join(split for split in shares if every[split])
        raise UsageError(f"--ratios divides what has no splits, and the data have a {own} split", hint="leave it out")
    total, left = len(every["train"]), 1.0
    for split, share in shares.items():
        if every[split]:
            continue
        kept, held = hold_out(every["train"], name=name, group=group, share=share / left)
        if not held:
            raise DataError(f"there are too few {noun} to hold any out for {split}", hint="add more")
        every |= {"train": kept, split: held}
        left -= share
        notes.append(f"{len(held):,} of {total:,} {noun} were held out for {split}, by the {by}")
    return {split: tuple(items) for split, items in every.items() if items}, notes


def check_ratios(ratios: Ratios | None) -> dict[Split, float]:
    """What to hold out for validation and testing; UsageError unless the shares are positive and add up to 1."""
    if ratios is None:
        return {"validation": VALIDATION_SHARE}
    train, validation, test = ratios
    if min(train, validation) <= 0 or test < 0 or abs(train + validation + test - 1) > ROUNDING:
        shown = ",".join(f"{ratio:g}" for ratio in ratios)
        raise UsageError(f"--ratios {shown} is no division of the data", hint="such as 0.8,0.1,0.1: they add up to 1")
    shares: dict[Split, float] = {"test": test, "validation": validation}
    return {split: share for split, share in shares.items() if share}
