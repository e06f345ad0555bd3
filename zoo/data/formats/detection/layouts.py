"""What kind of source of pictures with objects a request names; answered without opening a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import DataError, UsageError
from zoo.data.formats.detection.coco import coco_files, coco_root, list_coco, looks_like_coco
from zoo.data.formats.detection.objects import ObjectListing
from zoo.data.formats.detection.voc import has_xml, list_voc
from zoo.data.formats.detection.yolo_settings import CLASS_LISTS, YAML, read_dataset, yolo_source
from zoo.data.formats.detection.yolo_txt import list_yolo
from zoo.data.formats.named_path import named_path

SCENES: Final = "digit_scenes"
ACCEPTED: Final = (
    "accepted are COCO (FOLDER/annotations/*.json, FOLDER/train/_annotations.coco.json, or a .json file); "
    "YOLO (FOLDER/data.yaml with images/ and labels/, the .yaml file, obj.data, or text files beside the pictures with "
    "classes.txt); "
    "Pascal VOC (FOLDER/Annotations/*.xml with JPEGImages/, or .xml beside the pictures); "
    f"the embedded {SCENES}"
)


class List(Protocol):
    """Reads a source of one format."""

    def __call__(self, location: Path, /, *, request: DataRequest | None = None) -> ObjectListing:
        """Everything that the source names."""


LISTINGS: Final[dict[str, List]] = {"coco": list_coco, "voc": list_voc, "yolo": list_yolo}


def detect_objects(request: DataRequest) -> DataSource:
    """The layout of a source; DataError says what was found and what is accepted."""
    if request.source == SCENES:
        return DataSource(request=request, format=SCENES)
    path = named_path(request, accepted=ACCEPTED)
    format, location = _file(path) if path.is_file() else _folder(path, request.format)
    return DataSource(request=request, format=format, location=location)


def _file(path: Path) -> tuple[str, Path]:
    formats = {".json": "coco", ".data": "yolo", **dict.fromkeys(YAML, "yolo")}
    suffix = path.suffix.lower()
    if suffix not in formats and path.name not in CLASS_LISTS:
        raise DataError(f"{path} describes no objects in pictures that zoo can read", hint=ACCEPTED)
    return formats.get(suffix, "yolo"), path


def _folder(path: Path, format: str) -> tuple[str, Path]:
    """The format of a folder and what to read it by; DataError where it could be two."""
    yolo, coco, voc = yolo_source(path), coco_files(path), has_xml(path)
    ways = {
        "yolo": yolo if yolo is not None and yolo.is_file() else None,
        "coco": path if coco else None,
        "voc": path if voc else None,
    }
    formats = [name for name, location in ways.items() if location is not None]
    if format:
        if format not in formats:
            raise UsageError(
                f"--format {format}: {path} is no such data", hint=f"it may be {', '.join(formats) or 'none'}"
            )
        formats = [format]
    if len(formats) == 2 and "coco" in formats and looks_like_coco(path) is None:
        formats.remove("coco")  # another .json file, such as notes.json of Label Studio
    if len(formats) > 1:
        raise DataError(
            f"{path} can be read as {' and as '.join(formats)}", hint=f"say which counts: --format {formats[0]}"
        )
    if formats:
        location = ways[formats[0]]
        assert location is not None, "only those that were found are listed"
        return formats[0], location
    if yolo is not None or (path / "labels").is_dir():
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
        return read_dataset(location, source.request).root
    return coco_root(location) if source.format == "coco" else location
