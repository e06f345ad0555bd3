"""COCO's JSON as frozen values: every field checked, every fault a sentence that names the file and the entry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zoo.api.data import DataNote, Split
from zoo.api.errors import BadFile, BadSample, DataError
from zoo.data.formats.other_tools import refuse_other_tools

Id = int | str
LARGEST: Final = 1e15
"""No position in a picture is larger; Python's whole numbers know no limit, floats do."""
LISTS: Final = ("images", "annotations", "categories")


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One entry of `images`."""

    id: Id
    name: str
    """The path that `file_name` says, with slashes."""
    size: tuple[int, int] | None
    """Height and width, where the file says both."""
    where: str


@dataclass(frozen=True, slots=True)
class CocoAnnotation:
    """One entry of `annotations`, of an image and a category that are there."""

    image: Id
    label: str
    crowd: bool
    fields: Mapping[str, Any]
    """The entry as it stands: its bbox, segmentation and area are read and checked by each task."""
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoDocument:
    """One annotation file."""

    file: Path
    split: Split | None
    categories: Mapping[Id, str]
    images: Sequence[CocoImage]
    annotations: Sequence[CocoAnnotation]
    problems: Sequence[BadSample]
    notes: Sequence[str] = ()


def load_json(file: Path) -> Mapping[str, Any]:
    """A JSON file with COCO's three lists; BadFile or DataError when it is none."""
    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{file} is not valid JSON: {error}") from error
    lists = document if isinstance(document, dict) else {}
    missing = [key for key in LISTS if not isinstance(lists.get(key), list)]
    if missing or _holds_no_objects(lists["annotations"]):
        refuse_other_tools(file)
    if missing:
        raise DataError(f"{file} is not COCO's JSON: it has no list {', '.join(missing)}")
    return lists


def _holds_no_objects(annotations: Sequence[Any]) -> bool:
    """Whether the annotations are of no category: those of whole pictures, captions or panoptic segments."""
    return bool(annotations) and all(isinstance(entry, dict) and "category_id" not in entry for entry in annotations)


def read_coco(root: Path, file: Path, lists: Mapping[str, Any], split: Split | None) -> CocoDocument:
    """The three lists of an annotation file, checked."""
    where = file.relative_to(root).as_posix()
    problems: list[BadSample] = []
    categories = _categories(where, lists["categories"], problems)
    images = _images(where, lists["images"], problems)
    known = {image.id for image in images}
    entries = _entries(where, "annotation", lists["annotations"], problems)
    annotations = [
        annotation
        for entry_where, entry in entries
        if (annotation := _annotation(entry_where, entry, known, categories, problems))
    ]
    project = _project(lists["categories"]) - {annotation.label for annotation in annotations}
    notes: list[str] = [
        DataNote(
            f"left out the category {name!r} of {where}: it is the parent of the others",
            kind="left-out",
            what=f"the category {name!r}",
            items=1,
        )
        for name in sorted(project)
    ]
    repeated = _repeated(entry.get("id") for _, entry in entries)
    if repeated:
        notes.append(f"{where} gives {repeated:,} annotations an id that another has; nothing is looked up by it")
    return CocoDocument(
        file=file,
        split=split,
        categories={key: name for key, name in categories.items() if name not in project},
        images=images,
        annotations=annotations,
        problems=problems,
        notes=notes,
    )


def _project(entries: Sequence[Any]) -> set[str]:
    """The category that is the parent of all others: Roboflow lists the project itself as one."""
    parents = {str(entry.get("name")): str(entry.get("supercategory")) for entry in entries if isinstance(entry, dict)}
    return {
        name
        for name, own in parents.items()
        if own != name and len(parents) > 1 and {parent for other, parent in parents.items() if other != name} == {name}
    }


def _repeated(ids: Iterable[Any]) -> int:
    known = [value for value in ids if isinstance(value, int | str)]
    return len(known) - len(set(known))


def _entries(
    where: str, noun: str, entries: Sequence[Any], problems: list[BadSample]
) -> list[tuple[str, Mapping[str, Any]]]:
    """Every entry that is an object, with the words for it: "train.json annotation 17" or "entry 3 of annotations"."""
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for number, entry in enumerate(entries):
        if isinstance(entry, dict):
            key = entry.get("id")
            rows.append((f"{where} {noun} {number if key is None else key}", entry))
        else:
            problems.append(BadSample(f"{where} {noun} {number}", f"it is {_shown(entry)}, not an object", "write {…}"))
    return rows


