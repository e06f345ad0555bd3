"""What kind of source of pictures with masks a request names; answered without opening a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import DataError
from zoo.data.formats.detection.coco import coco_files
from zoo.data.formats.masks.coco import list_regions
from zoo.data.formats.masks.mask_folders import list_mask_folders, mask_folders
from zoo.data.formats.masks.masks import MaskListing
from zoo.data.formats.masks.voc import is_voc, list_voc_masks
from zoo.data.formats.named_path import named_path

SCENES: Final = "digit_scenes"
ACCEPTED: Final = (
    "accepted are FOLDER/images/*.jpg with FOLDER/masks/*.png of the same names, with or without train/ and val/ "
    "above or below them; Pascal VOC (FOLDER/JPEGImages with FOLDER/SegmentationClass); COCO "
    "(FOLDER/annotations/*.json with segmentations, or a .json file); "
    f"the embedded {SCENES}"
)
LISTINGS: Final[dict[str, Callable[[Path], MaskListing]]] = {
    "mask-folders": list_mask_folders,
    "voc-masks": list_voc_masks,
    "coco": list_regions,
}


def detect_masks(request: DataRequest) -> DataSource:
    """The layout of a source; DataError says what was found and what is accepted."""
    if request.source == SCENES:
        return DataSource(request=request, format=SCENES)
    path = named_path(request, accepted=ACCEPTED)
    return DataSource(request=request, format=_format(path), location=path)


def _format(path: Path) -> str:
    if path.is_file():
        if path.suffix.lower() == ".json":
            return "coco"
        raise DataError(f"{path} describes no masks that zoo can read", hint=ACCEPTED)
    if is_voc(path):
        return "voc-masks"
    if mask_folders(path):
        return "mask-folders"
    if coco_files(path):
        return "coco"
    raise DataError(f"{path} holds no pictures with masks that zoo can read", hint=ACCEPTED)


def mask_root(source: DataSource) -> Path:
    """The folder below which the pictures and masks of a source are, as its listing names them."""
    location = source.location
    if location is None:
        raise ValueError(f"a source of format {source.format} has no folder")
    return location.parent if location.is_file() else location
