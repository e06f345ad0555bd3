"""Splitting by the hash of a name: the same name lands in the same split, whatever else is added or removed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")

VALIDATION_SHARE = 0.1


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
    """(kept, held out): those with a place below `share` are held out, but no group is held out whole.

    When the data are so few that nothing falls below, the lowest of each group of two or more is held out.
    """
    groups: defaultdict[Hashable, list[T]] = defaultdict(list)
    for item in items:
        groups[group(item)].append(item)
    held: list[T] = []
    for members in groups.values():
        members.sort(key=lambda item: place(name(item)))
        held += [item for item in members[:-1] if place(name(item)) < share]
    if not held:
        held = [members[0] for members in groups.values() if len(members) > 1]
    out = {id(item) for item in held}
    kept = [item for members in groups.values() for item in members if id(item) not in out]
    return sorted(kept, key=name), sorted(held, key=name)
