"""From a listing of pictures with objects to a DataCard: every picture opened, every box held against its picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from zoo.api.data import DataCard, DataSource, Split
from zoo.api.errors import BadSample, DataError
from zoo.api.task import Progress
from zoo.data.formats.annotated import left_out, listed_twice, split_up
from zoo.data.formats.bad_samples import failed
from zoo.data.formats.detection.objects import (
    Box,
    BoxAnnotation,
    ObjectListing,
    ObjectRow,
    ObjectSample,
    object_fingerprint,
)
from zoo.data.formats.inspection import Facts, inspect_files
from zoo.data.formats.pictures.inspect import PICTURES, lies_on_its_side

SLACK: Final = 1.5
"""Pixels by which a box may leave its picture; it is cut there without a word, because rounding does that."""
MANY: Final = 0.9
"""From this share of inverted boxes on, it is the writing that is wrong and not the boxes."""
UPRIGHT: Final = "annotate the upright picture, or save it without EXIF"
"""What to do where the annotation is of the picture as it lies in the file."""


def check_objects(source: DataSource, listing: ObjectListing, *, progress: Progress) -> DataCard:
    """The card of a listing; DataError with every problem, those of the annotations before any picture is opened."""
    where = source.location or Path(source.request.source)
    problems = [*listing.problems, *listed_twice(listing.rows)]
    if not problems:
        problems = _written(listing)
    if problems:
        raise failed(where, problems, hint="nothing was trained, and the pictures were not looked into yet")
    if not any(row.things for row in listing.rows):
        raise DataError(f"{where} frames no object in any of its {len(listing.rows)} pictures")
    skip = source.request.on_bad_sample == "skip"
    names = [row.name for row in listing.rows]
    seen = inspect_files(
        listing.root, names, PICTURES.inspect, version=PICTURES.version, progress=progress, stop_early=not skip
    )
    problems = list(seen.problems)
    samples: dict[str, ObjectSample] = {}
    for row in listing.rows:
        if row.name in seen.facts:
            found, wrong = _sample(row, listing, seen.facts[row.name], size=seen.sizes[row.name])
            problems += wrong
            if found is not None:
                samples[row.name] = found
    notes = [*listing.notes, *left_out(where, problems, total=len(names), skip=skip)]
    splits, more = split_up(listing.rows, samples, group=lambda item: len(item.labels) > 0)
    notes += more + _notes(splits, listing.classes)
    facts = {
        **PICTURES.summarise(seen.facts.values()),
        "fullest": max(len(sample.labels) for sample in samples.values()),
    }
    return DataCard(
        source=source,
        splits=splits,
        classes=listing.classes,
        facts=facts,
        fingerprint=object_fingerprint(source.format, listing.classes, splits),
        notes=tuple(notes),
    )


def _written(listing: ObjectListing) -> list[BadSample]:
    """Boxes that no picture could hold, whatever its size."""
    things = [thing for row in listing.rows for thing in row.things]
    inverted = [thing for thing in things if thing.box[2] < thing.box[0] or thing.box[3] < thing.box[1]]
    habit = ""
    if len(inverted) >= MANY * len(things) / 2 and len(things) > 1:
        habit = f"; {len(inverted) / len(things):.0%} of the boxes are so, which looks like x, y, width, height"
    return [
        BadSample(thing.where, _wrong(thing.box) + (habit if thing in inverted else ""), "write the box anew")
        for thing in things
        if _wrong(thing.box)
    ]


def _wrong(box: Box) -> str:
    left, top, right, bottom = box
    shown = ", ".join(f"{value:g}" for value in box)
    if not all(math.isfinite(value) for value in box):
        return f"its box ({shown}) is not finite"
    if right < left or bottom < top:
        return f"its box ({shown}) ends before it begins"
    return f"its box ({shown}) has no area" if right == left or bottom == top else ""


def _sample(
    row: ObjectRow, listing: ObjectListing, facts: Facts, *, size: int
) -> tuple[ObjectSample | None, list[BadSample]]:
    height, width = int(str(facts["height"])), int(str(facts["width"]))
    problems: list[BadSample] = []
    if row.size is not None and row.size != (height, width):
        problems.append(_mismatched(row.name, row.size, listing.root / row.name, (height, width)))
    boxes, labels = [], []
    for thing in row.things:
        box = _in_pixels(thing.box, height, width) if listing.relative else thing.box
        if not _fits(box, height, width) and not problems:
            problems.append(_outside(thing, box, row, listing, (height, width)))
        kept = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))
        boxes.append(kept)
        labels.append(listing.classes.index(thing.label))
    sample = ObjectSample(row.name, tuple(boxes), tuple(labels), (height, width), size=size)
    return (None if problems else sample), problems


def _mismatched(name: str, claimed: tuple[int, int], path: Path, sides: tuple[int, int]) -> BadSample:
    """Another size in the annotation; EXIF is to blame only where the file has it turned."""
    height, width = sides
    turned = claimed == (width, height) and lies_on_its_side(path)
    once = " once its EXIF orientation is applied" if turned else ""
    reason = f"it is {width} x {height} pixels{once}, its annotation says {claimed[1]} x {claimed[0]}"
    return BadSample(name, reason, UPRIGHT if turned else "correct width and height")


def _outside(
    thing: BoxAnnotation, box: Box, row: ObjectRow, listing: ObjectListing, sides: tuple[int, int]
) -> BadSample:
    """A box that leaves its picture; EXIF is to blame only where the file has it turned."""
    height, width = sides
    # Shares of a picture leave it whichever way it lies, so that only pixels can be those of the other way.
    lying = not listing.relative and _fits(box, width, height) and lies_on_its_side(listing.root / row.name)
    shown = ", ".join(f"{value:g}" for value in box)
    turned = "; it would fit before the EXIF orientation is applied" if lying else ""
    reason = f"the {thing.label} at ({shown}) leaves {row.name}, which is {width} x {height} pixels{turned}"
    return BadSample(thing.where, reason, UPRIGHT if lying else "correct the box")


def _fits(box: Box, height: int, width: int) -> bool:
    return max(-box[0], -box[1], box[2] - width, box[3] - height) <= SLACK


def _in_pixels(box: Box, height: int, width: int) -> Box:
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def _notes(splits: Mapping[Split, Sequence[ObjectSample]], classes: Sequence[str]) -> list[str]:
    notes = []
    empty = sum(not sample.labels for items in splits.values() for sample in items)
    if empty:
        notes.append(f"{empty:,} pictures show none of the classes; they teach what is background")
    learnt = {label for sample in splits["train"] for label in sample.labels}
    unseen = [name for number, name in enumerate(classes) if number not in learnt]
    if unseen:
        notes.append(f"{len(unseen)} classes are in no training picture, such as {unseen[0]!r}")
    return notes