def _unique(
    rows: Iterable[tuple[str, Mapping[str, Any]]], noun: str, problems: list[BadSample]
) -> Iterable[tuple[Id, str, Mapping[str, Any]]]:
    """The entries whose id is one, and no other's."""
    first: dict[Id, tuple[int, Mapping[str, Any]]] = {}
    for number, (where, entry) in enumerate(rows):
        key = _id(entry.get("id"))
        if key is None:
            reason = f"its id is {_shown(entry.get('id'))}" if "id" in entry else f"{noun} number {number} has no id"
            problems.append(BadSample(where, reason, "give it a number of its own"))
        elif key in first:
            at, earlier = first[key]
            names = [str(row.get("file_name") or row.get("name")) for row in (earlier, entry)]
            reason = f"the id {key} is given twice: to entry {at} ({names[0]}) and to entry {number} ({names[1]})"
            problems.append(BadSample(where, reason, "number the entries anew where files were joined"))
        else:
            first[key] = number, entry
            yield key, where, entry


def _categories(where: str, entries: Sequence[Any], problems: list[BadSample]) -> dict[Id, str]:
    names: dict[Id, str] = {}
    for key, entry_where, entry in _unique(_entries(where, "category", entries, problems), "category", problems):
        name = entry.get("name")
        if (isinstance(name, str) and name.strip()) or (isinstance(name, int) and not isinstance(name, bool)):
            names[key] = str(name).strip()
        else:
            problems.append(BadSample(entry_where, f"its name is {_shown(name)}", "give the category a name"))
    return names


def _images(where: str, entries: Sequence[Any], problems: list[BadSample]) -> list[CocoImage]:
    images = []
    for key, entry_where, entry in _unique(_entries(where, "image", entries, problems), "image", problems):
        name, sides = entry.get("file_name"), (entry.get("height"), entry.get("width"))
        numbers = [_whole(side) for side in sides]
        if not isinstance(name, str) or not name.strip():
            problems.append(BadSample(entry_where, f"its file_name is {_shown(name)}", "write the name of its picture"))
        elif any(number is None and side is not None for number, side in zip(numbers, sides, strict=True)):
            reason = f"its height and width are {_shown(sides[0])} and {_shown(sides[1])}"
            problems.append(BadSample(entry_where, reason, "write two whole numbers of pixels, or leave both out"))
        else:
            height, width = numbers
            size = (height, width) if height is not None and width is not None else None
            images.append(CocoImage(key, name.replace("\\", "/"), size, entry_where))
    return images


def _annotation(
    where: str,
    entry: Mapping[str, Any],
    images: set[Id],
    categories: Mapping[Id, str],
    problems: list[BadSample],
) -> CocoAnnotation | None:
    image, category, crowd = _id(entry.get("image_id")), _id(entry.get("category_id")), entry.get("iscrowd") or 0
    if category not in categories or category is None:
        reason = f"its class {_shown(entry.get('category_id'))} is not among the {len(categories)} categories"
        fix = "correct category_id, or add the category"
    elif image not in images or image is None:
        other = next((entry_id for entry_id in images if str(entry_id) == str(image)), None)
        reason = f"there is no image {_shown(entry.get('image_id'))}" + (
            f"; image {_shown(other)} is written otherwise" if other is not None else ""
        )
        fix = "correct image_id, or add the image"
    elif crowd not in (0, 1):
        reason, fix = f"its iscrowd is {_shown(crowd)}", "write 0 or 1"
    else:
        return CocoAnnotation(image, categories[category], bool(crowd), entry, where)
    problems.append(BadSample(where, reason, fix))
    return None


def _id(value: Any) -> Id | None:
    """A number or a text that names an entry; a whole number may be written 1.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def _whole(value: Any) -> int | None:
    """A whole number of pixels above 0."""
    return int(value) if is_number(value) and value > 0 and value == value // 1 else None


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number that a float can hold; NaN counts, and is refused with the box."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not abs(value) > LARGEST


def _shown(value: Any) -> str:
    """A value as JSON has it, cut short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "missing" if value is None else text if len(text) <= 40 else text[:39] + "…"
