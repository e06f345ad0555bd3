"""Objects in COCO's JSON: a file per split with images, categories and annotations; boxes are x, y, width, height."""

from __future__ import annotations

import codecs
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zoo.api.data import DataNote, DataRequest, Split, counted
from zoo.api.errors import BadSample, DataError
from zoo.api.formats import FormatMatch
from zoo.data.formats.detection.coco_document import (
    CocoAnnotation,
    CocoDocument,
    CocoImage,
    Id,
    is_number,
    load_json,
    read_coco,
)
from zoo.data.formats.detection.objects import Box, BoxAnnotation, ObjectListing, ObjectRow
from zoo.data.formats.detection.regions import region_frame
from zoo.data.formats.folders import subfolders
from zoo.data.formats.other_tools import refuse_other_tools
from zoo.data.formats.parts import chosen_names, chosen_path, say_which
from zoo.data.formats.picture_index import PictureIndex, index_pictures
from zoo.data.formats.samples import Origins
from zoo.data.formats.split_names import exact_split, split_of_file, split_of_path, split_words

ANNOTATION_WORDS: Final = frozenset({"annotations", "annotation", "ann", "annos", "labels", "json", "jsons"})
"""Words of a folder that holds annotation files, beside the folders of pictures."""
HEAD: Final = 65_536
"""Bytes at the beginning of a file that show whether it is COCO's."""


