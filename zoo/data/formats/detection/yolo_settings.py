"""What a dataset for YOLO consists of: classes and pictures of every split.

Said by a YAML file (Ultralytics, Roboflow), by obj.data (Darknet, CVAT), or by classes.txt beside the pictures
(labelImg, Label Studio).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import yaml

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadFile, DataError
from zoo.api.formats import FormatMatch
from zoo.data.formats.folders import folded, subfolders
from zoo.data.formats.parts import OPTIONS, chosen_names, find_parts, refuse_nested
from zoo.data.formats.split_names import exact_split
from zoo.data.formats.text_files import encoding_of, file_text

YAML: Final = (".yaml", ".yml")
CLASS_LISTS: Final = ("classes.txt", "obj.names", "predefined_classes.txt")
MOST_ALIASES: Final = 100
FEW: Final = 50
"""Text files that are looked into for numbers."""
LARGEST: Final = 4 * 2**20
"""Bytes of a YAML file: the longest of published ones has some ten thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloDataset:
    """Where the classes and pictures of a dataset are."""

    file: Path
    """What says so."""
    root: Path
    """The folder below which everything lies."""
    classes: tuple[str, ...]
    parts: tuple[tuple[Split | None, Path], ...]
    """A folder of pictures, or a list of them (.txt), with its split."""
    keypoints: int = 0
    """Numbers of a line behind its box, where the dataset is one of poses."""
    notes: tuple[str, ...] = field(default=())


def yolo_source(folder: Path) -> Path | None:
    """The file that describes a folder as YOLO's, or its labels/ where nothing names the classes; None for others."""
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in YAML and file.is_file()]
    described = [file for file in files if _is_dataset(file)]
    usual = [file for file in described if file.stem.lower() in ("data", "dataset")]
    if len(described) > 1 and len(usual) != 1:
        shown = ", ".join(file.name for file in described)
        raise DataError(f"{folder} holds {len(described)} descriptions of data: {shown}", hint="give the file itself")
    if described:
        return (usual or described)[0]
    for name in ("obj.data", *CLASS_LISTS):
        if (folder / name).is_file() and (name == "obj.data" or _has_labels(folder, name)):
            return folder / name
    labels = [folder / "labels", *(folder / name / "labels" for name in subfolders(folder))]
    return next((path for path in labels if path.is_dir() and any(path.rglob("*.txt"))), None)


def detect_yolo(path: Path, *, request: DataRequest) -> FormatMatch | None:  # noqa: ARG001  every format's
    """The file that describes the data, or a folder with one; DataError for text files whose classes nothing names."""
    if path.is_file():
        described = path.suffix.lower() in (*YAML, ".data") or path.name in CLASS_LISTS
        return FormatMatch(location=path) if described else None
    source = yolo_source(path)
    if source is not None and source.is_file():
        return FormatMatch(location=source)
    if source is not None or (path / "labels").is_dir():
        raise DataError(
            f"{path} has labels/ but no data.yaml that names the classes",
            hint="write one with the lines `train: images/train` and `names: [cat, dog]`",
        )
    return None


def _is_dataset(file: Path) -> bool:
    try:
        settings = read_settings(file)
    except (DataError, BadFile):
        return file.stem.lower() in ("data", "dataset")  # meant as one: what is wrong with it is said when it is read
    return "names" in settings or ("nc" in settings and "train" in settings)


def _has_labels(folder: Path, name: str) -> bool:
    """Whether text files of YOLO lie beside pictures or in labels/: a line of them is numbers."""
    if (folder / "image_class_labels.txt").is_file():  # CUB-200's bounding_boxes.txt holds numbers, too
        return False
    files = islice((file for file in folder.rglob("*.txt") if file.name != name), FEW)
    return any(is_numbers(file) for file in files)


def is_numbers(file: Path) -> bool:
    """Whether the first line of a text file is a class and four numbers or more."""
    with file.open("rb") as opened:
        cells = opened.read(400).decode("latin-1").partition("\n")[0].split()
    return len(cells) > 4 and all(re.fullmatch(r"[-+.\deE]+", cell) for cell in cells)


