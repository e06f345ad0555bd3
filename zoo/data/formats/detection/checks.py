"""From a listing of pictures with objects to a DataCard: every picture opened, every box held against its picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from zoo.api.data import DataCard, DataNote, DataSource, Split, counted
from zoo.api.errors import BadSample, DataError
from zoo.api.problem import Json
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
from zoo.data.formats.duplicates import double_notes, leak_notes
from zoo.data.formats.inspection import Facts, inspect_files
from zoo.data.formats.pictures.decoded import DecodedPictures
from zoo.data.formats.pictures.inspect import PICTURES, keeping, lies_on_its_side
from zoo.data.formats.samples import origins_of

SLACK: Final = 1.5
"""Pixels by which a box may leave its picture; it is cut there silently, because rounding does that."""
LARGEST_SHARE: Final = 1.01
"""Where no box in pixels reaches further, the numbers are shares of the picture's sides."""
INVERTED_SHARE: Final = 0.9
"""From this share of inverted boxes on, it is the writing that is wrong and not the boxes."""
UPRIGHT: Final = "annotate the upright picture, or save it without EXIF"
"""What to do where the annotation is of the picture as it lies in the file."""


def check_objects(source: DataSource, listing: ObjectListing, *, progress: Progress) -> DataCard:
    """The card of a listing; DataError with every problem, those of the annotations before any picture is opened."""
    where = source.location or Path(source.request.source)
    problems = [*listing.problems, *listed_twice(listing.rows, repeats=listing.repeats)]
    if not problems:
        problems = _written(listing)
    if problems:
        raise failed(where, problems, hint="nothing was trained, and the pictures were not looked into yet")
    if all(annotation.ignored for row in listing.rows for annotation in row.annotations):
        raise DataError(
            f"{where} frames no object in any of its {counted(len(listing.rows), 'picture')}",
            hint="see that the annotations lie where they belong, and were exported with the pictures",
        )
    skip = source.request.on_bad_sample == "skip"
    names = [row.name for row in listing.rows]
    kept = DecodedPictures()
    look = keeping(kept).inspect
    seen = inspect_files(listing.root, names, look, version=PICTURES.version, progress=progress, stop_early=not skip)
    problems = list(seen.problems)
    samples: dict[str, ObjectSample] = {}
    for row in listing.rows:
        if row.name in seen.facts:
            sample, wrong = _sample(row, listing, seen.facts[row.name], size=seen.sizes[row.name])
            problems += wrong
            if sample is not None:
                samples[row.name] = sample
    notes = [*source.notes, *listing.notes, *left_out(where, problems, total=len(names), skip=skip)]
    splits, more = split_up(
        listing.rows, samples, group=lambda item: len(item.labels) > 0, ratios=source.request.ratios
    )
    contents = {split: [(item.name, item.content) for item in items] for split, items in splits.items()}
    notes += [*more, *_notes(splits, listing.classes)]
    notes += [*leak_notes(contents, word="pictures"), *double_notes(contents, word="pictures")]
    facts = {
        **PICTURES.summarise(seen.facts.values()),
        "fullest": max(len(sample.labels) for sample in samples.values()),
        "object_share": _object_share(samples.values()),
    }
    return DataCard(
        source=source,
        splits=splits,
        classes=listing.classes,
        facts=facts,
        fingerprint=object_fingerprint(source.format, listing.classes, splits),
        former_fingerprint=object_fingerprint(source.format, listing.classes, splits, by_size=True),
        notes=tuple(notes),
        root=listing.root,
        origins=origins_of(listing.origins, splits),
        decoded=kept,
    )


