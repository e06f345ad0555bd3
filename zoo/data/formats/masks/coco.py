"""Classes of pixels in COCO's JSON: the segmentations of its annotations, polygons or run lengths."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from zoo.api.errors import BadSample, DataError
from zoo.data.formats.detection.coco import class_names, coco_files, find_picture, read_document, split_of
from zoo.data.formats.masks.masks import MaskListing, MaskRow, Shape

BACKGROUND: Final = "background"
MOST: Final = 255


def list_regions(location: Path) -> MaskListing:
    """Every picture that one annotation file, or those of a folder, name; class 0 is what no region covers."""
    files = [location] if location.is_file() else coco_files(location)
    root = location.parent if location.is_file() else location
    documents = [(file, read_document(file)) for file in files]
    names = class_names(documents)
    classes = names if BACKGROUND in names else (BACKGROUND, *names)
    if len(classes) > MOST:
        raise DataError(f"{files[0]} has {len(names)} categories; a mask tells at most {MOST} classes apart")
    if classes[0] != BACKGROUND:
        classes = (BACKGROUND, *(name for name in classes if name != BACKGROUND))
    rows: list[MaskRow] = []
    problems: list[BadSample] = []
    for file, document in documents:
        found, wrong = _rows(root, file, document, {name: number for number, name in enumerate(classes)})
        rows += found
        problems += wrong
    return MaskListing(root=root, rows=rows, classes=classes, problems=problems)


def _rows(
    root: Path, file: Path, document: Mapping[str, Any], numbers: Mapping[str, int]
) -> tuple[list[MaskRow], list[BadSample]]:
    names = {int(category["id"]): str(category["name"]) for category in document["categories"]}
    images = {image["id"]: image for image in document["images"]}
    where = file.relative_to(root).as_posix()
    shapes: defaultdict[int, list[tuple[float, Shape]]] = defaultdict(list)
    problems: list[BadSample] = []
    for number, annotation in enumerate(document["annotations"]):
        place = f"{where} annotation {annotation.get('id', number)}"
        wrong = _wrong(annotation, names, images)
        if wrong is not None:
            problems.append(BadSample(place, *wrong))
            continue
        region = annotation["segmentation"]
        shape = (numbers[names[annotation["category_id"]]], json.dumps(region, sort_keys=True))
        shapes[annotation["image_id"]].append((float(annotation.get("area") or _extent(region)), shape))
    rows = []
    for key, image in images.items():
        name = find_picture(root, file, str(image["file_name"]))
        if name is None:
            problems.append(BadSample(f"{where} image {key}", f"no file {image['file_name']}", "correct file_name"))
            continue
        size = (int(image["height"]), int(image["width"])) if {"height", "width"} <= image.keys() else None
        # the smaller lies before the larger, as a cup before a table
        drawn = tuple(shape for _, shape in sorted(shapes[key], key=lambda one: -one[0]))
        rows.append(MaskRow(name=name, shapes=drawn, split=split_of(root, file), size=size))
    return rows, problems


def _wrong(
    annotation: Mapping[str, Any], names: Mapping[int, str], images: Mapping[Any, Any]
) -> tuple[str, str] | None:
    """Reason and fix where an annotation cannot be drawn."""
    if annotation.get("image_id") not in images:
        return f"there is no image {annotation.get('image_id')}", "remove the annotation"
    if annotation.get("category_id") not in names:
        reason = f"its class {annotation.get('category_id')} is not among the {len(names)} categories"
        return reason, "correct category_id, or add the category"
    region = annotation.get("segmentation")
    if not region:
        return "it has a box but no segmentation", "outline it, or train a detector with these data"
    if isinstance(region, list):
        if not all(isinstance(part, list) and len(part) >= 6 and len(part) % 2 == 0 for part in region):
            return "a polygon of it has fewer than three corners", "write x, y, x, y, x, y, …"
    elif not isinstance(region, dict) or not {"size", "counts"} <= region.keys():
        return "its segmentation is neither polygons nor run lengths", "write [[x, y, …]] or {size, counts}"
    return None


def _extent(region: Any) -> float:
    """The area of the frame around polygons, where the file does not say the area."""
    if not isinstance(region, list):
        return 0.0
    xs, ys = [x for part in region for x in part[0::2]], [y for part in region for y in part[1::2]]
    return float((max(xs) - min(xs)) * (max(ys) - min(ys)))
