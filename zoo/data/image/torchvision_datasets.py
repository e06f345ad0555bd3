"""Datasets that torchvision fetches by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from zoo.api.data import DataCard, DataSource, Split
from zoo.api.errors import DataError, NetworkError
from zoo.api.problem import Json
from zoo.data.formats.class_folders.checks import with_validation
from zoo.data.formats.class_folders.torchvision_names import NAMED
from zoo.data.formats.samples import Sample, fingerprint
from zoo.runs.cache import cache_root

FIRST: Final = 32
"""Pictures of a published dataset that are opened to see their size."""


def named_root(source: DataSource) -> Path:
    """Where the dataset lies or will lie."""
    return source.location or cache_root() / "datasets"


def named_card(source: DataSource, *, labelled: bool = True) -> DataCard:
    """The card of a published dataset; torchvision downloads what is absent and checks what it downloads."""
    splits: dict[Split, list[Sample]] = {"train": [], "validation": [], "test": []}
    classes: tuple[str, ...] = ()
    for split in NAMED[_name(source)].parts:
        data = open_part(source, split, download=True)
        labels = _labels(data) if labelled else [-1] * len(data)
        if split == "train" and labelled:
            classes = _classes(data, labels)
        splits[split] = [Sample(f"{split}/{index}", label, index) for index, label in enumerate(labels)]
    done, notes = with_validation(splits, ratios=source.request.ratios)
    return DataCard(
        source=source,
        splits=done,
        classes=classes,
        facts=_facts(data),
        fingerprint=fingerprint(source.request.source, classes, done),
        notes=(*notes, "a published dataset is taken as it is: its pictures were not checked one by one"),
    )


def _facts(data: Any) -> dict[str, Json]:
    """Channels of the first picture, and the range of sizes of the first few."""
    first = [data[index][0] for index in range(min(FIRST, len(data)))]
    widths, heights = zip(*(picture.size for picture in first), strict=True)
    return {
        "channels": 1 if first[0].mode in ("1", "L") else 3,
        "height": [min(heights), max(heights)],
        "width": [min(widths), max(widths)],
    }


def open_part(source: DataSource, split: Split, *, download: bool = False) -> Any:
    """One part as torchvision's own dataset object; items are (picture, label)."""
    from torchvision import datasets  # noqa: PLC0415  a second of import, wanted for named datasets only

    name, root = _name(source), named_root(source)
    _refuse_pickles(name, root)
    parts = NAMED[name].parts
    # validation that was held out of train lies in the train part
    opened = partial(getattr(datasets, name), root, **parts.get(split, parts["train"]))
    try:
        return opened(download=False)
    except (RuntimeError, OSError) as error:
        if not download or os.environ.get("ZOO_OFFLINE", "") not in ("", "0"):
            raise DataError(
                f"{name} is not in {root}", hint="say where it is with --data-root, or unset ZOO_OFFLINE to download it"
            ) from error
    try:
        root.mkdir(parents=True, exist_ok=True)
        return opened(download=True)
    except (RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())
        raise NetworkError(
            f"{name} could not be fetched into {root}: {reason}",
            hint="try again later, or say with --data-root where it lies already",
        ) from error


def _name(source: DataSource) -> str:
    return source.request.source.partition(":")[2]


def _refuse_pickles(name: str, root: Path) -> None:
    """torchvision reads an old form of MNIST, made of pickles without a hash, when it finds it."""
    old = root / name / "processed"
    if old.is_dir() and any(old.glob("*.pt")):
        raise DataError(f"{old} holds an old form of {name} that is not safe to read", hint="remove that folder")


def _labels(data: Any) -> list[int]:
    for attribute in ("targets", "labels", "_labels"):
        labels = getattr(data, attribute, None)
        if labels is not None:
            return [int(label) for label in labels]
    samples = getattr(data, "_samples", None)
    if samples is not None:
        return [int(label) for _, label in samples]
    return [int(data[index][1]) for index in range(len(data))]


def _classes(data: Any, labels: Sequence[int]) -> tuple[str, ...]:
    names = getattr(data, "classes", None)
    if names is None:
        return tuple(str(number) for number in range(max(labels) + 1))
    return tuple(name if isinstance(name, str) else ", ".join(cast(Sequence[str], name)) for name in names)
