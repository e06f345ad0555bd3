"""From a listing of pictures with masks to a DataCard: both opened, held against each other and against the classes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from zoo.api.data import DataCard, DataNote, DataSource, Split, counted
from zoo.api.errors import BadSample, DataError
from zoo.api.problem import Json
from zoo.api.task import Progress
from zoo.data.formats.annotated import left_out, listed_twice, split_up
from zoo.data.formats.bad_samples import failed
from zoo.data.formats.duplicates import double_notes, leak_notes
from zoo.data.formats.inspection import Facts, Inspection, inspect_files
from zoo.data.formats.masks.coding import Codings, classes_in, find_codings
from zoo.data.formats.masks.index_mask import MASK_FIX, VERSION, drawn_mask, inspect_mask
from zoo.data.formats.masks.masks import PLAIN, MaskCoding, MaskListing, MaskRow, MaskSample, Shape, mask_fingerprint
from zoo.data.formats.pictures.inspect import PICTURES
from zoo.data.formats.samples import origins_of

FEW_USED: Final = 0.5
MAX_UNNAMED_CLASSES: Final = 10
"""Where nothing names more than ten classes and the masks use fewer than half of the numbers, these are grey levels."""


def check_masks(source: DataSource, listing: MaskListing, *, progress: Progress) -> DataCard:
    """The card of a listing; DataError with every problem, those of names before any file is opened."""
    where = source.location or Path(source.request.source)
    problems = [*listing.problems, *listed_twice(listing.rows, repeats=listing.repeats)]
    if problems:
        raise failed(where, problems, hint="nothing was trained, and the pictures were not looked into yet")
    if not listing.rows:
        raise DataError(f"{where} has no picture with a mask")
    skip = source.request.on_bad_sample == "skip"
    names = [row.name for row in listing.rows]
    masks = [row.mask for row in listing.rows if row.mask]
    seen = inspect_files(
        listing.root, names, PICTURES.inspect, version=PICTURES.version, progress=progress, stop_early=not skip
    )
    maps = inspect_files(listing.root, masks, inspect_mask, version=VERSION, progress=progress, stop_early=not skip)
    codings = find_codings(where, listing, maps.facts)
    problems = [*seen.problems, *(replace(problem, fix=MASK_FIX) for problem in maps.problems), *codings.problems]
    unread = {problem.where for problem in codings.problems}
    classes = codings.classes or _numbered(where, maps.facts, codings)
    samples: dict[str, MaskSample] = {}
    used: dict[str, set[int]] = {}
    for row in listing.rows:
        if row.name in seen.facts and (not row.mask or row.mask in maps.facts) and row.mask not in unread:
            facts = maps.facts.get(row.mask, {})
            sample = _sample(row, seen, facts, codings.of.get(row.mask, PLAIN))
            values, wrong = _held_against(row, sample, facts, classes)
            problems += wrong
            if not wrong:
                samples[row.name], used[row.name] = replace(sample, present=tuple(sorted(values))), values
    notes = [*source.notes, *listing.notes, *codings.notes, *left_out(where, problems, total=len(names), skip=skip)]
    if not any(used.values()):
        raise DataError(f"the masks of {where} leave every pixel open (255)", hint="write class numbers into them")
    splits, more = split_up(listing.rows, samples, group=lambda _: 0, ratios=source.request.ratios)
    notes += more + _notes(splits, used, classes, named=bool(codings.classes))
    contents = {split: [(item.name, item.picture) for item in items] for split, items in splits.items()}
    notes += [*leak_notes(contents, word="pictures"), *double_notes(contents, word="pictures")]
    return DataCard(
        source=source,
        splits=splits,
        classes=classes,
        facts={
            **PICTURES.summarise(seen.facts[name] for name in samples),
            "object_share": _object_share(maps.facts[sample.mask] for sample in samples.values() if sample.mask),
        },
        fingerprint=mask_fingerprint(source.format, classes, splits),
        former_fingerprint=mask_fingerprint(source.format, classes, splits, by_size=True),
        notes=tuple(notes),
        root=listing.root,
        origins=origins_of(listing.origins, splits),
    )


def _object_share(masks: Iterable[Facts]) -> Json:
    """The side of small regions as a share of a mask's side: in nine of ten masks they are larger."""
    shares = sorted(share for facts in masks if isinstance(share := facts.get("object_share"), float))
    return shares[len(shares) // 10] if shares else None


def _sample(row: MaskRow, seen: Inspection, mask: Facts, coding: MaskCoding) -> MaskSample:
    """The sample of a row whose picture and mask (facts, or none) were looked into."""
    facts = seen.facts[row.name]
    sides = int(str(facts["height"])), int(str(facts["width"]))
    return MaskSample(
        name=row.name,
        mask=row.mask,
        shapes=in_pixels(row.shapes, sides) if row.relative else row.shapes,
        sides=sides,
        size=seen.sizes[row.name],
        content=str(mask["sha256"]) if row.mask else "",
        picture=str(facts["sha256"]),
        coding=coding,
    )


def _numbered(where: object, masks: Mapping[str, Facts], codings: Codings) -> tuple[str, ...]:
    """Classes called by their numbers, where nothing names them; DataError when the numbers are none of classes."""
    used: set[int] = set().union(*(classes_in(facts, codings.of[name]) for name, facts in masks.items()))
    hint = "number the classes 0, 1, 2, … in the masks, or name them all, one a line, in classes.txt"
    if used and max(used) >= MAX_UNNAMED_CLASSES and len(used) < FEW_USED * (max(used) + 1):
        shown = ", ".join(map(str, sorted(used)[:8])) + (", …" if len(used) > 8 else "")
        raise DataError(f"the masks in {where} hold the numbers {shown}, which look like grey levels", hint=hint)
    return tuple(f"class {number}" for number in range(max(used, default=-1) + 1))


def in_pixels(shapes: Sequence[Shape], sides: tuple[int, int]) -> tuple[Shape, ...]:
    """Polygons whose corners are shares of a picture's sides, in its pixels."""
    height, width = sides
    return tuple(
        (
            label,
            json.dumps([[value * (height if at % 2 else width) for at, value in enumerate(part)] for part in parts]),
        )
        for label, parts in ((label, json.loads(region)) for label, region in shapes)
    )


def _held_against(
    row: MaskRow, sample: MaskSample, facts: Facts, classes: Sequence[str]
) -> tuple[set[int], list[BadSample]]:
    """The classes in a sample's mask, and what does not fit."""
    height, width = sample.sides
    if not row.mask:
        return _drawn(row, sample)
    claimed = int(str(facts["height"])), int(str(facts["width"]))
    if claimed != (height, width):
        turned = ", turned by the picture's EXIF orientation" if claimed == (width, height) else ""
        reason = f"it is {claimed[1]} x {claimed[0]} pixels{turned}, its picture {row.name} is {width} x {height}"
        return set(), [BadSample(row.mask, reason, "save both at the same size, upright")]
    values = classes_in(facts, sample.coding)
    unknown = sorted(value for value in values if value >= len(classes))
    if unknown:
        shown = ", ".join(map(str, unknown[:5])) + (", …" if len(unknown) > 5 else "")
        reason = f"it holds {shown}: none of the {len(classes)} classes, and not 255, which leaves a pixel open"
        return set(), [BadSample(row.mask, reason, "correct the mask, or name the class in the file of classes")]
    return values, []


def _drawn(row: MaskRow, sample: MaskSample) -> tuple[set[int], list[BadSample]]:
    """The classes of regions that can be drawn on their picture."""
    height, width = sample.sides
    if row.size is not None and row.size != (height, width):
        turned = " once its EXIF orientation is applied" if row.size == (width, height) else ""
        reason = f"it is {width} x {height} pixels{turned}, its annotation says {row.size[1]} x {row.size[0]}"
        return set(), [BadSample(row.name, reason, "annotate the upright picture, or save it without EXIF")]
    try:
        drawn_mask(sample.shapes, height, width)
    except ValueError as error:
        return set(), [BadSample(row.name, f"a segmentation of it is wrong: {error}", "write it anew")]
    return {0, *(label for label, _ in row.shapes)}, []


def _notes(
    splits: Mapping[Split, Sequence[MaskSample]], used: Mapping[str, set[int]], classes: Sequence[str], *, named: bool
) -> list[str]:
    notes: list[str] = []
    if not named:
        notes.append("nothing names the classes; they are called by their numbers (a name a line in classes.txt)")
    empty = sum(not used[sample.name] for items in splits.values() for sample in items)
    if empty:
        message = counted(empty, "mask leaves", "masks leave")
        message += " every pixel open (255); nothing is learnt from them"
        notes.append(DataNote(message, kind="empty", items=empty))
    learnt = set().union(*(used[sample.name] for sample in splits["train"]))
    unseen = [name for number, name in enumerate(classes) if number not in learnt]
    if unseen:
        message = f"{counted(len(unseen), 'class is', 'classes are')} in no training mask, such as {unseen[0]!r}"
        notes.append(DataNote(message, kind="missing-class", items=len(unseen), examples=unseen[:5]))
    return notes
