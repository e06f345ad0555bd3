"""From a listing of pictures with objects to a DataCard: every picture opened, every box held against its picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from zoo.data_card import DataCard, DataSource, Split
from zoo.errors import BadSample, DataError
from zoo.formats.annotated import left_out, listed_twice, split_up
from zoo.formats.bad_samples import failed
from zoo.formats.inspection import Facts, inspect_files
from zoo.formats.objects import Box, ObjectListing, ObjectRow, ObjectSample, Thing, object_fingerprint
from zoo.images.inspect import PICTURES
from zoo.task import Progress

SLACK: Final = 1.5
"""Pixels by which a box may leave its picture; it is cut there without a word, because rounding does that."""
MANY: Final = 0.9
"""From this share of inverted boxes on, it is the writing that is wrong and not the boxes."""


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
    turned = "turned" in str(facts["traits"])  # by an EXIF orientation
    problems: list[BadSample] = []
    if row.size is not None and row.size != (height, width):
        once = " once its EXIF orientation is applied" if turned and row.size == (width, height) else ""
        reason = f"it is {width} x {height} pixels{once}, its annotation says {row.size[1]} x {row.size[0]}"
        fix = "annotate the upright picture, or save it without EXIF" if once else "correct the annotation's sides"
        problems.append(BadSample(row.name, reason, fix))
    boxes, labels = [], []
    for thing in row.things:
        box = _in_pixels(thing.box, height, width) if listing.relative else thing.box
        outside = max(-box[0], -box[1], box[2] - width, box[3] - height)
        if outside > SLACK and not problems:
            reason = _outside(thing, box, row.name, height, width, turned=turned)
            problems.append(BadSample(thing.where, reason, "correct the box"))
        kept = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))
        boxes.append(kept)
        labels.append(listing.classes.index(thing.label))
    sample = ObjectSample(row.name, tuple(boxes), tuple(labels), (height, width), size=size)
    return (None if problems else sample), problems


def _outside(thing: Thing, box: Box, name: str, height: int, width: int, *, turned: bool) -> str:
    shown = ", ".join(f"{value:g}" for value in box)
    fits = turned and box[2] <= height + SLACK and box[3] <= width + SLACK
    before = "; it would fit before the EXIF orientation is applied" if fits else ""
    return f"the {thing.label} at ({shown}) leaves {name}, which is {width} x {height} pixels{before}"


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
