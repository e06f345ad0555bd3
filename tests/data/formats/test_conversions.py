"""Data written in another format and read again: the same splits, classes, boxes, masks and texts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.audio.mu_law import wave_bytes
from zoo.data.formats.built_in import BUILT_IN_FORMATS
from zoo.data.formats.copying import distinct
from zoo.data.formats.masks.index_mask import drawn_mask, read_mask
from zoo.registry.catalog import Catalog
from zoo.registry.references import resolve

SPLITS = {"train": 12, "val": 10, "test": 10}
WRITTEN = {
    task: [spec.name for spec in BUILT_IN_FORMATS if spec.tasks[0] == task and spec.write]
    for task in ("object-detection", "semantic-segmentation", "image-classification", "text-classification")
}
OUTLINES = ("semantic-segmentation", "yolo")
"""What cannot say masks of pixels: it is tried with outlines."""
PAIRS = [
    (task, *pair)
    for task, names in WRITTEN.items()
    for pair in product([name for name in names if (task, name) != OUTLINES], repeat=2)
]


def read(task: str, folder: Path, format: str = "") -> DataCard:
    part = Catalog.discover().make_task(task).data
    return part.check(part.detect(DataRequest(source=str(folder), format=format)), progress=lambda *_: None)


def write(card: DataCard, task: str, format: str, folder: Path) -> Path:
    (spec,) = [spec for spec in BUILT_IN_FORMATS if spec.name == format and task in spec.tasks]
    folder.mkdir()
    writer = resolve(str(spec.write))
    assert callable(writer)
    writer(card, folder)
    return folder / "data.csv" if format == "text-table" else folder


def contents(card: DataCard) -> dict[str, list[Any]]:
    """What a model learns of every split, without names and orders that formats do not keep."""
    return {split: sorted(_told(card, sample) for sample in items) for split, items in card.splits.items()}


def _told(card: DataCard, sample: Any) -> Any:
    if hasattr(sample, "text"):
        return card.classes[sample.label], sample.text
    assert card.root is not None
    pixels = np.asarray(Image.open(card.root / sample.name)).tobytes()
    if hasattr(sample, "boxes"):
        pairs = zip(sample.boxes, sample.labels, strict=True)
        boxes = [(card.classes[label], [round(edge, 6) for edge in box]) for box, label in pairs]
        ignored = [(card.classes[label], [round(edge, 6) for edge in box]) for box, label in sample.ignored]
        return pixels, sorted(boxes), sorted(ignored)
    if hasattr(sample, "shapes"):
        file = card.root / sample.mask
        mask = read_mask(file, sample.coding) if sample.mask else drawn_mask(sample.shapes, *sample.sides)
        return pixels, mask.tolist()
    return pixels, card.classes[sample.label]


def picture(path: Path, number: int, size: tuple[int, int] = (31, 23)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)


def detection_world(root: Path) -> None:
    random = np.random.default_rng(7)
    (root / "labels").mkdir(parents=True)
    for split, count in SPLITS.items():
        for number in range(count):
            picture(root / "images" / split / f"same name {number}.png", 1000 * len(split) + number)
            lines = []
            for label in random.integers(0, 3, number % 4).tolist():
                left, top = random.uniform(0, 0.5, 2)
                width, height = random.uniform(0.1, 0.5, 2)
                lines.append(f"{label} {left + width / 2} {top + height / 2} {width} {height}\n")
            (root / "labels" / split).mkdir(exist_ok=True)
            (root / "labels" / split / f"same name {number}.txt").write_text("".join(lines))
    names = "train: images/train\nval: images/val\ntest: images/test\nnames: [car, 'traffic, light', no]\n"
    (root / "data.yaml").write_text(names)


def segmentation_world(root: Path) -> None:
    for split, count in SPLITS.items():
        for number in range(count):
            picture(root / split / "images" / f"{number}.png", 1000 * len(split) + number)
            mask = np.zeros((23, 31), np.uint8)
            mask[number % 9 : 15, 3:20] = 1
            mask[10:20, number:30] = 2
            (root / split / "masks").mkdir(exist_ok=True)
            Image.fromarray(mask).save(root / split / "masks" / f"{number}.png")
    (root / "classes.txt").write_text("background\nroad\nsky high\n")


def classification_world(root: Path) -> None:
    for split, count in SPLITS.items():
        for number in range(count):
            picture(root / split / ("cat", "Dog 2")[number % 2] / f"{number}.png", 1000 * len(split) + number)


def text_world(root: Path) -> None:
    root.mkdir(parents=True)
    for split, count in SPLITS.items():
        rows = [
            f'"line {number}, of {split}\nand ""another""",{("good", "bad")[number % 2]}' for number in range(count)
        ]
        (root / f"{split}.csv").write_text("\n".join(["text,label", *rows]))


WORLDS: dict[str, Callable[[Path], None]] = {
    "object-detection": detection_world,
    "semantic-segmentation": segmentation_world,
    "image-classification": classification_world,
    "text-classification": text_world,
}


