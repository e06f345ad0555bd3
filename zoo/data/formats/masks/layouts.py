"""What kind of source of pictures with masks a request names; answered without opening a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import DataError
from zoo.data.formats.detection.coco import coco_files, coco_root
from zoo.data.formats.detection.voc import voc_roots
from zoo.data.formats.detection.yolo_settings import YAML, read_dataset, yolo_source
from zoo.data.formats.masks.coco import list_regions
from zoo.data.formats.masks.mask_folders import list_mask_folders, mask_folders
from zoo.data.formats.masks.masks import MaskListing
from zoo.data.formats.masks.voc import list_voc_masks
from zoo.data.formats.masks.yolo import list_yolo_masks
from zoo.data.formats.named_path import named_path

SCENES: Final = "digit_scenes"
ACCEPTED: Final = (
    "accepted are FOLDER/images/*.jpg with FOLDER/masks/*.png of the same names, with or without train/ and val/ "
    "above or below them, or NAME_mask.png beside NAME.jpg; Pascal VOC (FOLDER/JPEGImages with "
    "FOLDER/SegmentationClass); COCO (FOLDER/annotations/*.json with segmentations, or a .json file); "
    f"YOLO with polygons (FOLDER/data.yaml, or the .yaml file); the embedded {SCENES}"
)


class List(Protocol):
    """Reads a source of one format."""

    def __call__(self, location: Path, /, *, request: DataRequest | None = None) -> MaskListing:
        """Everything that the source names."""


LISTINGS: Final[dict[str, List]] = {
    "mask-folders": list_mask_folders,
    "voc-masks": list_voc_masks,
    "coco": list_regions,
    "yolo": list_yolo_masks,
}


def detect_masks(request: DataRequest) -> DataSource:
    """The layout of a source; DataError says what was found and what is accepted."""
    if request.source == SCENES:
        return DataSource(request=request, format=SCENES)
    path = named_path(request, accepted=ACCEPTED)
    format, location = _file(path) if path.is_file() else _folder(path, request)
    return DataSource(request=request, format=format, location=location)


def _file(path: Path) -> tuple[str, Path]:
    formats = {".json": "coco", **dict.fromkeys(YAML, "yolo")}
    if path.suffix.lower() not in formats:
        raise DataError(f"{path} describes no masks that zoo can read", hint=ACCEPTED)
    return formats[path.suffix.lower()], path


def _folder(path: Path, request: DataRequest) -> tuple[str, Path]:
    if voc_roots(path, masks=True) and request.format in ("", "voc-masks"):
        return "voc-masks", path
    if request.format in ("", "mask-folders") and mask_folders(path, request):
        return "mask-folders", path
    if request.format in ("", "coco") and coco_files(path):
        return "coco", path
    yolo = yolo_source(path)
    if request.format in ("", "yolo") and yolo is not None and yolo.is_file():
        return "yolo", yolo
    asked = f" as {request.format}" if request.format else ""
    raise DataError(f"{path} holds no pictures with masks that zoo can read{asked}", hint=ACCEPTED)


def mask_root(source: DataSource) -> Path:
    """The folder below which the pictures and masks of a source are, as its listing names them."""
    location = source.location
    if location is None:
        raise ValueError(f"a source of format {source.format} has no folder")
    if source.format == "yolo":
        return read_dataset(location, source.request).root
    return coco_root(location) if source.format == "coco" else location
