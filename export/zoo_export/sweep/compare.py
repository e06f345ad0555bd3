"""Two sweeps side by side: what a new version broke, mended, or made slower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from zoo_export.sweep.rows import SweepRow

SLOWER: Final = 1.5
"""An export that takes so many times the CPU seconds is told."""
SLOWER_ANSWER: Final = 2.0
"""So is a file that takes so many times as long for an answer; one run's latency varies more than its CPU seconds."""
Kind = Literal["broken", "mended", "other verdict", "slower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One model whose rows differ."""

    model: str
    kind: Kind
    before: str
    after: str


def compare(old: Mapping[str, SweepRow], new: Mapping[str, SweepRow]) -> tuple[Change, ...]:
    """The changes of the models that both have, the broken ones first."""
    changes = [change for model in sorted(old.keys() & new.keys()) if (change := _change(old[model], new[model]))]
    order: tuple[Kind, ...] = ("broken", "mended", "other verdict", "slower")
    return tuple(sorted(changes, key=lambda change: order.index(change.kind)))


def in_one_alone(old: Mapping[str, SweepRow], new: Mapping[str, SweepRow]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The models with a row in the old sweep alone, and in the new one alone."""
    return tuple(sorted(old.keys() - new.keys())), tuple(sorted(new.keys() - old.keys()))


def version_changes(old: Mapping[str, SweepRow], new: Mapping[str, SweepRow]) -> tuple[str, ...]:
    """ "torch 2.10.0 -> 2.11.0" for each version that differs between any rows of both."""
    before, after = _versions(old), _versions(new)
    return tuple(
        f"{name} {' and '.join(sorted(before[name]))} -> {' and '.join(sorted(after[name]))}"
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    )


def _change(old: SweepRow, new: SweepRow) -> Change | None:
    if old.proved != new.proved:
        kind: Kind = "mended" if new.proved else "broken"
    elif old.verdict != new.verdict:
        kind = "other verdict"
    elif old.machine == new.machine and old.proved:
        before, after = _slower(old, new)
        return Change(model=new.model, kind="slower", before=before, after=after) if after else None
    else:
        return None
    return Change(model=new.model, kind=kind, before=_said(old), after=_said(new))


def _slower(old: SweepRow, new: SweepRow) -> tuple[str, str]:
    """What takes longer on the same machine, before and after; empty texts where nothing does."""
    sides = list[tuple[str, str]]()
    if new.cpu_seconds > SLOWER * old.cpu_seconds > 0:
        sides.append((f"{old.cpu_seconds:g} CPU s", f"{new.cpu_seconds:g} CPU s"))
    if new.latency_ms and old.latency_ms and new.latency_ms > SLOWER_ANSWER * old.latency_ms:
        sides.append((f"{old.latency_ms:g} ms", f"{new.latency_ms:g} ms"))
    return ", ".join(before for before, _ in sides), ", ".join(after for _, after in sides)


def _said(row: SweepRow) -> str:
    return f"{row.verdict}: {row.reason}" if row.reason else row.verdict


def _versions(rows: Mapping[str, SweepRow]) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for row in rows.values():
        for name, version in row.versions.items():
            versions.setdefault(name, set()).add(version)
    return versions
