"""Pictures with objects written as COCO, as YOLO and as Pascal VOC; reading them again gives the same objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from zoo.api.data import DataCard
from zoo.data.formats.copying import FOLDERS, Copy, copies, copy_file
from zoo.data.formats.detection.objects import Box


def write_coco(card: DataCard, folder: Path) -> list[str]:
    """train/, val/ and test/ with annotations/instances_*.json; ignored objects are crowd regions."""
    documents: dict[str, dict[str, list[Any]]] = {}
    for number, copy in enumerate(copies(card), 1):
        name = FOLDERS[copy.split]
        copy_file(card, copy.sample.name, folder / name / copy.name)
        document = documents.setdefault(name, {"images": [], "annotations": [], "categories": _categories(card)})
        height, width = copy.sample.sides
        document["images"].append({"id": number, "file_name": copy.name, "height": height, "width": width})
        for box, label, ignored in _objects(copy):
            left, top, right, bottom = box
            document["annotations"].append(
                {
                    "id": len(document["annotations"]) + 1,
                    "image_id": number,
                    "category_id": label + 1,
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": int(ignored),
                }
            )
    (folder / "annotations").mkdir()
    for name, document in documents.items():
        (folder / "annotations" / f"instances_{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return []


def _categories(card: DataCard) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for number, name in enumerate(card.classes, 1)]


def write_yolo(card: DataCard, folder: Path) -> list[str]:
    """images/ and labels/ with a folder for each split, and data.yaml; ignored objects cannot be written."""
    ignored = 0
    for copy in copies(card):
        split = FOLDERS[copy.split]
        copy_file(card, copy.sample.name, folder / "images" / split / copy.name)
        height, width = copy.sample.sides
        lines = []
        for box, label, is_ignored in _objects(copy):
            ignored += is_ignored
            left, top, right, bottom = box
            shares = ((left + right) / 2 / width, (top + bottom) / 2 / height)
            sides = ((right - left) / width, (bottom - top) / height)
            lines += [] if is_ignored else [" ".join(map(repr, (label, *shares, *sides)))]
        labels = folder / "labels" / split / f"{copy.stem}.txt"
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    settings: dict[str, Any] = {FOLDERS[split]: f"images/{FOLDERS[split]}" for split in card.splits}
    settings["names"] = dict(enumerate(card.classes))
    text = yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    return [f"left out {ignored:,} crowd regions or difficult objects: YOLO has no mark for them"] if ignored else []


def write_voc(card: DataCard, folder: Path) -> list[str]:
    """Annotations/, JPEGImages/ and ImageSets/Main/; ignored objects are difficult ones."""
    (folder / "Annotations").mkdir()
    lists: dict[str, list[str]] = {}
    for copy in copies(card):
        copy_file(card, copy.sample.name, folder / "JPEGImages" / copy.name)
        lists.setdefault(FOLDERS[copy.split], []).append(copy.stem)
        _annotation(card, copy).write(folder / "Annotations" / f"{copy.stem}.xml", encoding="utf-8")
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    for name, stems in lists.items():
        (folder / "ImageSets" / "Main" / f"{name}.txt").write_text("".join(f"{stem}\n" for stem in stems))
    used = {label for items in card.splits.values() for sample in items for label in sample.labels}
    used |= {label for items in card.splits.values() for sample in items for _, label in sample.ignored}
    lost = [name for number, name in enumerate(card.classes) if number not in used]
    notes = ["Pascal VOC does not number its classes: they are read in the order of their names"]
    return notes + ([f"left out the classes {', '.join(lost)}: no object is of them"] if lost else [])


def _annotation(card: DataCard, copy: Copy) -> ElementTree.ElementTree[ElementTree.Element]:
    height, width = copy.sample.sides
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = copy.name
    size = ElementTree.SubElement(root, "size")
    for name, value in (("width", width), ("height", height), ("depth", 3)):
        ElementTree.SubElement(size, name).text = str(value)
    for (left, top, right, bottom), label, ignored in _objects(copy):
        item = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(item, "name").text = card.classes[label]
        ElementTree.SubElement(item, "difficult").text = str(int(ignored))
        frame = ElementTree.SubElement(item, "bndbox")
        corners = {"xmin": left + 1, "ymin": top + 1, "xmax": right, "ymax": bottom}  # pixels count from 1
        for name, value in corners.items():
            ElementTree.SubElement(frame, name).text = f"{value:.17g}"
    return ElementTree.ElementTree(root)


def _objects(copy: Copy) -> Iterator[tuple[Box, int, bool]]:
    """Box, class and whether it is ignored."""
    for box, label in zip(copy.sample.boxes, copy.sample.labels, strict=True):
        yield box, label, False
    for box, label in copy.sample.ignored:
        yield box, label, True
