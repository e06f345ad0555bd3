"""What kind of source of pictures with objects a request names; answered without opening a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import DataError
from zoo.data.formats.detection.coco import coco_files, list_coco
from zoo.data.formats.detection.objects import ObjectListing
from zoo.data.formats.detection.voc import list_voc, voc_files
from zoo.data.formats.detection.yolo_txt import list_yolo, picture_root, read_settings, yolo_file
from zoo.data.formats.named_path import named_path

SCENES: Final = "digit_scenes"
ACCEPTED: Final = (
    "accepted are COCO (FOLDER/annotations/*.json, FOLDER/train/_annotations.coco.json, or a .json file); "
    "YOLO (FOLDER/data.yaml with images/ and labels/, or the .yaml file); "
    "Pascal VOC (FOLDER/Annotations/*.xml with JPEGImages/, or .xml beside the pictures); "
    f"the embedded {SCENES}"
)
LISTINGS: Final[dict[str, Callable[[Path], ObjectListing]]] = {"coco": list_coco, "voc": list_voc, "yolo": list_yolo}


def detect_objects(request: DataRequest) -> DataSource:
    """The layout of a source; DataError says what was found and what is accepted."""
    if request.source == SCENES:
        return DataSource(request=request, format=SCENES)
    path = named_path(request, accepted=ACCEPTED)
    format, location = _file(path) if path.is_file() else _folder(path)
    return DataSource(request=request, format=format, location=location)


def _file(path: Path) -> tuple[str, Path]:
    formats = {".json": "coco", ".yaml": "yolo", ".yml": "yolo"}
    if path.suffix.lower() not in formats:
        raise DataError(f"{path} describes no objects in pictures that zoo can read", hint=ACCEPTED)
    return formats[path.suffix.lower()], path


def _folder(path: Path) -> tuple[str, Path]:
    settings = yolo_file(path)
    if settings is not None:
        return "yolo", settings
    if coco_files(path):
        return "coco", path
    if voc_files(path):
        return "voc", path
    if (path / "labels").is_dir() or any(path.glob("*/labels")):
        raise DataError(
            f"{path} has labels/ but no data.yaml that names the classes",
            hint="write one with the lines `train: images/train` and `names: [cat, dog]`",
        )
    raise DataError(f"{path} describes no objects in pictures that zoo can read", hint=ACCEPTED)


def object_root(source: DataSource) -> Path:
    """The folder below which the pictures of a source are, as its listing names them."""
    location = source.location
    if location is None:
        raise ValueError(f"a source of format {source.format} has no folder")
    if source.format == "yolo":
        return picture_root(location, read_settings(location))
    return location.parent if location.is_file() else location
