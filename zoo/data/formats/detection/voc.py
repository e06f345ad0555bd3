"""Objects in Pascal VOC's XML: one file per picture, corners in pixels that count from 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from zoo.api.data import Split
from zoo.api.errors import BadSample
from zoo.data.formats.class_folders.tree import SPLIT_FOLDERS
from zoo.data.formats.detection.objects import Box, BoxAnnotation, ObjectListing, ObjectRow
from zoo.data.formats.folders import PICTURES

CORNERS = ("xmin", "ymin", "xmax", "ymax")


def voc_files(folder: Path) -> list[tuple[Path, Split | None]]:
    """The annotation files with the split each is for: VOC's own folders, or XML beside the pictures."""
    if (folder / "Annotations").is_dir():
        splits = listed_splits(folder / "ImageSets" / "Main")
        return [(file, splits.get(file.stem)) for file in sorted((folder / "Annotations").glob("*.xml"))]
    files = [file for file in sorted(folder.rglob("*.xml")) if not file.name.startswith(".")]
    return [(file, SPLIT_FOLDERS.get(file.relative_to(folder).parts[0].lower())) for file in files]


def listed_splits(folder: Path) -> dict[str, Split]:
    """Picture names with their split, from train.txt, val.txt and test.txt."""
    return {name: split for name, split, _ in _lines(folder)}


def _lines(folder: Path) -> Iterator[tuple[str, Split, str]]:
    """What the lists of a folder name: a picture, its split, and the file and line that say so."""
    for stem, split in SPLIT_FOLDERS.items():
        path = folder / f"{stem}.txt"
        if path.is_file():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if line.strip():
                    yield line.split()[0], split, f"{path.name} line {number}"


def list_voc(root: Path) -> ObjectListing:
    """Every picture that has an annotation file; the classes are the names found, sorted."""
    rows: list[ObjectRow] = []
    problems = list(_without_annotation(root))
    for file, split in voc_files(root):
        where = file.relative_to(root).as_posix()
        try:
            tree = _tree(file)
            picture = _picture(root, file, tree)
            annotations = tuple(_annotations(where, tree))
        except ValueError as error:
            problems.append(BadSample(where, str(error), "correct the file, or remove it"))
            continue
        rows.append(ObjectRow(name=picture, annotations=annotations, split=split, size=_size(tree)))
    classes = tuple(sorted({annotation.label for row in rows for annotation in row.annotations}))
    notes = ["boxes of Pascal VOC count pixels from 1; they are read so"] if rows else []
    return ObjectListing(root=root, rows=rows, classes=classes, problems=problems, notes=notes)


def _without_annotation(root: Path) -> Iterator[BadSample]:
    """A problem for every line of VOC's lists that names no annotation file: its picture would not be read."""
    folder = root / "Annotations"
    if not folder.is_dir():
        return  # XML beside the pictures: nobody asks the lists
    annotated = {file.stem for file in folder.glob("*.xml")}
    for name, _, line in _lines(root / "ImageSets" / "Main"):
        if name not in annotated:
            reason = f"it lists {name}, but there is no Annotations/{name}.xml"
            yield BadSample(f"ImageSets/Main/{line}", reason, "add the annotation file, or remove the line")


def _tree(file: Path) -> ElementTree.Element:
    text = file.read_bytes()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("it declares entities, which an annotation has no need of")
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not valid XML: {error}") from error


def _picture(root: Path, file: Path, tree: ElementTree.Element) -> str:
    named = Path(tree.findtext("filename") or "").name
    names = [named] if named else []
    names += [f"{file.stem}{suffix}" for suffix in sorted(PICTURES)]
    for folder in (file.parent, root / "JPEGImages", root / "images"):
        for name in names:
            if (folder / name).is_file():
                return (folder / name).relative_to(root).as_posix()
    raise ValueError(f"there is no picture {named or file.stem} beside it or in JPEGImages/")


def _annotations(where: str, tree: ElementTree.Element) -> Iterator[BoxAnnotation]:
    for number, item in enumerate(tree.iter("object"), 1):
        label = (item.findtext("name") or "").strip()
        if not label:
            raise ValueError(f"object {number} has no name")
        yield BoxAnnotation(label, _box(item, number), f"{where} object {number}")


def _box(item: ElementTree.Element, number: int) -> Box:
    frame = item.find("bndbox")
    texts = [frame.findtext(corner) if frame is not None else None for corner in CORNERS]
    try:
        left, top, right, bottom = (float(text or "") for text in texts)
    except ValueError:
        raise ValueError(f"object {number} has no bndbox of the four numbers {', '.join(CORNERS)}") from None
    return left - 1.0, top - 1.0, right, bottom


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    texts = tree.findtext("size/height") or "", tree.findtext("size/width") or ""
    return (int(texts[0]), int(texts[1])) if all(text.isdigit() and int(text) for text in texts) else None
