"""Whether a folder looks like the data of another task, such as pictures with boxes given to a classifier."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest
from zoo.api.errors import DataError
from zoo.data.formats.detection.coco import looks_like_coco
from zoo.data.formats.detection.voc import voc_roots
from zoo.data.formats.detection.yolo_settings import yolo_source
from zoo.data.formats.folders import walk
from zoo.data.formats.masks.mask_folders import mask_folders
from zoo.data.formats.other_tools import refuse_other_tools

LOOK_AT: Final = 2_000
"""Files beside which annotations are looked for."""


def refuse_other_task(path: Path, request: DataRequest, *, labelled: bool) -> None:
    """DataError where a folder looks like the data of another task and the request does not say how to read it."""
    if request.train or request.format:
        return
    evidence = other_task(path) if labelled else _masks(path)
    if evidence is None:
        return
    refuse_other_tools(path)
    task, why = evidence
    read = "its folders as classes" if labelled else "every picture in it, masks as well"
    raise DataError(
        f"{path} looks like data for {task}: {why}",
        hint=f"train a model of that task (zoo list {task}), or read {read} with --train .",
    )


def other_task(path: Path) -> tuple[str, str] | None:
    """The task of annotated pictures in a folder, and what shows it; None where nothing does."""
    detection = "object-detection"
    if (yolo := yolo_source(path)) is not None:
        return detection, f"{yolo.name} is a dataset of YOLO" if yolo.is_file() else "labels/ holds YOLO's text files"
    if (coco := looks_like_coco(path)) is not None:
        return detection, f"{coco.relative_to(path).as_posix()} is an annotation file of COCO"
    if voc_roots(path):
        return detection, "Annotations/ holds Pascal VOC's XML"
    if (masks := _masks(path)) is not None:
        return masks
    files = (name for name, skipped in islice(walk(path, path), LOOK_AT) if not skipped)
    if any(name.lower().endswith(".xml") for name in files):
        return detection, "XML files of Pascal VOC lie beside the pictures"
    return None


def _masks(path: Path) -> tuple[str, str] | None:
    pair = next(iter(mask_folders(path)), None)
    if pair is None:
        return None
    images, masks = (folder.relative_to(path).as_posix() for folder in pair[1:])
    return "semantic-segmentation", f"{images}/ holds pictures and {masks}/ masks of the same names"
