"""Objects in Pascal VOC's XML: one file per picture, of the same stem; corners in pixels that count from 1."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadSample
from zoo.api.formats import FormatMatch
from zoo.data.formats.detection.objects import Box, BoxAnnotation, ObjectListing, ObjectRow
from zoo.data.formats.detection.voc_lists import VocLists, read_lists
from zoo.data.formats.folders import folded, subfolders, walk
from zoo.data.formats.other_tools import refuse_other_tools
from zoo.data.formats.parts import chosen_parts, question, twins
from zoo.data.formats.picture_index import PictureIndex, index_pictures
from zoo.data.formats.split_names import splits_of_folders
from zoo.data.formats.xml import read_xml

CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
PICTURE_FOLDERS: Final = frozenset({"jpegimages", "images", "image", "imgs", "img", "pictures", "photos"})
"""What the folder of the pictures may be called, in lower case, where masks of the same names lie beside it."""
DEPTH: Final = 2
"""How many folders down VOC's own may lie: VOCdevkit/VOC2012."""


def voc_roots(folder: Path, *, masks: bool = False) -> list[Path]:
    """The folders, one or two levels down at most, that are laid out as Pascal's own; the topmost ones."""
    level = [folder]
    for _ in range(DEPTH + 1):
        roots = [candidate for candidate in level if _is_root(candidate, masks=masks)]
        if roots:
            return roots
        level = [candidate / name for candidate in level for name in subfolders(candidate)]
    return []


def _is_root(folder: Path, *, masks: bool) -> bool:
    if masks:
        return all((folder / name).is_dir() for name in ("JPEGImages", "SegmentationClass"))
    annotations = folder / "Annotations"
    return annotations.is_dir() and any(file.suffix.lower() == ".xml" for file in annotations.iterdir())


def has_xml(folder: Path) -> bool:
    """Whether XML files lie anywhere below a folder."""
    return any(name.lower().endswith(".xml") for name, skipped in walk(folder, folder) if not skipped)


def detect_voc(path: Path, *, request: DataRequest) -> FormatMatch | None:  # noqa: ARG001  every format's
    """A folder with XML files anywhere below it."""
    return FormatMatch(location=path) if path.is_dir() and has_xml(path) else None


def list_voc(root: Path, *, request: DataRequest | None = None) -> ObjectListing:
    """Every picture that has an annotation file and, where there are lists, stands in one; classes are sorted."""
    index = index_pictures(root)
    found = _annotation_files(root, request)
    if len(found.files) == 1:
        refuse_other_tools(found.files[0][0])
    problems, notes = found.problems, found.notes
    rows: list[ObjectRow] = []
    other_names = 0
    for file, split in found.files:
        where = file.relative_to(root).as_posix()
        try:
            tree = read_xml(file)
            named = Path((tree.findtext("filename") or "").strip().replace("\\", "/")).name
            picture = _picture(root, file, named, index)
            annotations = tuple(_annotations(where, tree))
        except ValueError as error:
            problems.append(BadSample(where, str(error), "correct the file, or add its picture"))
            continue
        other_names += bool(named) and folded(Path(named).stem) != folded(Path(picture).stem)
        rows.append(ObjectRow(name=picture, annotations=annotations, split=split, size=_size(tree)))
    classes = tuple(sorted({annotation.label for row in rows for annotation in row.annotations}))
    ignored = sum(annotation.ignored for row in rows for annotation in row.annotations)
    if rows:
        notes.append("boxes of Pascal VOC count pixels from 1; they are read so")
    if ignored:
        are = counted(ignored, "object is", "objects are")
        message = f"{are} marked difficult: they are not learnt, nor counted when missed"
        notes.append(DataNote(message, kind="left-out", what="difficult objects", items=ignored))
    if other_names:
        name = counted(other_names, "file names", "files name")
        notes.append(f"{name} another picture in <filename>; the one of their own name is taken")
    return ObjectListing(root=root, rows=rows, classes=classes, problems=problems, notes=notes, origins=found.origins)


@dataclass(slots=True)
class AnnotationFiles:
    """The annotation files of a source with the split of each."""

    files: list[tuple[Path, Split | None]]
    problems: list[BadSample] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    origins: dict[Split | None, tuple[str, ...]] = field(default_factory=dict)
    """The lists that say so."""


