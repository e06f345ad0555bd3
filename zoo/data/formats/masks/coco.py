"""Classes of pixels in COCO's JSON: the segmentations of its annotations, polygons or run lengths."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from zoo.api.data import DataRequest
from zoo.api.errors import BadSample, DataError
from zoo.api.formats import FormatMatch
from zoo.data.formats.detection.coco import class_names, detect_coco, find_picture, origins_of_documents, read_documents
from zoo.data.formats.detection.coco_document import CocoAnnotation, CocoDocument, Id, is_number
from zoo.data.formats.masks.masks import MaskListing, MaskRow, Shape
from zoo.data.formats.picture_index import index_pictures

BACKGROUND: Final = "background"
MOST: Final = 255


def detect_regions(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """As for objects."""
    return detect_coco(path, request=request)


def list_regions(location: Path, *, request: DataRequest | None = None) -> MaskListing:
    """Every picture that one annotation file, or those of a folder, name; class 0 is what no region covers."""
    root, documents, notes = read_documents(location, request)
    names = class_names(documents)
    classes = (BACKGROUND, *(name for name in names if name != BACKGROUND))
    if len(classes) > MOST:
        raise DataError(f"{location} has {len(names)} categories; a mask tells at most {MOST} classes apart")
    numbers = {name: number for number, name in enumerate(classes)}
    index = index_pictures(root)
    rows: list[MaskRow] = []
    problems: list[BadSample] = []
    for document in documents:
        problems += document.problems
        regions = _regions(document, numbers, problems)
        for image in document.images:
            name = find_picture(root, document, image, index, problems)
            if name is not None:
                # the smaller lies before the larger, as a cup before a table
                drawn = tuple(shape for _, shape in sorted(regions[image.id], key=lambda region: -region[0]))
                rows.append(MaskRow(name=name, shapes=drawn, split=document.split, size=image.size))
    origins = origins_of_documents(root, documents)
    return MaskListing(root=root, rows=rows, classes=classes, problems=problems, notes=notes, origins=origins)


def _regions(
    document: CocoDocument, numbers: dict[str, int], problems: list[BadSample]
) -> defaultdict[Id, list[tuple[float, Shape]]]:
    """The regions of every image with their areas."""
    regions: defaultdict[Id, list[tuple[float, Shape]]] = defaultdict(list)
    for annotation in document.annotations:
        region = annotation.fields.get("segmentation")
        wrong = _wrong(region)
        if wrong is not None:
            problems.append(BadSample(annotation.where, *wrong))
            continue
        shape = (numbers[annotation.label], json.dumps(region, sort_keys=True))
        regions[annotation.image].append((_area(annotation, region), shape))
    return regions


def _wrong(region: Any) -> tuple[str, str] | None:
    """Reason and fix where a segmentation cannot be drawn."""
    if not region:
        return "it has a box but no segmentation", "outline it, or train a detector with these data"
    if isinstance(region, list):
        if not all(isinstance(part, list) and len(part) >= 6 and len(part) % 2 == 0 for part in region):
            return "a polygon of it has fewer than three corners", "write x, y, x, y, x, y, …"
        if not all(_is_number(value) for part in region for value in part):
            return "a corner of it is no number", "write x, y, x, y, x, y, …"
    elif not isinstance(region, dict) or not {"size", "counts"} <= region.keys():
        return "its segmentation is neither polygons nor run lengths", "write [[x, y, …]] or {size, counts}"
    elif not _are_runs(region["size"], region["counts"]):
        return "its run lengths are not whole numbers, or not of two sides", "write them anew with COCO's tools"
    return None


def _are_runs(size: Any, counts: Any) -> bool:
    """Whether run lengths have two sides, and are packed text or whole numbers."""
    lists = [size, *([] if isinstance(counts, str) else [counts])]
    if not all(isinstance(values, list) for values in lists) or len(size) != 2:
        return False
    return all(_is_number(value) and value >= 0 and value == int(value) for values in lists for value in values)


def _is_number(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def _area(annotation: CocoAnnotation, region: Any) -> float:
    """The area that the file says; else that of the frame around polygons."""
    area = annotation.fields.get("area")
    if area and _is_number(area):
        return float(area)
    if not isinstance(region, list):
        return 0.0
    xs, ys = [x for part in region for x in part[0::2]], [y for part in region for y in part[1::2]]
    return float((max(xs) - min(xs)) * (max(ys) - min(ys)))
