"""Objects in COCO's JSON: one file per split with images, categories and annotations; boxes are x, y, width, height."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.api.data import Split
from zoo.api.errors import BadFile, BadSample, DataError
from zoo.data.formats.class_folders.tree import SPLIT_FOLDERS
from zoo.data.formats.detection.objects import Box, BoxAnnotation, ObjectListing, ObjectRow

PATTERNS = ("annotations/instances_*.json", "annotations/*.json", "*/_annotations.coco.json", "*.json")
"""Where annotation files lie below a folder, in the order tried: COCO's own, Roboflow's, beside the pictures."""


def coco_files(folder: Path) -> list[Path]:
    """The annotation files of a folder; empty when it is none of COCO's."""
    return next((found for pattern in PATTERNS if (found := sorted(folder.glob(pattern)))), [])


def list_coco(location: Path) -> ObjectListing:
    """Every picture that one annotation file, or those of a folder, name."""
    files = [location] if location.is_file() else coco_files(location)
    root = location.parent if location.is_file() else location
    documents = [(file, read_document(file)) for file in files]
    classes = class_names(documents)
    rows: list[ObjectRow] = []
    problems: list[BadSample] = []
    crowds = 0
    for file, document in documents:
        found, wrong, crowd = _rows(root, file, document)
        rows += found
        problems += wrong
        crowds += crowd
    notes = [f"left out {crowds} crowd regions: they frame no single object"] if crowds else []
    return ObjectListing(root=root, rows=rows, classes=classes, problems=problems, notes=notes)


def read_document(file: Path) -> Mapping[str, Any]:
    """An annotation file with its three lists; BadFile or DataError when it is none."""
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise BadFile(f"{file} is not valid JSON: {error}") from error
    missing = [
        key
        for key in ("images", "annotations", "categories")
        if not isinstance(document, dict) or not isinstance(document.get(key), list)
    ]
    if missing:
        raise DataError(f"{file} is not COCO's JSON: it has no list {', '.join(missing)}")
    return document  # type: ignore[no-any-return]


def class_names(documents: Sequence[tuple[Path, Mapping[str, Any]]]) -> tuple[str, ...]:
    """The names of all categories in the order of their numbers; they must be the same in every file."""
    tables = [(file, {int(c["id"]): str(c["name"]) for c in doc["categories"]}) for file, doc in documents]
    first_file, first = tables[0]
    for file, table in tables[1:]:
        if table != first:
            odd = sorted(set(table.items()) ^ set(first.items()))[0]
            raise DataError(f"{file} and {first_file} number their classes differently, such as {odd[1]!r} ({odd[0]})")
    names = tuple(first[number] for number in sorted(first))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{first_file} names the class {twice[0]!r} twice", hint="give every category its own name")
    return names


def _rows(root: Path, file: Path, document: Mapping[str, Any]) -> tuple[list[ObjectRow], list[BadSample], int]:
    names = {int(category["id"]): str(category["name"]) for category in document["categories"]}
    where = file.relative_to(root).as_posix()
    boxes_of: defaultdict[int, list[BoxAnnotation]] = defaultdict(list)
    problems: list[BadSample] = []
    crowds = 0
    for number, annotation in enumerate(document["annotations"]):
        place = f"{where} annotation {annotation.get('id', number)}"
        if annotation.get("iscrowd"):
            crowds += 1
        elif annotation.get("category_id") not in names:
            reason = f"its class {annotation.get('category_id')} is not among the {len(names)} categories"
            problems.append(BadSample(place, reason, "correct category_id, or add the category"))
        elif (box := _box(annotation)) is None:
            problems.append(BadSample(place, "it has no bbox of four numbers", "write bbox as x, y, width, height"))
        else:
            boxes_of[annotation["image_id"]].append(BoxAnnotation(names[annotation["category_id"]], box, place))
    images = {image["id"]: image for image in document["images"]}
    problems += [
        BadSample(boxes_of[key][0].where, f"there is no image {key}", "remove the annotation")
        for key in sorted(set(boxes_of) - set(images), key=str)
    ]
    rows = []
    for key, image in images.items():
        name = find_picture(root, file, str(image["file_name"]))
        if name is None:
            problems.append(BadSample(f"{where} image {key}", f"no file {image['file_name']}", "correct file_name"))
            continue
        size = (int(image["height"]), int(image["width"])) if {"height", "width"} <= image.keys() else None
        rows.append(ObjectRow(name=name, annotations=tuple(boxes_of[key]), split=split_of(root, file), size=size))
    return rows, problems, crowds


def _box(annotation: Mapping[str, Any]) -> Box | None:
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(value, int | float) for value in box):
        return None
    x, y, width, height = (float(value) for value in box)
    return x, y, x + width, y + height


def find_picture(root: Path, file: Path, name: str) -> str | None:
    """The path below the root of a picture that an annotation file names, where people put them."""
    return next((path.relative_to(root).as_posix() for path in _places(root, file, name) if path.is_file()), None)


def _places(root: Path, file: Path, name: str) -> Iterator[Path]:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return
    part = file.stem.rpartition("_")[2]
    yield file.parent / name
    for folder in (root, root / "images"):
        # instances_train2017.json stands for pictures in train2017/ or train/
        yield from (folder / name, folder / part / name, folder / part.rstrip("0123456789") / name)


def split_of(root: Path, file: Path) -> Split | None:
    """The split that the name of an annotation file or of its folder says: instances_train2017.json, valid/."""
    words = [file.stem.lower(), *(part.lower() for part in file.relative_to(root).parent.parts)]
    for word in words:
        for name, split in SPLIT_FOLDERS.items():
            if word == name or word.rstrip("0123456789").endswith(f"_{name}"):
                return split
    return SPLIT_FOLDERS.get(file.stem.lower().rstrip("0123456789"))