def detect_coco(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A .json file, or a folder with annotation files; not sure where no .json file begins as COCO's do."""
    if path.is_file():
        if path.suffix.lower() != ".json":
            return None
        with path.open("rb") as opened:
            return FormatMatch(location=path, sure=_begins_as_object(opened.read(HEAD)))
    if not coco_files(path):
        return None
    return FormatMatch(location=path, sure=bool(request.format) or looks_like_coco(path) is not None)


def coco_files(folder: Path) -> list[Path]:
    """The annotation files of a folder; empty when it is none of COCO's.

    Looked for in annotations/ (those called instances first), beside the pictures of each split, and in the folder.
    """
    folders = [folder / name for name in subfolders(folder)]
    own = [file for subfolder in folders if _holds_annotations(subfolder) for file in _json_files(subfolder)]
    instances = [file for file in own if "instances" in split_words(file.stem)]
    split = [file for subfolder in folders for file in _json_files(subfolder) if file not in own]
    return instances or own or split or _json_files(folder)


def _holds_annotations(folder: Path) -> bool:
    return bool(ANNOTATION_WORDS & set(split_words(folder.name)))


def _json_files(folder: Path) -> list[Path]:
    # Roboflow's file is called _annotations.coco.json, so that an underscore hides nothing here
    files = (file for file in folder.iterdir() if file.suffix.lower() == ".json" and not file.name.startswith("."))
    return sorted(file for file in files if file.is_file())


def looks_like_coco(folder: Path) -> Path | None:
    """An annotation file of COCO in a folder, known by its beginning; None where there is none."""
    for file in coco_files(folder):
        with file.open("rb") as opened:
            head = opened.read(HEAD)
        if _begins_as_object(head) and re.search(rb'"(images|annotations)"\s*:\s*\[', head):
            return file
    return None


def _begins_as_object(head: bytes) -> bool:
    """Whether JSON is no list, as Label Studio's is and COCO's never."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] != b"["


def coco_root(location: Path) -> Path:
    """The folder below which the pictures lie; beside that of the annotation files, where a file was named."""
    if location.is_dir():
        return location
    return location.parent.parent if _holds_annotations(location.parent) else location.parent


def list_coco(location: Path, *, request: DataRequest | None = None) -> ObjectListing:
    """Every picture that one annotation file, or those of a folder, name."""
    root, documents, notes = read_documents(location, request)
    index = index_pictures(root)
    rows: list[ObjectRow] = []
    problems: list[BadSample] = []
    ignored = 0
    for document in documents:
        problems += document.problems
        by_image = _by_image(document, problems)
        ignored += sum(annotation.ignored for boxes in by_image.values() for annotation in boxes)
        for image in document.images:
            name = find_picture(root, document, image, index, problems)
            if name:
                boxes = tuple(by_image[image.id])
                rows.append(ObjectRow(name=name, annotations=boxes, split=document.split, size=image.size))
    framed = sum(_lacks_box(annotation) for document in documents for annotation in document.annotations)
    if framed:
        outlines = counted(framed, "annotation has an outline", "annotations have an outline")
        notes.append(f"{outlines} and no bbox: the frame around it counts")
    if ignored:
        message = counted(ignored, "crowd region is", "crowd regions are")
        message += " not learnt; what is found in them counts neither way"
        notes.append(DataNote(message, kind="left-out", what="crowd regions", items=ignored))
    return ObjectListing(
        root=root,
        rows=rows,
        classes=class_names(documents),
        problems=problems,
        notes=notes,
        origins=origins_of_documents(root, documents),
    )


def origins_of_documents(root: Path, documents: Sequence[CocoDocument]) -> Origins:
    """The annotation files of every split."""
    origins: dict[Split | None, tuple[str, ...]] = {}
    for document in documents:
        name = document.file.relative_to(root).as_posix()
        origins[document.split] = (*origins.get(document.split, ()), name)
    return origins


def read_documents(location: Path, request: DataRequest | None) -> tuple[Path, list[CocoDocument], list[str]]:
    """The root of the pictures, every annotation file with its split, and what must be said about them.

    DataError where a file's name says no split beside others whose names do.
    """
    root = coco_root(location)
    if location.is_file():  # named by the user: all of it is learnt from, whatever its name says
        return root, [read_coco(root, location, load_json(location), None)], []
    chosen = {split: name for split, name in chosen_names(request).items() if name}
    if chosen:
        files = [(chosen_path(root, split, name, folder=False), split) for split, name in chosen.items()]
        return root, [read_coco(root, file, load_json(file), split) for file, split in files], []
    files_of_splits = [(file, split_of(root, file)) for file in coco_files(root)]
    documents: list[CocoDocument] = []
    notes: list[str] = []
    failures: list[DataError] = []
    for file, known in files_of_splits:
        try:
            documents.append(read_coco(root, file, load_json(file), known))
        except DataError as error:
            failures.append(error)
    if failures and not any(document.images for document in documents):
        refuse_other_tools(root)
        raise failures[0]
    notes += [
        DataNote(f"left out a file: {error.message}", kind="left-out", what="a .json file", items=1)
        for error in failures
    ]
    _refuse_unknown_files(root, documents)
    return root, documents, [*notes, *(note for document in documents for note in document.notes)]


def _refuse_unknown_files(root: Path, documents: Sequence[CocoDocument]) -> None:
    names = [(document.file.relative_to(root).as_posix(), document.split) for document in documents]
    known = {name: split for name, split in names if split is not None}
    unknown = [name for name, split in names if split is None]
    if known and unknown:
        raise DataError(
            f"{root} holds {', '.join(known)}, which are called after splits, and beside them {', '.join(unknown)}",
            hint=f"say which files are the parts: {say_which(known)}, or --train {unknown[0]}",
        )
    if known and "train" not in known.values():
        raise DataError(f"{root} has {', '.join(known)}, and nothing to learn from", hint="say it with --train FILE")


def split_of(root: Path, file: Path) -> Split | None:
    """The split that the name of an annotation file says, or that of its folder: instances_train2017.json, valid/."""
    folders = reversed(file.relative_to(root).parent.parts)
    return split_of_file(file.stem) or next((split for name in folders if (split := exact_split(name))), None)


def class_names(documents: Sequence[CocoDocument]) -> tuple[str, ...]:
    """The names of all categories in the order of their ids; a file may lack some, but not number them otherwise."""
    names: dict[Id, str] = {}
    first: dict[Id, Path] = {}
    for document in documents:
        for key, name in document.categories.items():
            if names.setdefault(key, name) != name:
                odd = f"{names[key]!r} and {name!r} ({key})"
                raise DataError(f"{first[key]} and {document.file} number their classes differently, such as {odd}")
            first.setdefault(key, document.file)
    ordered = tuple(names[key] for key in sorted(names, key=lambda key: (isinstance(key, str), key)))
    twice = sorted({name for name in ordered if ordered.count(name) > 1})
    if twice:
        files = ", ".join(str(document.file) for document in documents)
        raise DataError(f"{files}: the class {twice[0]!r} is named twice", hint="give every category its own name")
    return ordered


def _by_image(document: CocoDocument, problems: list[BadSample]) -> defaultdict[Id, list[BoxAnnotation]]:
    boxes: defaultdict[Id, list[BoxAnnotation]] = defaultdict(list)
    sizes = {image.id: image.size for image in document.images}
    for annotation in document.annotations:
        region, size = annotation.fields.get("segmentation"), sizes[annotation.image]
        try:
            box = region_frame(region, size) if _lacks_box(annotation) else _box(annotation)
        except ValueError as error:
            problems.append(BadSample(annotation.where, f"it has no bbox, and {error}", "correct its segmentation"))
            continue
        if box is None:
            fix = "write bbox as x, y, width, height"
            problems.append(BadSample(annotation.where, "it has no bbox of four numbers", fix))
        else:
            boxes[annotation.image].append(
                BoxAnnotation(annotation.label, box, annotation.where, ignored=annotation.crowd)
            )
    return boxes


def _box(annotation: CocoAnnotation) -> Box | None:
    box = annotation.fields.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        return None
    if not all(is_number(value) for value in box):
        return None
    x, y, width, height = (float(value) for value in box)
    return x, y, x + width, y + height


def _lacks_box(annotation: CocoAnnotation) -> bool:
    """Whether an annotation has a segmentation, and a bbox that says nothing."""
    box = annotation.fields.get("bbox")
    return bool(annotation.fields.get("segmentation")) and (not box or box == [0, 0, 0, 0])


def find_picture(
    root: Path, document: CocoDocument, image: CocoImage, index: PictureIndex, problems: list[BadSample]
) -> str | None:
    """The path below the root of a picture that an annotation file names; None and a problem where there is none.

    The path is tried beside the file, in the root and in images/; then the only picture of this name counts, or the
    only one in a folder that is called after the file's split.
    """
    folder = document.file.parent.relative_to(root).as_posix()
    part = document.file.stem.rpartition("_")[2]
    bases = [folder, ".", "images", f"images/{part}", part, part.rstrip("0123456789")]
    for base in bases:
        name = image.name if base == "." else f"{base}/{image.name}"
        path = index.at(name)
        if path and (base == folder or document.split is None or split_of_path(path) in (None, document.split)):
            return path
    for wanted in (image.name, image.name.rpartition("/")[2]):
        files = index.ending(wanted)
        own = [file for file in files if document.split and split_of_path(file) == document.split]
        files = own if len(own) == 1 else files
        if len(files) == 1:
            return files[0]
        if files:
            shown = ", ".join(files[:3])
            reason = f"{len(files)} files are called {image.name}: {shown}"
            problems.append(BadSample(image.where, reason, "write the path below the data in file_name"))
            return None
    alike = index.with_stem(image.name.rpartition("/")[2])
    own = [file for file in alike if document.split in (None, split_of_path(file))]
    alike = own if len(own) == 1 else alike
    if len(alike) == 1 and "/" not in image.name.strip("./"):  # a picture that was saved anew in another format
        return alike[0]
    problems.append(BadSample(image.where, f"no file {image.name}", "correct file_name"))
    return None
