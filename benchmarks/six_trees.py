"""Six folders as people have them, made from scikit-image's photographs; each is trained with nothing but `--data`.

    PYTHONPATH=.:plugins:export python benchmarks/six_trees.py FOLDER [NAME ...]

makes them below FOLDER (a Roboflow export, a CVAT export, VOCdevkit, COCO with val, masks of 0 and 255, a folder from
a phone) and prints what `zoo train` says of each.  It needs scikit-image and pillow-heif.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image
from skimage import data

from zoo.cli import main

SIDE = 96
CLASSES = ("face", "cup")
PHONE = ("astronaut", "chelsea", "coffee")
RANDOM = random.Random(0)
PHOTOS = {
    name: Image.fromarray(getattr(data, name)()).convert("RGB")
    for name in ("astronaut", "chelsea", "coffee", "immunohistochemistry")
}
OBJECTS = (PHOTOS["astronaut"].crop((165, 45, 285, 205)), PHOTOS["coffee"].crop((150, 40, 440, 330)))
BACKGROUNDS = (PHOTOS["immunohistochemistry"], PHOTOS["chelsea"])
Box = tuple[int, int, int, int]
"""x, y, width and height in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A picture with a face and a cup, each in its place."""

    image: Image.Image
    boxes: tuple[Box, Box]


def crop(photo: Image.Image, side: int) -> Image.Image:
    """A square of a photograph, anywhere."""
    x, y = (RANDOM.randrange(length - side) for length in photo.size)
    return photo.crop((x, y, x + side, y + side))


def scene() -> Scene:
    """One object in the left half and one in the right, on another photograph."""
    image, boxes = crop(RANDOM.choice(BACKGROUNDS), SIDE), []
    left = RANDOM.random() < 0.5
    for index, thing in enumerate(OBJECTS):
        width, height = RANDOM.randrange(26, 42), RANDOM.randrange(26, 42)
        start = 0 if (index == 0) == left else SIDE // 2
        x, y = start + RANDOM.randrange(SIDE // 2 - width + 1), RANDOM.randrange(SIDE - height)
        image.paste(thing.resize((width, height)), (x, y))
        boxes.append((x, y, width, height))
    return Scene(image=image, boxes=(boxes[0], boxes[1]))


def yolo_rows(boxes: Sequence[Box]) -> str:
    """A label file: class, centre, width and height in shares of the picture."""
    rows = [
        f"{index} {(x + w / 2) / SIDE:.6f} {(y + h / 2) / SIDE:.6f} {w / SIDE:.6f} {h / SIDE:.6f}\n"
        for index, (x, y, w, h) in enumerate(boxes)
    ]
    return "".join(rows)


def roboflow(folder: Path) -> None:
    """A Roboflow export: data.yaml with ../train/images, .rf. in the names, two readmes."""
    for split, count in (("train", 48), ("valid", 12), ("test", 8)):
        for kind in ("images", "labels"):
            (folder / split / kind).mkdir(parents=True)
        for index in range(count):
            name, made = f"img_{index}_jpg.rf.{index:032x}", scene()
            made.image.save(folder / split / "images" / f"{name}.jpg")
            (folder / split / "labels" / f"{name}.txt").write_text(yolo_rows(made.boxes))
    (folder / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['face', 'cup']\n\n"
        "roboflow:\n  workspace: w\n  project: p\n  version: 1\n  license: CC BY 4.0\n"
    )
    for name in ("README.roboflow.txt", "README.dataset.txt"):
        (folder / name).write_text("exported")


def cvat(folder: Path) -> None:
    """CVAT's YOLO 1.1: obj.data, obj.names, train.txt and pictures beside their labels."""
    (folder / "obj_train_data").mkdir(parents=True)
    for index in range(60):
        made = scene()
        made.image.save(folder / "obj_train_data" / f"{index}.jpg")
        (folder / "obj_train_data" / f"{index}.txt").write_text(yolo_rows(made.boxes))
    (folder / "obj.data").write_text("classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n")
    (folder / "obj.names").write_text("face\ncup\n")
    (folder / "train.txt").write_text("".join(f"data/obj_train_data/{index}.jpg\n" for index in range(60)))


