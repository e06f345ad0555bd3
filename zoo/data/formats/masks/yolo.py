"""Classes of pixels in YOLO's text files: a polygon a line, in shares of the picture's sides."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.api.data import DataRequest
from zoo.api.errors import BadSample
from zoo.api.formats import FormatMatch
from zoo.data.formats.detection.yolo_settings import YAML, yolo_source
from zoo.data.formats.detection.yolo_txt import YoloLine, read_pictures
from zoo.data.formats.masks.coco import BACKGROUND
from zoo.data.formats.masks.masks import MaskListing, MaskRow, Shape


def detect_yolo_masks(path: Path, *, request: DataRequest) -> FormatMatch | None:  # noqa: ARG001  every format's
    """A .yaml file, or a folder that has one."""
    if path.is_file():
        return FormatMatch(location=path) if path.suffix.lower() in YAML else None
    source = yolo_source(path)
    return FormatMatch(location=source) if source is not None and source.is_file() else None


def list_yolo_masks(file: Path, *, request: DataRequest | None = None) -> MaskListing:
    """Every picture of a dataset with its polygons; class 0 is what none of them covers."""
    pictures = read_pictures(file, request)
    names = tuple(name for name in pictures.dataset.classes if name != BACKGROUND)
    classes = (BACKGROUND, *names)
    problems = list(pictures.problems)
    rows: list[MaskRow] = []
    for name, split, lines in pictures.rows:
        problems += [
            BadSample(
                line.where, "it frames a box and has no outline", "outline it, or train a detector with these data"
            )
            for line in lines
            if not line.polygon
        ]
        polygons = sorted((line for line in lines if line.polygon), key=_extent, reverse=True)
        numbers = [classes.index(pictures.dataset.classes[line.label]) for line in polygons]
        shapes: tuple[Shape, ...] = tuple(
            (number, json.dumps([line.shares])) for number, line in zip(numbers, polygons, strict=True)
        )
        rows.append(MaskRow(name=name, shapes=shapes, relative=True, split=split))
    return MaskListing(
        root=pictures.dataset.root,
        rows=rows,
        classes=classes,
        problems=problems,
        notes=pictures.notes,
        repeats=pictures.repeats,
        origins=pictures.origins,
    )


def _extent(line: YoloLine) -> float:
    """The area of a polygon's frame: the smaller lies before the larger."""
    left, top, right, bottom = line.box
    return (right - left) * (bottom - top)
