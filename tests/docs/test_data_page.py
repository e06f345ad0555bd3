"""docs/data.md: every format of every task has a tree, and the tree is made and read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.builtin import builtin_task
from zoo.api.data import DataRequest
from zoo.data.audio.mu_law import wave_bytes
from zoo.data.formats.built_in import BUILT_IN_FORMATS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "data.md").read_text()
TREES = re.findall(r"```tree (\S+) (\S+)\n(.*?)```", PAGE, re.DOTALL)
MORE = 24
"""Files that … stands for."""
FILES = {"text-table", "text-file", "text-lines", "csv", "pairs"}
"""Formats whose source is the file in the tree."""
NAMES = ("cat", "dog")


def files_of(tree: str) -> list[str]:
    """Every path of a tree: names on a line share the folder of the first, … are more of the last."""
    paths = []
    for line in tree.splitlines():
        first, *others = line.split()
        folder = str(PurePosixPath(first).parent)
        names = [PurePosixPath(first).name, *others]
        if names[-1] == "…":
            suffix = PurePosixPath(names[-2]).suffix
            names = [name for name in names[:-1] if name != f"1{suffix}"]
            names += [f"{number}{suffix}" for number in range(1, MORE + 1)]
        paths += [name if folder == "." else f"{folder}/{name}" for name in names]
    return paths


def write_tree(root: Path, task: str, paths: list[str]) -> None:
    pictures = [path for path in paths if path.endswith(".jpg")]
    for number, path in enumerate(paths):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[file.suffix](file, number, task=task, pictures=pictures)


def picture(file: Path, number: int, **_: Any) -> None:
    levels = np.random.default_rng(number).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(levels).save(file)


def mask(file: Path, number: int, **_: Any) -> None:
    classes = np.zeros((24, 32), np.uint8)
    classes[4:12, number % 9 : 20] = 1
    classes[12:20, 5:25] = 2
    Image.fromarray(classes).save(file)


def sound(file: Path, number: int, **_: Any) -> None:
    signal = np.random.default_rng(number).uniform(-0.5, 0.5, 1000)
    if file.suffix == ".wav":
        file.write_bytes(wave_bytes(signal, 8000))
    else:
        soundfile.write(file, signal, 8000)


def annotation(file: Path, number: int, **_: Any) -> None:
    box = "<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>18</ymax></bndbox>"
    file.write_text(f"<annotation><object><name>{NAMES[number % 2]}</name>{box}</object></annotation>")


def text(file: Path, number: int, *, task: str, **_: Any) -> None:
    if file.parent.name in ("Main", "Segmentation"):
        half = MORE * 3 // 4
        stems = range(1, half + 1) if file.stem == "train" else range(half + 1, MORE + 1)
        file.write_text("".join(f"{stem}\n" for stem in stems))
    elif file.name == "classes.txt":
        file.write_text("background\ncat\ndog\n")
    elif file.stem in ("pos", "neg"):
        file.write_text("".join(f"{file.stem} text number {at}\n" for at in range(40)))
    elif "labels" in file.parts:
        outline = "0.1 0.1 0.8 0.2 0.5 0.9" if task == "semantic-segmentation" else "0.5 0.5 0.4 0.4"
        file.write_text(f"{number % 2} {outline}\n")
    else:
        file.write_text(f"The text number {number} has a few words of its own. " * (40 if "generation" in task else 1))


def settings(file: Path, number: int, **_: Any) -> None:
    file.write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")


def table(file: Path, number: int, *, task: str, pictures: list[str], **_: Any) -> None:
    if file.name == "pairs.csv":
        rows = ["a,b,same", "anna/1.jpg,anna/2.jpg,1", "bert/1.jpg,bert/2.jpg,1", "anna/1.jpg,bert/2.jpg,0"]
    elif pictures and task == "image-reconstruction":
        rows = ["path", *pictures]
    elif pictures:
        rows = ["path,label", *(f"{path},{NAMES[at % 2]}{at % 5}" for at, path in enumerate(pictures))]
    else:
        rows = ["text,label", *(f"{file.stem} {at} is a text,{NAMES[at % 2]}" for at in range(60))]
    file.write_text("\n".join(rows))


def lines(file: Path, number: int, **_: Any) -> None:
    file.write_text("\n".join(json.dumps({"text": f"line {at} of some running text"}) for at in range(80)))


def document(file: Path, number: int, *, pictures: list[str], **_: Any) -> None:
    """COCO's, the pictures of the split, each with one object and its outline; or Label Studio's."""
    if file.name == "project-1.json":
        file.write_text(json.dumps([studio_task(at, path) for at, path in enumerate(pictures)]))
        return
    split = "val" if "val" in file.as_posix().rpartition("annotations")[2] + file.parent.name else "train"
    own = [PurePosixPath(path).name for path in pictures if path.startswith(split)]
    images = [{"id": at, "file_name": name, "height": 24, "width": 32} for at, name in enumerate(own)]
    outline = [[3, 4, 20, 4, 20, 18]]
    annotations = [
        {"id": at, "image_id": at, "category_id": 1 + at % 2, "bbox": [3, 4, 17, 14], "segmentation": outline}
        for at in range(len(own))
    ]
    categories = [{"id": at, "name": name} for at, name in enumerate(NAMES, 1)]
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def studio_task(number: int, path: str) -> dict[str, Any]:
    value = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": [NAMES[number % 2]]}
    region = {"type": "rectanglelabels", "original_width": 32, "original_height": 24, "value": value}
    image = f"/data/upload/1/{PurePosixPath(path).name}"
    return {"id": number, "data": {"image": image}, "annotations": [{"result": [region]}]}


WRITERS: Mapping[str, Callable[..., None]] = {
    ".jpg": picture,
    ".png": mask,
    ".wav": sound,
    ".flac": sound,
    ".ogg": sound,
    ".xml": annotation,
    ".txt": text,
    ".yaml": settings,
    ".csv": table,
    ".jsonl": lines,
    ".json": document,
}


@pytest.mark.parametrize(("task", "format", "tree"), TREES, ids=[f"{task}-{format}" for task, format, _ in TREES])
def test_a_tree_of_the_page_is_made_and_read(task: str, format: str, tree: str, tmp_path: Path) -> None:
    root = tmp_path / "world"
    paths = files_of(tree)
    write_tree(root, task, paths)
    source = root / next(path for path in paths if "/" not in path) if format in FILES else root
    part = builtin_task(task).data
    card = part.check(part.detect(DataRequest(source=str(source))), progress=lambda *_: None)
    assert card.source.format == format
    assert all(items for items in card.splits.values())
    if format != "pairs":
        assert {"train", "validation"} <= set(card.splits)
    if task in ("image-classification", "object-detection", "semantic-segmentation", "text-classification"):
        assert len(card.classes) > 1


def test_every_format_of_every_task_has_a_tree_and_a_row() -> None:
    shown = {(task, format) for task, format, _ in TREES}
    assert [(spec.tasks[0], spec.name) for spec in BUILT_IN_FORMATS if (spec.tasks[0], spec.name) not in shown] == []
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ")]
    header = next(row for row in rows if row[0].strip() == "format")
    cells: dict[tuple[str, str], str] = {}
    for row in rows[rows.index(header) + 1 :]:
        for format in row[0].split(","):
            for tasks, cell in zip(header[1:], row[1:], strict=True):
                cells |= {(task.strip(), format.strip()): cell.strip() for task in tasks.split(",")}
    for spec in BUILT_IN_FORMATS:
        told = "read, written" if spec.write else "read"
        assert [(task, spec.name) for task in spec.tasks if cells.get((task, spec.name)) != told] == []
    known = {(task, spec.name) for spec in BUILT_IN_FORMATS for task in spec.tasks}
    assert [key for key, cell in cells.items() if cell and key not in known] == []
