"""The sweep: which models, in which order, and which of them are done already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import Literal

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput
from zoo.api.specs import ModelSpec
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo_export.sweep.rows import SUFFIX, SweepRow, append_row, read_rows
from zoo_export.sweep.supervise import SweepLimits, Worker

Again = Literal["none", "unproved", "all"]
"""Which models that have a row are done again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A part of the models: number `index` of `count`, counted from 1."""

    index: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """ "3/16"; UsageError for anything else."""
        index, slash, count = text.partition("/")
        if slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count):
            return cls(index=int(index), count=int(count))
        raise UsageError(f"--shard is {text!r}; it must look like 3/16: the third of sixteen parts")

    @property
    def file(self) -> str:
        """The name of its file of rows."""
        return f"rows{SUFFIX}" if self.count == 1 else f"rows-{self.index:04}-of-{self.count:04}{SUFFIX}"


def sweep(
    models: Sequence[str],
    folder: Path,
    *,
    shard: Shard | None = None,
    seed: int = 0,
    limits: SweepLimits | None = None,
    threads: int = 1,
    again: Again = "none",
    say: Callable[[SweepRow], None] = lambda _: None,
) -> tuple[SweepRow, ...]:
    """The rows of these models, in their order; what `folder` has rows of is done again only where `again` says so.

    Each row is written as soon as it is known, so that a sweep that was ended goes on where it was.
    """
    shard = shard or Shard()
    mine = [model for index, model in enumerate(models) if index % shard.count == shard.index - 1]
    done = {} if again == "all" or not folder.is_dir() else read_rows([folder])
    rows = {model: done[model] for model in mine if model in done and (done[model].proved or again != "unproved")}
    with Worker(limits or SweepLimits(), threads=threads) as worker:
        for model in mine:
            if model in rows:
                continue
            row = replace(worker.row(model, seed=seed), written=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
            append_row(folder / shard.file, row)
            rows[model] = row
            say(row)
    return tuple(rows[model] for model in mine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which models are swept; what is empty leaves all."""

    plugin: str = ""
    task: str = ""
    """Full name."""
    family: str = ""
    max_params: int | None = None
    per_family: int | None = None
    """So many of each family of each plugin, the smallest."""

    def takes(self, entry: RegistryEntry[ModelSpec], *, task: str) -> bool:
        """Whether a model of this task is one of them, as far as it alone tells."""
        return (
            self.plugin in ("", entry.plugin.name)
            and self.task in ("", task)
            and self.family in ("", entry.spec.family)
            and (self.max_params is None or (entry.spec.parameters or 0) <= self.max_params)
        )


def sweepable(catalog: Catalog, pattern: str, selection: Selection | None = None) -> tuple[str, ...]:
    """The full names of the models that can be exported untrained, the smallest first; those that cannot are left out.

    A part of another model is proved with that model, and one that is built from weights alone has none here.
    """
    selection = selection or Selection()
    entries = [
        entry
        for entry in catalog.models(pattern)
        if not entry.spec.not_available
        and not entry.spec.from_weights
        and selection.takes(entry, task=catalog.task(entry.spec.task).full_name)
    ]
    return tuple(entry.full_name for entry in _first(sorted(entries, key=_size), selection.per_family))


def _first(entries: list[RegistryEntry[ModelSpec]], per_family: int | None) -> Iterator[RegistryEntry[ModelSpec]]:
    """The first entries of each family, in their order; all where there is no limit."""
    counts: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        family = (entry.plugin.name, entry.spec.family)
        counts[family] += 1
        if per_family is None or counts[family] <= per_family:
            yield entry


def _size(entry: RegistryEntry[ModelSpec]) -> tuple[int, int, str]:
    """Parameters first; of models with as many, the one with the smaller picture."""
    pixels = prod(entry.spec.input.size) if isinstance(entry.spec.input, ImageInput) else 0
    return entry.spec.parameters or 0, pixels, entry.full_name
