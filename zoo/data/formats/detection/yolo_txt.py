"""Objects in YOLO's text files: a line per object, `class x y width height`, centre and sides in shares of the
picture; a small YAML file beside them names the classes and the folders of pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from zoo.api.data import Split
from zoo.api.errors import BadSample, DataError
from zoo.data.formats.detection.objects import BoxAnnotation, ObjectListing, ObjectRow
from zoo.data.formats.folders import contents

Value = str | list[str] | dict[str, str]

NAMES: Final = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_SPLITS: Final[dict[str, Split]] = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}
_ENTRY = re.compile(r"([\w.-]+|'[^']*'|\"[^\"]*\")\s*:(?:\s+(.*)|$)")


def yolo_file(folder: Path) -> Path | None:
    """The YAML file of a folder, if it has one."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def list_yolo(file: Path) -> ObjectListing:
    """Every picture of the folders that the YAML file names; a picture without a text file shows nothing."""
    settings = read_settings(file)
    classes = _classes(file, settings)
    root = picture_root(file, settings)
    rows: list[ObjectRow] = []
    problems: list[BadSample] = []
    bare = 0
    for key, split in _SPLITS.items():
        for folder in _folders(file, root, settings.get(key)):
            names = contents(root, folder).files
            for name in names:
                labels = _label_file(root, name)
                bare += not labels.is_file()
                annotations = tuple(_annotations(root, labels, classes, problems))
                rows.append(ObjectRow(name=name, annotations=annotations, split=split))
            problems += _orphans(root, folder, names)
    if not any(key in settings for key in _SPLITS):
        raise DataError(f"{file} names no folder of pictures", hint="add a line such as `train: images/train`")
    notes = [f"{bare:,} pictures have no text file; they are taken to show none of the classes"] if bare else []
    return ObjectListing(root=root, rows=rows, classes=classes, relative=True, problems=problems, notes=notes)


def read_settings(file: Path) -> dict[str, Value]:
    """The YAML these files use: `key: value`, `[a, b]`, `- item` lists and `0: name` maps one level deep.

    DataError with the line for anything else.
    """
    settings: dict[str, Value] = {}
    current = ""
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        text = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        if not text.strip() or text.strip() == "---":
            continue
        indented = text[0].isspace()
        item = text.strip()
        entry = _ENTRY.fullmatch(item)
        if item.startswith("- ") and current:
            listed = settings[current] or []
            if not isinstance(listed, list):
                raise _unread(file, number)
            settings[current] = [*listed, _bare(item[2:])]
        elif entry and indented and current:
            mapped = settings[current] or {}
            if not isinstance(mapped, dict):
                raise _unread(file, number)
            settings[current] = {**mapped, _bare(entry[1]): _bare(entry[2] or "")}
        elif entry and not indented:
            current = _bare(entry[1])
            settings[current] = _value((entry[2] or "").strip())
        else:
            raise _unread(file, number)
    return settings


def _unread(file: Path, number: int) -> DataError:
    return DataError(f"{file} line {number} is more YAML than zoo reads", hint="write `key: value`, or a plain list")


def _value(text: str) -> Value:
    if text.startswith("[") and text.endswith("]"):
        return [_bare(part) for part in text[1:-1].split(",") if part.strip()]
    if text.startswith("{") and text.endswith("}"):
        pairs = (part.partition(":") for part in text[1:-1].split(",") if part.strip())
        return {_bare(key): _bare(value) for key, _, value in pairs}
    return _bare(text)


def _bare(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _classes(file: Path, settings: dict[str, Value]) -> tuple[str, ...]:
    names = settings.get("names")
    if isinstance(names, dict):
        numbers = sorted(names, key=lambda key: (len(key), key))
        if numbers != [str(number) for number in range(len(names))]:
            raise DataError(f"{file} does not number its classes from 0 on: {', '.join(numbers[:5])}")
        names = [names[number] for number in numbers]
    if not isinstance(names, list) or not names:
        raise DataError(f"{file} names no classes", hint="add a line such as `names: [cat, dog]`")
    if len(set(names)) < len(names):
        raise DataError(f"{file} names a class twice", hint="give every class its own name")
    return tuple(names)


def picture_root(file: Path, settings: dict[str, Value]) -> Path:
    """The folder below which the pictures are: `path` of the YAML file, or where it lies."""
    path = settings.get("path")
    root = file.parent / path if isinstance(path, str) and path else file.parent
    return (root if root.is_dir() else file.parent).resolve()


def _folders(file: Path, root: Path, value: Value | None) -> Iterator[Path]:
    for name in [value] if isinstance(value, str) else value or []:
        if not name:
            continue
        # exported data sets often say ../train/images and mean train/images
        places = [root / name, file.parent / name, root / re.sub(r"^(\.\./)+", "", name)]
        folder = next((place.resolve() for place in places if place.is_dir()), None)
        if folder is None or not folder.is_relative_to(root):
            raise DataError(f"{file} names the folder {name}, which is not below {root}", hint="correct the path")
        yield folder


def _label_file(root: Path, name: str) -> Path:
    """The text file of a picture: labels/ in the place of images/, or beside it."""
    parts = list(Path(name).parts)
    for place in range(len(parts) - 2, -1, -1):
        if parts[place] == "images":
            parts[place] = "labels"
            break
    return root.joinpath(*parts).with_suffix(".txt")


def _annotations(root: Path, file: Path, classes: tuple[str, ...], problems: list[BadSample]) -> Iterator[BoxAnnotation]:
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        where = f"{file.relative_to(root).as_posix()} line {number}"
        cells = line.split()
        if not cells:
            continue
        try:
            label, values = int(cells[0]), [float(cell) for cell in cells[1:]]
        except ValueError:
            problems.append(BadSample(where, f"{line[:40]!r} is not numbers", "write class x y width height"))
            continue
        if len(values) != 4:
            reason = f"it has {len(values)} numbers after the class, a box has 4"
            problems.append(BadSample(where, reason, "write class x y width height"))
        elif not 0 <= label < len(classes):
            reason = f"its class {label} is out of range: there are {len(classes)}, numbered from 0"
            problems.append(BadSample(where, reason, "correct it, or name the class in the YAML file"))
        elif max(values) > 1.5:
            reason = f"{' '.join(cells[1:])} are not shares of the picture"
            problems.append(BadSample(where, reason, "divide x and width by the width, y and height by the height"))
        else:
            x, y, width, height = values
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            yield BoxAnnotation(classes[label], box, where)


def _orphans(root: Path, folder: Path, names: list[str]) -> Iterator[BadSample]:
    """Text files whose picture is not there."""
    wanted = {_label_file(root, name) for name in names}
    for place in {path.parent for path in wanted}:
        for file in sorted(place.glob("*.txt")):
            if file not in wanted and file.name != "classes.txt" and place != root:
                where = file.relative_to(root).as_posix()
                yield BadSample(where, f"there is no picture for it in {folder.relative_to(root)}", "remove it")