def read_settings(file: Path) -> Mapping[str, Any]:
    """The mapping of a YAML file, all plain values as texts; BadFile names the line that is wrong."""
    if file.stat().st_size > LARGEST:
        raise BadFile(f"{file} has {file.stat().st_size:,} bytes: more than a description of data needs")
    try:
        settings = _load(file.read_bytes())
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DataError(f"{file}{line} is not valid YAML: {error.problem}", hint="correct the line") from error
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is not valid YAML: {error}", hint="save it as UTF-8 text") from error
    if not isinstance(settings, dict):
        raise DataError(f"{file} does not describe data: it is no mapping", hint="write `names:` and `train:` lines")
    return settings


def _load(data: bytes) -> Any:
    """Lists, mappings and texts.  Plain values stay the texts they are: a class may be called `no` or `1.0`."""
    aliases = [event for event in yaml.parse(data, Loader=yaml.SafeLoader) if isinstance(event, yaml.AliasEvent)]
    if len(aliases) > MOST_ALIASES:
        mark = aliases[MOST_ALIASES].start_mark
        raise yaml.MarkedYAMLError(problem=f"more than {MOST_ALIASES} aliases", problem_mark=mark)
    return _value(yaml.compose(data, Loader=yaml.SafeLoader), {})


def _value(node: Any, known: dict[int, Any]) -> Any:
    """A node of YAML and all below it; what an alias names again is the same value, not another copy."""
    if id(node) in known:
        return known[id(node)]
    value: Any = None
    if isinstance(node, yaml.ScalarNode):
        value = node.value
    elif isinstance(node, yaml.SequenceNode):
        value = [_value(child, known) for child in node.value]
    elif isinstance(node, yaml.MappingNode):
        value = {}
        for key_node, child in node.value:
            key = str(_value(key_node, known))
            if key in value:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} is given twice", problem_mark=key_node.start_mark)
            value[key] = _value(child, known)
    known[id(node)] = value
    return value


def read_dataset(file: Path, request: DataRequest | None = None) -> YoloDataset:
    """The dataset that a file describes; DataError where it does not say what is needed."""
    if file.suffix.lower() in YAML:
        return _of_yaml(file, read_settings(file), request)
    if file.suffix.lower() == ".data":
        return _of_darknet(file, request)
    found_parts = find_parts(file.parent, labelled=False, request=request)
    folders = found_parts.folders
    for name in ("images", "Images"):  # images/train and images/val, as Label Studio and labelImg leave them
        if folders == ((None, file.parent),) and (file.parent / name).is_dir():
            folders = find_parts(file.parent / name, labelled=False).folders
    classes = _listed_classes(file, request)
    return YoloDataset(file=file, root=file.parent, classes=classes, parts=folders, notes=found_parts.notes)


def _of_yaml(file: Path, settings: Mapping[str, Any], request: DataRequest | None) -> YoloDataset:
    classes, notes = _classes(file, settings)
    base = file.parent / str(settings.get("path") or "")
    base = base if base.is_dir() else file.parent
    chosen = {split: name for split, name in chosen_names(request).items() if name}
    named: dict[str, tuple[Split, Any]] = {
        key: (split, value) for key, value in settings.items() if value and (split := exact_split(key))
    }
    if chosen:
        named = {OPTIONS[split]: (split, name) for split, name in chosen.items()}
    twice = [key for key, (split, _) in named.items() if [other for other, _ in named.values()].count(split) > 1]
    if twice:
        raise DataError(f"{file} names {' and '.join(twice)}, which are one split", hint="keep the right one of them")
    parts: list[tuple[Split | None, Path]] = []
    told: list[tuple[Split, str, Path]] = []
    for key, (split, value) in named.items():
        for name in value if isinstance(value, list) else [value]:
            path = _located(file, base, str(name), notes)
            if path is not None:
                parts.append((split, path))
                told.append((split, f"{key}: {name}", path))
            elif split == "test":
                message = f"left out {key}: {name} is not there"
                notes.append(DataNote(message, kind="left-out", what=f"{key}: {name}", items=1))
            else:
                raise DataError(
                    f"{file} names {name} for {key}, which is not there", hint=f"looked for it below {base}; correct it"
                )
    if not any(split == "train" for split, _ in parts):
        raise DataError(f"{file} names no folder of pictures", hint="add a line such as `train: images/train`")
    refuse_nested(told)
    root = Path(os.path.commonpath([file.parent, *(path.parent for _, path in parts)]))
    keypoints = _keypoints(settings.get("kpt_shape"))
    return YoloDataset(
        file=file, root=root, classes=classes, parts=tuple(parts), keypoints=keypoints, notes=tuple(notes)
    )