@pytest.mark.parametrize(("task", "first", "second"), PAIRS)
def test_a_conversion_comes_back_the_same(task: str, first: str, second: str, tmp_path: Path) -> None:
    WORLDS[task](tmp_path / "world")
    world = read(task, tmp_path / "world")
    assert world.counts() == {"train": 12, "validation": 10, "test": 10}
    there = read(task, write(world, task, first, tmp_path / "first"))
    back = read(task, write(there, task, second, tmp_path / "second"))
    assert (there.source.format, back.source.format) == (first, second)
    assert contents(there) == contents(back) == contents(world)
    assert sorted(back.classes) == sorted(world.classes)
    if "voc" not in (first, second):
        assert back.classes == world.classes


def test_ignored_objects_stay_ignored_where_a_format_can_say_it(tmp_path: Path) -> None:
    detection_world(tmp_path / "world")
    voc = write(read("object-detection", tmp_path / "world"), "object-detection", "voc", tmp_path / "voc")
    file = next(path for path in sorted(voc.glob("Annotations/*.xml")) if "difficult" in path.read_text())
    file.write_text(file.read_text().replace("<difficult>0<", "<difficult>1<", 1))
    card = read("object-detection", voc)
    coco = read("object-detection", write(card, "object-detection", "coco", tmp_path / "coco"))
    assert contents(coco) == contents(card)
    assert sum(len(sample.ignored) for items in coco.splits.values() for sample in items) == 1


def test_coco_refuses_masks_that_it_cannot_say(tmp_path: Path) -> None:
    segmentation_world(tmp_path / "world")
    (tmp_path / "world" / "classes.txt").write_text("grass\nroad\nsky\n")
    with pytest.raises(DataError, match=r"the first class of .* is 'grass'"):
        write(read("semantic-segmentation", tmp_path / "world"), "semantic-segmentation", "coco", tmp_path / "coco")


def outline_world(root: Path) -> Path:
    for split in ("train", "val"):
        (root / "labels" / split).mkdir(parents=True)
        for number in range(4):
            picture(root / "images" / split / f"{number}.png", 100 * len(split) + number)
            lines = f"0 .1 .1 .8 .1 .8 .{number + 4}\n1 .3 .2 .6 .2 .5 .9 .4 .9\n"
            (root / "labels" / split / f"{number}.txt").write_text(lines)
    (root / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [road, sky]\n")
    return root


def test_outlines_come_back_as_outlines(tmp_path: Path) -> None:
    task = "semantic-segmentation"
    world = read(task, outline_world(tmp_path / "world"))
    back = read(task, write(world, task, "yolo", tmp_path / "yolo"))
    assert back.classes == world.classes == ("background", "road", "sky")
    assert contents(back) == contents(world)


def test_outlines_cannot_say_masks_of_pixels(tmp_path: Path) -> None:
    task = "semantic-segmentation"
    world = read(task, outline_world(tmp_path / "world"))
    masks = read(task, write(world, task, "mask-folders", tmp_path / "masks"))
    with pytest.raises(DataError, match="has a mask of pixels, which the outlines of YOLO cannot say"):
        write(masks, task, "yolo", tmp_path / "yolo")


def test_identities_come_back_whole(tmp_path: Path) -> None:
    for name in ("anna", "bert", "carla", "dora", "emil"):
        for number in range(3):
            picture(tmp_path / "world" / name / f"{number}.png", sum(name.encode()) + number)
    task = "image-embedding"
    world = read(task, tmp_path / "world")
    back = read(task, write(world, task, "class-folders", tmp_path / "back"))
    assert back.counts() == world.counts()
    assert {path.parent.name for path in (tmp_path / "back").rglob("*.png")} == {
        "anna",
        "bert",
        "carla",
        "dora",
        "emil",
    }


def test_recordings_come_back_with_and_without_their_classes(tmp_path: Path) -> None:
    for label in ("high", "low"):
        for number in range(4):
            file = tmp_path / "world" / label / f"{number}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            signal = np.random.default_rng(len(label) * 10 + number).uniform(-0.5, 0.5, 2000)
            file.write_bytes(wave_bytes(signal, 8000))
    task = "audio-generation"
    world = read(task, tmp_path / "world")
    classes = read(task, write(world, task, "wav-classes", tmp_path / "classes"))
    plain = read(task, write(world, task, "wav-folder", tmp_path / "plain"))
    assert classes.classes == ("high", "low")
    assert plain.classes == ()
    assert classes.counts() == plain.counts() == world.counts()
    with pytest.raises(DataError, match="are of no classes"):
        write(plain, task, "wav-classes", tmp_path / "again")


def test_running_text_comes_back_the_same(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "book.txt").write_text("".join(f"line {number} of it\n" for number in range(300)))
    task = "text-generation"
    world = read(task, tmp_path / "world")
    back = read(task, write(world, task, "text-folder", tmp_path / "back"))
    for split in ("train", "validation"):
        assert [item.text for item in back.splits[split]] == [item.text for item in world.splits[split]]
    with pytest.raises(DataError, match="begins or ends with white space"):
        write(world, task, "text-lines", tmp_path / "lines")


def test_names_are_kept_where_they_can_be() -> None:
    assert distinct(["a/1.jpg", "b/1.JPG", "b/2.png", "two words.png"]) == [
        "a_1.jpg",
        "b_1.JPG",
        "2.png",
        "two_words.png",
    ]
    assert distinct(["a_b/1.png", "a/b_1.png", "x/a_b_1.png"]) == ["1.png", "b_1.png", "a_b_1.png"]
    assert distinct(["a/b/1.png", "a_b/1.png"]) == ["a_b_1.png", "a_b_1_2.png"]
