"""Pictures with masks written as folders, as Pascal VOC and as COCO; reading them again gives the same classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import yaml
from PIL import Image

from zoo.api.data import DataCard
from zoo.api.errors import DataError
from zoo.data.formats.copying import FOLDERS, Copy, copies, copy_file
from zoo.data.formats.masks.coco import BACKGROUND
from zoo.data.formats.masks.index_mask import drawn_mask, read_mask
from zoo.data.formats.masks.masks import IGNORE_INDEX

NAMES: Final = "classes.txt"


def write_mask_folders(card: DataCard, folder: Path) -> list[str]:
    """images/ and masks/ below a folder for each split, and classes.txt."""
    for copy in copies(card):
        split = folder / FOLDERS[copy.split]
        copy_file(card, copy.sample.name, split / "images" / copy.name)
        _save(_mask(card, copy), split / "masks" / f"{copy.stem}.png")
    _write_names(card, folder)
    return []


def write_voc_masks(card: DataCard, folder: Path) -> list[str]:
    """JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/, and classes.txt, which Pascal's own lack."""
    lists: dict[str, list[str]] = {}
    for copy in copies(card):
        copy_file(card, copy.sample.name, folder / "JPEGImages" / copy.name)
        _save(_mask(card, copy), folder / "SegmentationClass" / f"{copy.stem}.png")
        lists.setdefault(FOLDERS[copy.split], []).append(copy.stem)
    (folder / "ImageSets" / "Segmentation").mkdir(parents=True)
    for name, stems in lists.items():
        (folder / "ImageSets" / "Segmentation" / f"{name}.txt").write_text("".join(f"{stem}\n" for stem in stems))
    _write_names(card, folder)
    return []


def write_coco_masks(card: DataCard, folder: Path) -> list[str]:
    """train/, val/ and test/ with annotations/instances_*.json, run lengths for every class of a picture.

    DataError where COCO cannot say it: its pixels without a region are background, and none is left open.
    """
    where = card.source.request.source
    if card.classes[0] != BACKGROUND:
        raise DataError(
            f"COCO's class of what no region covers is {BACKGROUND}, and the first class of {where} is "
            f"{card.classes[0]!r}",
            hint="convert to mask-folders or voc-masks, which keep every class",
        )
    documents: dict[str, dict[str, list[Any]]] = {}
    for number, copy in enumerate(copies(card), 1):
        name = FOLDERS[copy.split]
        copy_file(card, copy.sample.name, folder / name / copy.name)
        document = documents.setdefault(name, {"images": [], "annotations": [], "categories": _categories(card)})
        mask = _mask(card, copy)
        if (mask == IGNORE_INDEX).any():
            raise DataError(
                f"{copy.sample.name} has pixels that are left open (255), which COCO cannot say",
                hint="convert to mask-folders or voc-masks, which keep them",
            )
        height, width = mask.shape
        document["images"].append({"id": number, "file_name": copy.name, "height": height, "width": width})
        for label in np.unique(mask[mask > 0]).tolist():
            region = _run_lengths(mask == label)
            key = len(document["annotations"]) + 1
            area = int((mask == label).sum())
            document["annotations"].append(
                {
                    "id": key,
                    "image_id": number,
                    "category_id": label,
                    "segmentation": region,
                    "area": area,
                    "iscrowd": 0,
                }
            )
    (folder / "annotations").mkdir()
    for name, document in documents.items():
        (folder / "annotations" / f"instances_{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return []


def write_yolo_masks(card: DataCard, folder: Path) -> list[str]:
    """images/ and labels/ with a folder for each split, an outline a line, and data.yaml.

    DataError for masks of pixels and for run lengths, which outlines cannot say: they have holes and single pixels.
    """
    if card.classes[0] != BACKGROUND:
        raise DataError(
            f"YOLO's class of what no outline covers is {BACKGROUND}, and the first class of "
            f"{card.source.request.source} is {card.classes[0]!r}",
            hint="convert to mask-folders or voc-masks, which keep every class",
        )
    for copy in copies(card):
        split = FOLDERS[copy.split]
        copy_file(card, copy.sample.name, folder / "images" / split / copy.name)
        labels = folder / "labels" / split / f"{copy.stem}.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("".join(f"{line}\n" for line in _outlines(copy)), encoding="utf-8")
    settings: dict[str, Any] = {FOLDERS[split]: f"images/{FOLDERS[split]}" for split in card.splits}
    settings["names"] = dict(enumerate(card.classes[1:]))
    text = yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    return []


def _outlines(copy: Copy) -> Iterator[str]:
    """The lines of a picture: the class and x, y, x, y, … in shares of its sides."""
    sample = copy.sample
    regions = [(label, json.loads(region)) for label, region in sample.shapes]
    if sample.mask or not all(isinstance(parts, list) for _, parts in regions):
        raise DataError(
            f"{sample.name} has a mask of pixels, which the outlines of YOLO cannot say: they know no holes",
            hint="convert to mask-folders, voc-masks or coco",
        )
    height, width = sample.sides
    for label, parts in regions:
        for part in parts:
            shares = [value / (height if index % 2 else width) for index, value in enumerate(part)]
            yield " ".join(map(repr, (label - 1, *shares)))


def _categories(card: DataCard) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for number, name in enumerate(card.classes) if number]


def _run_lengths(region: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """COCO's uncompressed run lengths: column by column, the first run is of what is outside."""
    flat = region.T.ravel().astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), flat.size]).tolist()
    return {"size": list(region.shape), "counts": [0, *counts] if flat[0] else counts}


def _mask(card: DataCard, copy: Copy) -> npt.NDArray[np.uint8]:
    """The class of every pixel."""
    sample, root = copy.sample, card.root or Path()
    return read_mask(root / sample.mask, sample.coding) if sample.mask else drawn_mask(sample.shapes, *sample.sides)


def _save(mask: npt.NDArray[np.uint8], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(file)


def _write_names(card: DataCard, folder: Path) -> None:
    """classes.txt; DataError for a name that would be read otherwise."""
    odd = [name for name in card.classes if ":" in name or name.startswith("#") or name != " ".join(name.split())]
    if odd:
        raise DataError(f"the class {odd[0]!r} cannot be a line of {NAMES}", hint="rename it in the data first")
    (folder / NAMES).write_text("".join(f"{name}\n" for name in card.classes), encoding="utf-8")
