"""A checked card from the samples of a task with a format of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.api.data import DataCard, DataSource, Split
from zoo.api.errors import BadSample, DataError
from zoo.api.problem import Json
from zoo.data.formats.bad_samples import note_bad, share_left_out
from zoo.data.formats.splits import hold_out

SPLIT_NAMES: Mapping[str, Split] = {
    "": "train",
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "test": "test",
}
"""What a table may call its splits; a row that names none is for training."""


def split_named(name: str | None) -> Split:
    """The split that a table calls so; ValueError for another name.

    Args:
        name: A word for a split: "train", "val", "validation", "test"; empty or None for train.

    Returns:
        "train", "validation" or "test".

    Raises:
        ValueError: The word means none of them.

    Examples:
        >>> zoo.split_named("val")
        'validation'
    """
    if (name or "") not in SPLIT_NAMES:
        raise ValueError(f"the split {name!r} is none of {', '.join(filter(None, SPLIT_NAMES))}")
    return SPLIT_NAMES[name or ""]


def make_card(
    source: DataSource,
    splits: Mapping[Split, Sequence[Any]],
    *,
    bad: Sequence[BadSample] = (),
    classes: Sequence[str] = (),
    facts: Mapping[str, Json] | None = None,
    accepted: str = "",
) -> DataCard:
    """The card of samples, each with a `name` that is unique, and a `repr` that says all of it.

    Bad samples are an error that lists them, or, where the user asked for it, left out and noted.  Where no split is
    for validation, about a tenth of train is held out by the hash of the names.  DataError with `accepted` for a hint
    where there is nothing to learn from.

    Args:
        source: Where the data are.
        splits: Samples by split.
        bad: What is wrong with the samples that are left out.
        classes: In the order of their indices.
        facts: What else a model is built for.
        accepted: The hint where there is nothing to learn from.

    Returns:
        The card, with train and validation, and the fingerprint of the samples.

    Raises:
        DataError: There is nothing to learn from, or a sample is bad and the user did not ask to skip it.

    Examples:
        >>> source = zoo.DataSource(request=zoo.DataRequest(source="mine"), format="table")
        >>> rows = [zoo.Row(f"row {i}", (0.0,), (float(i),)) for i in range(40)]
        >>> card = zoo.make_card(source, {"train": rows})
        >>> sum(len(samples) for samples in card.splits.values())
        40
    """
    where, notes = source.request.source, list[str]()
    if bad:
        total = len(bad) + sum(map(len, splits.values()))
        skip = source.request.on_bad_sample == "skip"
        share = share_left_out(where, bad, bad=len(bad), total=total, skip=skip)
        message = f"left out {len(bad)} bad samples ({share:.2%}), the first: {bad[0].where}: {bad[0].reason}"
        notes.append(note_bad(message, bad, what="bad samples", items=len(bad)))
    if not splits.get("train"):
        raise DataError(f"{where} has nothing to learn from", hint=accepted)
    kept = {split: list(samples) for split, samples in splits.items() if samples}
    if "validation" not in kept:
        kept["train"], kept["validation"] = hold_out(kept["train"], name=lambda one: one.name, group=lambda _: 0)
        notes.append(f"{len(kept['validation'])} of train were held out for validation, by the hash of their names")
    ordered = {split: tuple(sorted(samples, key=lambda sample: sample.name)) for split, samples in kept.items()}
    lines = [
        source.format,
        *classes,
        *(f"{split} {sample!r}" for split in sorted(ordered) for sample in ordered[split]),
    ]
    return DataCard(
        source=source,
        splits=ordered,
        classes=tuple(classes),
        facts=facts or {},
        fingerprint=hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest(),
        notes=tuple(notes),
    )