def _object_share(samples: Iterable[ObjectSample]) -> Json:
    """The smaller side of a small object, as a share of its picture's side: nine in ten objects are larger."""
    shares = sorted(
        min((bottom - top) / sample.sides[0], (right - left) / sample.sides[1])
        for sample in samples
        for left, top, right, bottom in sample.boxes
    )
    return round(shares[len(shares) // 10], 5) if shares else None


def _written(listing: ObjectListing) -> list[BadSample]:
    """Boxes that no picture could hold, whatever its size."""
    boxes = [(annotation, _wrong(annotation.box)) for row in listing.rows for annotation in row.annotations]
    if not listing.relative and len(boxes) > 1 and all(max(annotation.box) <= LARGEST_SHARE for annotation, _ in boxes):
        shown = ", ".join(f"{value:g}" for value in boxes[0][0].box)
        reason = (
            f"its box ({shown}), as that of every other, is less than a pixel: these look like shares of the picture"
        )
        fix = "write boxes in pixels: multiply x and width by the picture's width, y and height by its height"
        return [BadSample(boxes[0][0].where, reason, fix)]
    inverted = sum(_is_inverted(annotation.box) for annotation, _ in boxes)
    habit = ""
    if inverted >= INVERTED_SHARE * len(boxes) / 2 and len(boxes) > 1:
        habit = f"; {inverted / len(boxes):.0%} of the boxes are so, which looks like x, y, width, height"
    return [
        BadSample(annotation.where, wrong + (habit if _is_inverted(annotation.box) else ""), "write the box anew")
        for annotation, wrong in boxes
        if wrong
    ]


def _is_inverted(box: Box) -> bool:
    return box[2] < box[0] or box[3] < box[1]


def _wrong(box: Box) -> str:
    left, top, right, bottom = box
    shown = ", ".join(f"{value:g}" for value in box)
    if not all(math.isfinite(value) for value in box):
        return f"its box ({shown}) is not finite"
    if _is_inverted(box):
        return f"its box ({shown}) ends before it begins"
    return f"its box ({shown}) has no area" if right == left or bottom == top else ""


def _sample(
    row: ObjectRow, listing: ObjectListing, facts: Facts, *, size: int
) -> tuple[ObjectSample | None, list[BadSample]]:
    height, width = int(str(facts["height"])), int(str(facts["width"]))
    problems = list(_doubled(row))
    numbers = {name: number for number, name in enumerate(listing.classes)}
    if row.size is not None and row.size != (height, width):
        problems.append(_mismatched(row.name, row.size, listing.root / row.name, (height, width)))
    boxes: list[Box] = []
    labels: list[int] = []
    ignored: list[tuple[Box, int]] = []
    for annotation in row.annotations:
        box = _in_pixels(annotation.box, height, width) if listing.relative else annotation.box
        if not _fits(box, height, width) and not problems:
            problems.append(_outside(annotation, box, row, listing, (height, width)))
        kept = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(width)), min(box[3], float(height)))
        label = numbers[annotation.label]
        if annotation.ignored:
            ignored.append((kept, label))
        else:
            boxes.append(kept)
            labels.append(label)
    sample = ObjectSample(
        name=row.name,
        boxes=tuple(boxes),
        labels=tuple(labels),
        sides=(height, width),
        size=size,
        content=str(facts["sha256"]),
        ignored=tuple(ignored),
    )
    return (None if problems else sample), problems


def _doubled(row: ObjectRow) -> Iterator[BadSample]:
    """A problem for boxes of a picture that are written twice: one of the two is never found, and counts as missed."""
    first: dict[tuple[str, Box], BoxAnnotation] = {}
    twice = [
        (annotation, earlier)
        for annotation in row.annotations
        if (earlier := first.setdefault((annotation.label, annotation.box), annotation)) is not annotation
    ]
    if twice:
        annotation, earlier = twice[0]
        shown = ", ".join(f"{value:g}" for value in annotation.box)
        more = f"; {len(twice)} boxes of {row.name} are so" if len(twice) > 1 else ""
        reason = f"the {annotation.label} at ({shown}) is framed already by {earlier.where}{more}"
        yield BadSample(annotation.where, reason, "keep one of the two")


def _mismatched(name: str, claimed: tuple[int, int], path: Path, sides: tuple[int, int]) -> BadSample:
    """Another size in the annotation; EXIF is to blame only where the file has it turned."""
    height, width = sides
    turned = claimed == (width, height) and lies_on_its_side(path)
    once = " once its EXIF orientation is applied" if turned else ""
    reason = f"it is {width} x {height} pixels{once}, its annotation says {claimed[1]} x {claimed[0]}"
    return BadSample(name, reason, UPRIGHT if turned else "correct width and height")


def _outside(
    annotation: BoxAnnotation, box: Box, row: ObjectRow, listing: ObjectListing, sides: tuple[int, int]
) -> BadSample:
    """A box that leaves its picture; EXIF is to blame only where the file has it turned."""
    height, width = sides
    # Shares of a picture leave it whichever way it lies, so that only pixels can be those of the other way.
    lying = not listing.relative and _fits(box, width, height) and lies_on_its_side(listing.root / row.name)
    shown = ", ".join(f"{value:g}" for value in box)
    turned = "; it would fit before the EXIF orientation is applied" if lying else ""
    reason = f"the {annotation.label} at ({shown}) leaves {row.name}, which is {width} x {height} pixels{turned}"
    return BadSample(annotation.where, reason, UPRIGHT if lying else "correct the box")


def _fits(box: Box, height: int, width: int) -> bool:
    return max(-box[0], -box[1], box[2] - width, box[3] - height) <= SLACK


def _in_pixels(box: Box, height: int, width: int) -> Box:
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def _notes(splits: Mapping[Split, Sequence[ObjectSample]], classes: Sequence[str]) -> list[str]:
    notes: list[str] = []
    empty = sum(not sample.labels and not sample.ignored for items in splits.values() for sample in items)
    if empty:
        shows = counted(empty, "picture shows", "pictures show")
        notes.append(DataNote(f"{shows} none of the classes; they teach what is background", items=empty))
    for split, items in splits.items():
        if split != "train" and not any(sample.labels for sample in items):
            message = f"{split} shows no object: nothing can be measured on it"
            notes.append(DataNote(message, kind="empty", items=len(items)))
    learnt = {label for sample in splits["train"] for label in sample.labels}
    unseen = [name for number, name in enumerate(classes) if number not in learnt]
    if unseen:
        message = f"{counted(len(unseen), 'class is', 'classes are')} in no training picture, such as {unseen[0]!r}"
        notes.append(DataNote(message, kind="missing-class", items=len(unseen), examples=unseen[:5]))
    return notes