def _annotation_files(root: Path, request: DataRequest | None) -> AnnotationFiles:
    """The annotation files of Pascal's own layout, else those beside the pictures."""
    roots = voc_roots(root)
    if not roots:
        return _files_beside(root, request)
    found = AnnotationFiles(files=[])
    for folder in roots:
        own = {file.stem: file for file in sorted((folder / "Annotations").iterdir()) if file.suffix.lower() == ".xml"}
        lists = read_lists(folder / "ImageSets" / "Main", request)
        found.problems += _without_annotation(root, lists, own)
        listed = [
            (file, lists.splits.get(stem)) for stem, file in own.items() if stem in lists.splits or not lists.files
        ]
        found.files += listed
        left = len(own) - len(listed)
        if left:
            message = f"left out {counted(left, 'picture')} that none of {', '.join(lists.files)} names"
            found.notes.append(DataNote(message, kind="left-out", what="pictures that no list names", items=left))
        found.notes += lists.notes
        for name in lists.files:
            split = lists.splits_of_files.get(name)
            path = (lists.folder / name).relative_to(root).as_posix()
            found.origins[split] = (*found.origins.get(split, ()), path)
    return found


def _files_beside(root: Path, request: DataRequest | None) -> AnnotationFiles:
    """XML beside the pictures, in one folder or in one per split."""
    names = [name for name, skipped in walk(root, root) if not skipped and name.lower().endswith(".xml")]
    chosen = chosen_parts(root, request)
    if chosen:
        pairs = [
            (root / name, split) for name in sorted(names) for split, part in chosen if part in (root / name).parents
        ]
        return AnnotationFiles(files=pairs)
    parents = [(root / name).parent for name in names]
    top = Path(os.path.commonpath(parents)) if parents else root  # annotations/train and annotations/val
    inside = {root / name: (root / name).relative_to(top).parts for name in sorted(names)}
    folders = sorted({parts[0] for parts in inside.values() if len(parts) > 1})
    splits = splits_of_folders(folders)
    others = [name for name in folders if name not in splits]
    if splits and others:
        raise question(top, splits, others, labelled=False)
    files = [(file, splits.get(parts[0])) for file, parts in inside.items()]
    return AnnotationFiles(files=files, problems=twins(splits))


def _without_annotation(root: Path, lists: VocLists, own: Mapping[str, Path]) -> Iterator[BadSample]:
    """A problem for every line of VOC's lists that names no annotation file: its picture would not be read."""
    for name, line in lists.lines:
        if name not in own:
            reason = f"it lists {name}, but there is no Annotations/{name}.xml"
            where = (lists.folder / line).relative_to(root).as_posix()
            yield BadSample(where, reason, "add the annotation file, or correct the list")


def _picture(root: Path, file: Path, named: str, index: PictureIndex) -> str:
    """The picture of the same stem; only where there is none, the one that <filename> says."""
    for name in [file.stem, *([Path(named).stem] if named else [])]:
        pictures = index.by_stem.get(folded(name), ())
        exact = [path for path in pictures if Path(path).stem == name]
        pictures = exact or pictures
        if len(pictures) > 1:
            pictures = _nearest(root, file, pictures)
        if len(pictures) > 1:
            raise ValueError(f"{len(pictures)} pictures are called {name}: {', '.join(pictures[:3])}")
        if pictures:
            return pictures[0]
    raise ValueError(f"there is no picture {file.stem}{f' or {named}' if named else ''} beside it or in JPEGImages/")


def _nearest(root: Path, file: Path, pictures: Sequence[str]) -> list[str]:
    """Of pictures of one name those beside the file; else those under the nearest folder that holds both."""
    beside = [path for path in pictures if (root / path).parent == file.parent]
    for folder in file.parents if not beside else ():
        under = [path for path in pictures if folder in (root / path).parents]
        if under or folder == root:
            mirrored = [path for path in under if Path(path).parent.name == file.parent.name]
            own = [path for path in under if PICTURE_FOLDERS & {part.lower() for part in Path(path).parts}]
            return next((chosen for chosen in (own, mirrored, under) if chosen), under)
    return beside


def _annotations(where: str, tree: ElementTree.Element) -> Iterator[BoxAnnotation]:
    for number, item in enumerate(tree.iter("object"), 1):
        label = (item.findtext("name") or "").strip()
        if not label:
            raise ValueError(f"object {number} has no name")
        difficult = (item.findtext("difficult") or "0").strip().lower()
        if difficult not in ("0", "1", "true", "false", ""):
            raise ValueError(f"object {number} is marked difficult with {difficult!r}, not 0 or 1")
        box = _box(item, number)
        yield BoxAnnotation(label, box, f"{where} object {number}", ignored=difficult in ("1", "true"))


def _box(item: ElementTree.Element, number: int) -> Box:
    frame = item.find("bndbox")
    texts = [frame.findtext(corner) if frame is not None else None for corner in CORNERS]
    try:
        left, top, right, bottom = (float(text or "") for text in texts)
    except ValueError:
        raise ValueError(f"object {number} has no bndbox of the four numbers {', '.join(CORNERS)}") from None
    return left - 1.0, top - 1.0, right, bottom


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    texts = [(tree.findtext(f"size/{side}") or "").strip() for side in ("height", "width")]
    return (int(texts[0]), int(texts[1])) if all(text.isdecimal() and int(text) for text in texts) else None
