"""The files of a checked card copied into another layout, under names that no two of them share."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from zoo.api.data import DataCard, Split
from zoo.api.errors import UsageError

FOLDERS: Final[Mapping[Split, str]] = {"train": "train", "validation": "val", "test": "test"}
"""What the folder of a split is called."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One sample and the name of its file in the new layout."""

    split: Split
    sample: Any
    name: str
    """A bare file name with its suffix; no other has the same stem."""

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem


def copies(card: DataCard) -> Iterator[Copy]:
    """Every sample of a card with its new name: its own where no other has the same stem, else its whole path."""
    samples = [(split, sample) for split, items in card.splits.items() for sample in items]
    flat = distinct([sample.name for _, sample in samples])
    for (split, sample), name in zip(samples, flat, strict=True):
        yield Copy(split, sample, name)


def distinct(paths: Sequence[str]) -> list[str]:
    """A bare file name for each path, all of different stems in any case."""
    counts = Counter(PurePosixPath(path).stem.lower() for path in paths)
    names = []
    taken: set[str] = set()
    for path in map(PurePosixPath, paths):
        stem = path.stem if counts[path.stem.lower()] == 1 else "_".join(path.with_suffix("").parts)
        stem = "_".join(stem.split())  # lists of names end one at a space
        name, number = stem, 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name.lower())
        names.append(name + path.suffix)
    return names


def copy_file(card: DataCard, name: str, target: Path) -> None:
    """The file of a sample as it is; UsageError for embedded data, which have no files."""
    root = card.root or card.source.location
    if root is None:
        source = card.source.request.source
        raise UsageError(f"{source} is embedded or published data: there are no files to convert")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / name, target)