def _located(file: Path, base: Path, name: str, notes: list[str]) -> Path | None:
    """A folder or list of pictures that a file names, where people put them."""
    # exported data sets often say ../train/images and mean train/images
    bare = re.sub(r"^(\.\.?/)+", "", name.replace("\\", "/"))
    for path in (base / name, file.parent / name, base / bare, file.parent / bare):
        if path.exists():
            return Path(os.path.normpath(path))
    for folder in (base, file.parent):
        if (other := _in_any_case(folder, bare)) is not None:
            notes.append(f"{name} is not there; {other.relative_to(folder).as_posix()} is read for it")
            return other
    parts = Path(bare).parts
    for start in range(1, len(parts) - 1):  # /content/data/train/images of another machine, at least two folders of it
        path = file.parent.joinpath(*parts[start:])
        if path.exists():
            notes.append(f"{name} is not there; {path.relative_to(file.parent).as_posix()} is read for it")
            return path
    return None


def _in_any_case(folder: Path, name: str) -> Path | None:
    """The only file or folder whose path differs in the case of its letters alone; None where there is none."""
    for part in Path(name).parts:
        entries = [entry for entry in folder.iterdir() if folded(entry.name) == folded(part)] if folder.is_dir() else []
        if len(entries) != 1:
            return None
        folder = entries[0]
    return folder


def _classes(file: Path, settings: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    names, count, notes = settings.get("names"), settings.get("nc"), []
    number = int(count) if isinstance(count, str) and count.isdecimal() else None
    if isinstance(names, dict):
        keys = sorted(names, key=lambda key: (len(str(key)), str(key)))
        if keys != [str(key) for key in range(len(names))]:
            raise DataError(f"{file} does not number its classes from 0 on: {', '.join(map(str, keys[:5]))}")
        names = [names[key] for key in keys]
    if not names and number:
        notes.append(f"nothing names the {number} classes; they are called by their numbers")
        names = [f"class {key}" for key in range(number)]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise DataError(f"{file} names no classes", hint="add a line such as `names: [cat, dog]`")
    if len(set(names)) < len(names):
        raise DataError(f"{file} names a class twice", hint="give every class its own name")
    if number is not None and number != len(names):
        notes.append(
            f"{file.name} says nc: {number}, but names {counted(len(names), 'class', 'classes')}; the names count"
        )
    return tuple(names), notes


def _keypoints(shape: Any) -> int:
    numbers = [int(value) for value in shape if str(value).isdecimal()] if isinstance(shape, list) else []
    return numbers[0] * numbers[1] if len(numbers) == 2 else 0


def _of_darknet(file: Path, request: DataRequest | None) -> YoloDataset:
    """obj.data: `classes = 2`, `train = data/train.txt`, `names = data/obj.names`; CVAT's has no folder data/."""
    pairs = (line.partition("=") for line in file.read_text(encoding="utf-8-sig").splitlines() if "=" in line)
    settings = {key.strip(): value.strip() for key, _, value in pairs}
    names = _located(file, file.parent, settings.get("names", ""), []) if settings.get("names") else None
    names = names or _located(file, file.parent, Path(settings.get("names", "obj.names")).name, [])
    if names is None:
        raise DataError(f"{file} names no file of classes", hint="add a line such as `names = obj.names`")
    lists = {key: value for key, value in settings.items() if exact_split(key)}
    described = {**lists, "names": list(_listed_classes(names, request)), "nc": settings.get("classes", "")}
    for key, value in lists.items():
        if _located(file, file.parent, value, []) is None:  # data/train.txt stands for train.txt
            described[key] = Path(value).name
    return _of_yaml(file, described, request)


def _listed_classes(file: Path, request: DataRequest | None) -> tuple[str, ...]:
    lines = [line.strip() for line in file_text(file, encoding_of(request)).splitlines()]
    names = [line for line in lines if line]
    if not names:
        raise DataError(f"{file} names no classes", hint="write one name a line")
    if len(set(names)) < len(names):
        raise DataError(f"{file} names a class twice", hint="give every class its own name")
    return tuple(names)