def vocdevkit(folder: Path) -> None:
    """VOCdevkit with one year, lists for train, val and trainval."""
    year = folder / "VOC2012"
    for part in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (year / part).mkdir(parents=True)
    names = [f"2012_{index:06d}" for index in range(60)]
    for name in names:
        made = scene()
        made.image.save(year / "JPEGImages" / f"{name}.jpg")
        objects = "".join(
            f"<object><name>{label}</name><difficult>0</difficult><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>"
            f"<xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox></object>"
            for label, (x, y, w, h) in zip(CLASSES, made.boxes, strict=True)
        )
        (year / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><folder>VOC2012</folder><filename>{name}.jpg</filename><size><width>{SIDE}</width>"
            f"<height>{SIDE}</height><depth>3</depth></size>{objects}</annotation>"
        )
    for split, listed in (("train", names[:48]), ("val", names[48:]), ("trainval", names)):
        (year / "ImageSets/Main" / f"{split}.txt").write_text("".join(f"{name}\n" for name in listed))


def coco(folder: Path) -> None:
    """COCO 2017's own layout, with category ids 1 and 3."""
    (folder / "annotations").mkdir(parents=True)
    images = iter(range(1, 1000))
    for split, count in (("train2017", 48), ("val2017", 12)):
        (folder / split).mkdir()
        document: dict[str, list[dict[str, object]]] = {
            "images": [],
            "annotations": [],
            "categories": [{"id": 1, "name": "face"}, {"id": 3, "name": "cup"}],
        }
        for image in (next(images) for _ in range(count)):
            made, name = scene(), f"{image:012d}.jpg"
            made.image.save(folder / split / name)
            document["images"].append({"id": image, "file_name": name, "width": SIDE, "height": SIDE})
            document["annotations"] += list(coco_objects(image, made.boxes))
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(document))


def coco_objects(image: int, boxes: Sequence[Box]) -> Iterator[dict[str, object]]:
    """The annotations of one picture."""
    for index, (x, y, w, h) in enumerate(boxes):
        outline = [x, y, x + w, y, x + w, y + h, x, y + h]
        identity, category = 2 * image + index, (1, 3)[index]
        box = {"bbox": [x, y, w, h], "area": w * h, "iscrowd": 0, "segmentation": [outline]}
        yield {"id": identity, "image_id": image, "category_id": category, **box}


def masks(folder: Path) -> None:
    """Pictures beside masks of 0 and 255: the cup."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for index in range(60):
        made, mask = scene(), np.zeros((SIDE, SIDE), np.uint8)
        x, y, w, h = made.boxes[1]
        mask[y : y + h, x : x + w] = 255
        made.image.save(folder / "images" / f"{index}.jpg")
        Image.fromarray(mask).save(folder / "masks" / f"{index}.png")


def phone(folder: Path) -> None:
    """From a phone: HEIC among JPG, turned by EXIF, with .DS_Store and Thumbs.db."""
    pillow_heif.register_heif_opener()
    for name in PHONE:
        (folder / name).mkdir(parents=True)
        for index in range(20):
            image, exif = crop(PHOTOS[name], 120), Image.Exif()
            exif[0x0112] = (1, 6, 3)[index % 3]
            if index % 4 == 0:
                image.save(folder / name / f"IMG_{index:04d}.HEIC")
            else:
                image.save(folder / name / f"IMG_{index:04d}.JPG", exif=exif)
        (folder / name / "Thumbs.db").write_bytes(b"\0" * 50)
    (folder / ".DS_Store").write_bytes(b"\0" * 100)


TREES: dict[str, tuple[Callable[[Path], None], str]] = {
    "roboflow": (roboflow, "yolo_nano"),
    "cvat": (cvat, "yolo_nano"),
    "VOCdevkit": (vocdevkit, "ssd_tiny"),
    "coco": (coco, "ssd_tiny"),
    "masks": (masks, "fcn_tiny"),
    "phone": (phone, "resnet"),
}
"""How each is made, and what is trained on it."""


def run(root: Path, names: Sequence[str]) -> int:
    """Make the folders and train on each."""
    codes = []
    for name, (make, model) in TREES.items():
        if names and name not in names:
            continue
        folder = root / name
        if not folder.exists():
            make(folder)
        print(f"\n$ zoo train {model} --data {folder}", flush=True)
        codes.append(main(["train", model, "--data", str(folder)]))
    return max(codes)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
