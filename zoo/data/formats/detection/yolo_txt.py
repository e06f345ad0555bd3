"""Objects in YOLO's text files: a line per object, `class x y width height` or `class x y x y x y …`, in shares of the
picture; another file names the classes and the pictures of every split."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadSample, DataError
from zoo.data.formats.detection.objects import BoxAnnotation, ObjectListing, ObjectRow
from zoo.data.formats.detection.yolo_settings import CLASS_LISTS, YoloDataset, is_numbers, read_dataset
from zoo.data.formats.folders import UNREAD_PICTURES, folded, special_kind, walk
from zoo.data.formats.inspection import SPECIAL_FIX
from zoo.data.formats.picture_index import PictureIndex, index_pictures

BOX = "write class x y width height"
LARGEST_SHARE = 1.5
"""A share above this is none, but a number of pixels."""


@dataclass(frozen=True, slots=True)
class YoloLine:
    """One line of a text file."""

    label: int
    shares: tuple[float, ...]
    """x, y, width and height of a box, or x, y, x, y, … of a polygon, in shares of the picture's sides."""
    where: str

    @property
    def polygon(self) -> bool:
        """True for an outline, False for a box."""
        return len(self.shares) > 4

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom; of a polygon its frame."""
        if self.polygon:
            xs, ys = self.shares[0::2], self.shares[1::2]
            return min(xs), min(ys), max(xs), max(ys)
        x, y, width, height = self.shares
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloPictures:
    """The pictures of a dataset with their lines."""

    dataset: YoloDataset
    rows: Sequence[tuple[str, Split | None, tuple[YoloLine, ...]]]
    problems: Sequence[BadSample]
    notes: Sequence[str]
    repeats: bool
    """True where training and validation are the same pictures."""

    @property
    def origins(self) -> dict[Split | None, tuple[str, ...]]:
        """The folders and lists of every split, below the root."""
        origins: dict[Split | None, tuple[str, ...]] = {}
        for split, path in self.dataset.parts:
            below = path.relative_to(self.dataset.root).as_posix()
            name = below if path.is_file() or below == "." else f"{below}/"
            origins[split] = (*origins.get(split, ()), name)
        return origins


def list_yolo(file: Path, *, request: DataRequest | None = None) -> ObjectListing:
    """Every picture of a dataset; a picture without a text file shows nothing, a polygon counts by its frame."""
    pictures = read_pictures(file, request)
    classes = pictures.dataset.classes
    rows = [
        ObjectRow(
            name=name,
            annotations=tuple(BoxAnnotation(classes[line.label], line.box, line.where) for line in lines),
            split=split,
        )
        for name, split, lines in pictures.rows
    ]
    polygons = sum(line.polygon for _, _, lines in pictures.rows for line in lines)
    notes = [f"{polygons:,} outlines count by the frames around them"] if polygons else []
    return ObjectListing(
        root=pictures.dataset.root,
        rows=rows,
        classes=classes,
        relative=True,
        problems=pictures.problems,
        notes=[*pictures.notes, *notes],
        repeats=pictures.repeats,
        origins=pictures.origins,
    )


def read_pictures(file: Path, request: DataRequest | None = None) -> YoloPictures:
    """Every picture of a dataset with the lines of its text file."""
    dataset = read_dataset(file, request)
    root, index = dataset.root, index_pictures(dataset.root)
    labels = {folded(name): name for name, skipped in walk(root, root) if not skipped and name.lower().endswith(".txt")}
    problems: list[BadSample] = []
    parts: list[tuple[Split | None, list[str]]] = []
    for split, path in dataset.parts:
        names = _listed(root, path, index, problems) if path.is_file() else _below(root, path, index, problems)
        parts.append((split, names))
    rows = []
    bare = 0
    for split, names in parts:
        for name in names:
            text = next((labels[path] for path in label_paths(name) if path in labels), None)
            bare += text is None
            lines = () if text is None else tuple(_lines(root, text, dataset, problems))
            rows.append((name, split, lines))
    problems += _orphans(dataset, labels, {name for _, names in parts for name in names}, index)
    by_split = {split: set(names) for split, names in parts}
    repeats = bool(by_split.get("train")) and by_split.get("train") == by_split.get("validation")
    notes: list[str] = list(dataset.notes)
    if repeats:
        message = "train and val name the same pictures: validation measures pictures that were trained on"
        notes.append(DataNote(message, kind="leak", items=len(by_split["validation"])))
    unnamed = _unnamed(dataset, index, {name for _, names in parts for name in names})
    if unnamed:
        message = (
            f"left out {counted(len(unnamed), 'picture')} that {dataset.file.name} does not name, such as {unnamed[0]}"
        )
        notes.append(
            DataNote(
                message, kind="left-out", what="pictures that no part names", items=len(unnamed), examples=unnamed[:5]
            )
        )
    if bare:
        message = (
            f"{counted(bare, 'picture has', 'pictures have')} no text file; they are taken to show none of the classes"
        )
        notes.append(DataNote(message, kind="unlabelled", items=bare))
    return YoloPictures(dataset=dataset, rows=rows, problems=problems, notes=notes, repeats=repeats)


def _unnamed(dataset: YoloDataset, index: PictureIndex, names: set[str]) -> list[str]:
    """Pictures below the folder of the description that belong to none of its parts."""
    if dataset.file.parent != dataset.root and dataset.root not in dataset.file.parents:
        return []
    return sorted(file for files in index.by_path.values() for file in files if file not in names)


def _below(root: Path, folder: Path, index: PictureIndex, problems: list[BadSample]) -> list[str]:
    """The pictures below a folder; a problem where some are of kinds that cannot be read."""
    below = folder.relative_to(root).as_posix()
    prefix = "" if below == "." else f"{below}/"
    files = sorted(file for files in index.by_path.values() for file in files if file.startswith(prefix))
    unread = [file for file in files if Path(file).suffix.lower() in UNREAD_PICTURES]
    problems += [
        BadSample(file, f"{Path(file).suffix.lower()} pictures cannot be read", "convert it to JPEG or PNG")
        for file in unread
    ]
    return [file for file in files if file not in unread]


def _listed(root: Path, file: Path, index: PictureIndex, problems: list[BadSample]) -> list[str]:
    """The pictures that a list names, one a line, relative to the list, to the root, or on another machine."""
    names = []
    if file.suffix.lower() != ".txt":
        raise DataError(f"{file} is no list of pictures", hint="a list is a .txt file with a path a line")
    for number, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        path = PurePosixPath(line.strip().replace("\\", "/"))
        if not line.strip():
            continue
        beside = file.parent.relative_to(root) / path
        tails = [PurePosixPath(*path.parts[start:]) for start in range(len(path.parts))]
        picture = index.at(beside.as_posix()) or next(
            (match for tail in tails if (match := index.at(tail.as_posix().lstrip("/")))), None
        )
        if picture is None:
            where = f"{file.relative_to(root).as_posix()} line {number}"
            problems.append(BadSample(where, f"no picture {path}", "correct the path"))
        else:
            names.append(picture)
    return names


def label_paths(name: str) -> list[str]:
    """Where the text file of a picture may lie, in lower case: labels/ in place of images/, or beside it."""
    path = PurePosixPath(folded(name)).with_suffix(".txt")
    folders = [index for index, part in enumerate(path.parts[:-1]) if part == "images"]
    paths = [path.as_posix()]
    if folders:
        at = folders[-1]
        paths.insert(0, PurePosixPath(*path.parts[:at], "labels", *path.parts[at + 1 :]).as_posix())
    return paths


def _lines(root: Path, name: str, dataset: YoloDataset, problems: list[BadSample]) -> Iterator[YoloLine]:
    if kind := special_kind(root / name):
        problems.append(BadSample(name, f"it is {kind}, not a file", SPECIAL_FIX))
        return
    text = (root / name).read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            parsed = _line(line, f"{name} line {number}", dataset)
            if isinstance(parsed, BadSample):
                problems.append(parsed)
            else:
                yield parsed


def _line(line: str, where: str, dataset: YoloDataset) -> YoloLine | BadSample:
    cells = line.split()
    try:
        number, *values = (float(cell) for cell in cells)
    except ValueError:
        marks = ", separated by blanks" if "," in line or ";" in line else ", the class as its number"
        return BadSample(where, f"{line[:40]!r} is not numbers", f"{BOX}{marks}")
    if not math.isfinite(number) or number != int(number):
        return BadSample(where, f"its class {cells[0]} is not a whole number", BOX)
    label, count = int(number), len(values)
    if dataset.keypoints and count == 4 + dataset.keypoints:
        values, count = values[:4], 4
    if count != 4 and (count < 6 or count % 2):
        reason = f"it has {counted(count, 'number')} after the class, a box has 4"
        if count > 4:
            reason += ", a polygon an even number from 6 on"
        return BadSample(where, reason, f"{BOX}, without the confidence" if count == 5 else BOX)
    if not 0 <= label < len(dataset.classes):
        reason = f"its class {label} is out of range: there are {len(dataset.classes)}, numbered from 0"
        return BadSample(where, reason, f"correct it, or name the class in {dataset.file.name}")
    if max(values) > LARGEST_SHARE:
        reason = f"{' '.join(cells[1:])} are not shares of the picture"
        return BadSample(where, reason, "divide x and width by the width, y and height by the height")
    return YoloLine(label, tuple(values), where)


def _orphans(
    dataset: YoloDataset, labels: Mapping[str, str], names: set[str], index: PictureIndex
) -> Iterator[BadSample]:
    """Text files in the folders of labels whose picture is not among those of the dataset."""
    wanted = {path for name in names for path in label_paths(name)}
    folders = {PurePosixPath(path).parent for path in wanted}
    pictures = sorted({PurePosixPath(name).parent.as_posix() for name in names})
    known = {path.name.lower() for _, path in dataset.parts} | set(CLASS_LISTS)
    for path, name in sorted(labels.items()):
        file = PurePosixPath(path)
        if path in wanted or file.parent not in folders or file.name in known:
            continue
        if file.parent == PurePosixPath(".") and not is_numbers(dataset.root / name):
            continue  # a README beside the pictures
        others = index.by_stem.get(file.stem, ())
        if not others:
            where = next((folder for folder in pictures if label_folder(folder) == file.parent.as_posix()), pictures[0])
            yield BadSample(
                name, f"there is no picture for it in {where}", "add the picture, or move the file elsewhere"
            )
        elif not any(Path(other).suffix.lower() in UNREAD_PICTURES for other in others):
            reason = f"its picture may be {others[0]}, which {dataset.file.name} does not name"
            yield BadSample(name, reason, f"name its folder in {dataset.file.name}, or move the file elsewhere")


def label_folder(folder: str) -> str:
    """The folder of the text files for a folder of pictures, in lower case."""
    return PurePosixPath(label_paths(f"{folder}/x.png")[0]).parent.as_posix()
