"""YOLO's text files as people have them: any YAML, lists, polygons, CVAT's and labelImg's folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError
from zoo.data.formats.detect import read_source
from zoo.data.formats.detection.checks import check_objects
from zoo.data.formats.detection.layouts import detect_objects
from zoo.data.formats.detection.yolo_settings import read_dataset, read_settings

SIDE = 20
LINE = "0 0.5 0.5 0.2 0.4\n"


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(sum(map(ord, str(path)))).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def world(root: Path, yaml: str = "train: images/train\nval: images/val\nnames: [cat, dog]\n") -> Path:
    """Three pictures with a cat each, two to learn from."""
    for part, names in (("train", "ab"), ("val", "c")):
        for name in names:
            picture(root / "images" / part / f"{name}.png")
            written(root / "labels" / part / f"{name}.txt", LINE)
    written(root / "data.yaml", yaml)
    return root


def card(path: Path, **options: Any) -> DataCard:
    source = detect_objects(DataRequest(source=str(path), **options))
    assert source.format == "yolo" and source.location is not None
    card = check_objects(source, read_source(source), progress=lambda *_: None)
    root = card.root
    assert root is not None
    assert all((root / sample.name).is_file() for items in card.splits.values() for sample in items)
    return card


def stems(found: DataCard) -> dict[str, list[str]]:
    return {split: [Path(sample.name).stem for sample in items] for split, items in found.splits.items()}


def problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        card(path)
    return [f"{problem.where}: {problem.reason}" for problem in caught.value.problems]


SPLIT = {"train": ["a", "b"], "validation": ["c"]}


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("names: ['traffic light', 'car, van', 'bus']", ("traffic light", "car, van", "bus")),
        ("names: ['C #1', 'it''s']", ("C #1", "it's")),
        ('names: ["caf\\u00e9", b]', ("café", "b")),
        ("names: [no, on, 1.0, 007]", ("no", "on", "1.0", "007")),
        ("names:\n- cat  # good\n- dog", ("cat", "dog")),
        ("names:\n  [\n  cat,\n  dog,\n  ]", ("cat", "dog")),
        ("names: {0: cat, 1: dog}", ("cat", "dog")),
        ("names:\n  0: cat\n  1: 'dog: big'", ("cat", "dog: big")),
        ("nc: 2", ("class 0", "class 1")),
        ("names: &names [cat, dog]\nlabels: *names", ("cat", "dog")),
    ],
)
def test_names_as_yaml_has_them(text: str, classes: tuple[str, ...], tmp_path: Path) -> None:
    root = world(tmp_path, f"train: images/train\nval: images/val\n{text}\n")
    assert read_dataset(root / "data.yaml").classes == classes


def test_a_published_description_with_a_script_is_read(tmp_path: Path) -> None:
    text = (
        "# Ultralytics YOLO\npath: ../datasets/coco8 # root\ntrain: images/train # 4 images\nval: images/val\n"
        "test: # optional\n\nnames:\n  0: cat\n  1: dog\n\ndownload: |\n  from x import y\n  for a in b: print(a)\n"
        "augment: {mosaic: [1, 2], on: true}\n"
    )
    assert stems(card(world(tmp_path, text))) == SPLIT


@pytest.mark.parametrize("name", ["coco8.yaml", "my-data.yml", "Data.YAML"])
def test_any_name_of_the_description(name: str, tmp_path: Path) -> None:
    (world(tmp_path) / "data.yaml").rename(tmp_path / name)
    written(tmp_path / "hyp.yaml", "lr0: 0.01\nmomentum: 0.9\n")
    assert stems(card(tmp_path)) == SPLIT
    assert stems(card(tmp_path / name)) == SPLIT


def test_two_descriptions_are_a_question(tmp_path: Path) -> None:
    (world(tmp_path) / "data.yaml").rename(tmp_path / "a.yaml")
    written(tmp_path / "b.yaml", "train: images/val\nnames: [x]\n")
    with pytest.raises(DataError, match=r"holds 2 descriptions of data: a\.yaml, b\.yaml"):
        card(tmp_path)


def test_roboflows_export(tmp_path: Path) -> None:
    for part, names in (("train", "ab"), ("valid", "c"), ("test", "d")):
        for name in names:
            picture(tmp_path / part / "images" / f"{name}_jpg.rf.0a1b.jpg")
            written(tmp_path / part / "labels" / f"{name}_jpg.rf.0a1b.txt", LINE)
    written(
        tmp_path / "data.yaml",
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n\n"
        "roboflow:\n  workspace: me\n  project: pets\n  version: 1\n  license: CC BY 4.0\n",
    )
    assert card(tmp_path).counts() == {"train": 2, "validation": 1, "test": 1}


def test_a_path_of_another_machine_is_read_here_aloud(tmp_path: Path) -> None:
    root = world(tmp_path, "train: /content/pets/images/train\nval: /content/pets/images/val\nnames: [cat]\n")
    found = card(root)
    assert stems(found) == SPLIT
    assert "/content/pets/images/train is not there; images/train is read for it" in found.notes


def test_lists_of_pictures(tmp_path: Path) -> None:
    root = world(tmp_path, "train: train.txt\nval: lists/val.txt\nnames: [cat]\n")
    written(root / "train.txt", "./images/train/a.png\n\n/content/data/images/train/b.png\n")
    written(root / "lists" / "val.txt", "images/val/c.png\n")
    assert stems(card(root)) == SPLIT
    written(root / "lists" / "val.txt", "images/val/c.png\nimages/val/gone.png\n")
    assert problems(root) == ["lists/val.txt line 2: no picture images/val/gone.png"]


def test_linked_folders(tmp_path: Path) -> None:
    world(tmp_path / "real")
    root = tmp_path / "linked"
    root.mkdir()
    for name in ("images", "labels"):
        (root / name).symlink_to(tmp_path / "real" / name)
    written(root / "data.yaml", "train: images/train\nval: images/val\nnames: [cat]\n")
    assert stems(card(root)) == SPLIT


def test_validation_that_is_the_training_set_is_a_warning(tmp_path: Path) -> None:
    found = card(world(tmp_path, "train: images/train\nval: images/train\nnames: [cat]\n"))
    assert stems(found) == {"train": ["a", "b"], "validation": ["a", "b"]}
    assert "train and val name the same pictures: validation measures pictures that were trained on" in found.notes


def test_a_number_of_classes_unlike_the_names_is_said(tmp_path: Path) -> None:
    found = card(world(tmp_path, "train: images/train\nval: images/val\nnc: 3\nnames: [cat, dog]\n"))
    assert "data.yaml says nc: 3, but names 2 classes; the names count" in found.notes


def test_a_test_set_that_is_not_there_is_said(tmp_path: Path) -> None:
    found = card(world(tmp_path, "train: images/train\nval: images/val\ntest: images/test\nnames: [cat]\n"))
    assert "left out test: images/test is not there" in found.notes
    with pytest.raises(DataError, match="names images/gone for val, which is not there"):
        card(world(tmp_path, "train: images/train\nval: images/gone\nnames: [cat]\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: a\ntrain: b\nnames: [x]\n", r"line 2 is not valid YAML: the key 'train' is given twice"),
        ("names: [a\n", r"line 2 is not valid YAML"),
        ("- a\n- b\n", "it is no mapping"),
        ("train: images/train\nnames: [a, a]\n", "names a class twice"),
        ("train: images/train\nnames: [[a], b]\n", "names no classes"),
        ("train: images/train\nnames: {0: a, 2: b}\n", "does not number its classes from 0 on: 0, 2"),
        ("val: images/val\nnames: [a]\n", "names no folder of pictures"),
        ("train: images\nval: images/val\nnames: [a]\n", "val: images/val lies inside train: images"),
        ("train: images/train\nval: images/val\nvalid: images/val\nnames: [a]\n", "val and valid, which are one split"),
        ("a: &a [x]\nb: [" + ", ".join(["*a"] * 101) + "]\n", "line 2 is not valid YAML: more than 100 aliases"),
        ("a: &a [*a]\nnames: [x]\n", "is not valid YAML"),
    ],
)
def test_descriptions_that_are_wrong(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        read_dataset(written(world(tmp_path) / "data.yaml", text))


def test_an_alias_is_no_copy(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    settings = read_settings(written(tmp_path / "data.yaml", "\n".join(lines)))
    assert settings["a9"][0] is settings["a9"][8]


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("0.0 0.5 0.5 0.2 0.4", (8, 6, 12, 14)),
        ("0 0.25 0.25 0.75 0.3 0.5 0.75", (5, 5, 15, 15)),
        ("0 0.1 0.1 0.9 0.1 0.9 0.9 0.1 0.9", (2, 2, 18, 18)),
    ],
)
def test_lines_that_are_boxes_or_outlines(line: str, box: tuple[float, ...], tmp_path: Path) -> None:
    root = world(tmp_path)
    written(root / "labels" / "train" / "a.txt", line)
    assert card(root).splits["train"][0].boxes[0] == pytest.approx(box)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0.5 0.5 0.5 0.2 0.2", "its class 0.5 is not a whole number"),
        ("nan 0.5 0.5 0.2 0.2", "its class nan is not a whole number"),
        ("0 0.5 0.5 0.2 0.2 0.9", "it has 5 numbers after the class, a box has 4, a polygon an even number from 6 on"),
        ("-1 0.5 0.5 0.2 0.2", "its class -1 is out of range: there are 2, numbered from 0"),
    ],
)
def test_lines_that_are_neither(line: str, said: str, tmp_path: Path) -> None:
    root = world(tmp_path)
    written(root / "labels" / "train" / "a.txt", f"{LINE}{line}\n")
    assert problems(root) == [f"labels/train/a.txt line 2: {said}"]


def test_a_pose_counts_by_its_box(tmp_path: Path) -> None:
    root = world(tmp_path, "train: images/train\nval: images/val\nkpt_shape: [2, 3]\nnames: [person]\n")
    for file in root.glob("labels/*/*.txt"):
        written(file, "0 0.5 0.5 0.2 0.4 0.4 0.4 2 0.6 0.6 1\n")
    assert card(root).splits["train"][0].boxes[0] == pytest.approx((8, 6, 12, 14))


def test_a_box_written_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    root = world(tmp_path)
    written(root / "labels" / "train" / "a.txt", LINE + "1 0.5 0.5 0.2 0.4\n" + LINE)
    assert problems(root) == [
        "labels/train/a.txt line 3: the cat at (0.4, 0.3, 0.6, 0.7) is framed already by labels/train/a.txt line 1"
    ]


def test_cvats_export(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "obj_train_data" / f"{name}.png")
        written(tmp_path / "obj_train_data" / f"{name}.txt", LINE)
    written(tmp_path / "obj.names", "cat\ndog\n")
    written(tmp_path / "train.txt", "".join(f"data/obj_train_data/{name}.png\n" for name in "abc"))
    written(tmp_path / "obj.data", "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n")
    found = card(tmp_path)
    assert (found.classes, sum(found.counts().values())) == (("cat", "dog"), 3)


def test_labelimgs_flat_folder(tmp_path: Path) -> None:
    for name in "abcd":
        picture(tmp_path / f"{name}.png")
        written(tmp_path / f"{name}.txt", LINE)
    written(tmp_path / "classes.txt", "cat\ndog\n")
    written(tmp_path / "README.txt", "made with labelImg\n")
    found = card(tmp_path)
    assert (found.classes, sum(found.counts().values())) == (("cat", "dog"), 4)
    written(tmp_path / "e.txt", LINE)
    assert problems(tmp_path) == ["e.txt: there is no picture for it in ."]


def test_label_studios_export(tmp_path: Path) -> None:
    for name in "abcd":
        picture(tmp_path / "images" / f"{name}.png")
        written(tmp_path / "labels" / f"{name}.txt", LINE)
    written(tmp_path / "classes.txt", "cat\ndog\n")
    written(tmp_path / "notes.json", '{"categories": [], "info": {}}')
    assert sum(card(tmp_path).counts().values()) == 4


def test_a_picture_that_cannot_be_read_is_named_itself(tmp_path: Path) -> None:
    root = world(tmp_path)
    written(root / "images" / "train" / "d.CR2", "x")
    written(root / "labels" / "train" / "d.txt", LINE)
    assert problems(root) == ["images/train/d.CR2: .cr2 pictures cannot be read"]


def test_pictures_of_a_camera_and_suffixes_of_any_case(tmp_path: Path) -> None:
    root = world(tmp_path)
    picture(root / "images" / "train" / "_MG_0001.JPG")
    written(root / "labels" / "train" / "_MG_0001.TXT", LINE)
    found = card(root)
    assert stems(found)["train"] == ["_MG_0001", "a", "b"]
    assert found.splits["train"][0].labels == (0,)


def test_a_text_file_whose_picture_lies_elsewhere_is_a_question(tmp_path: Path) -> None:
    root = world(tmp_path)
    picture(root / "images" / "more" / "d.png")
    written(root / "labels" / "train" / "d.txt", LINE)
    assert problems(root) == ["labels/train/d.txt: its picture may be images/more/d.png, which data.yaml does not name"]


def test_a_source_that_is_two_formats_is_a_question(tmp_path: Path) -> None:
    root = world(tmp_path)
    written(root / "annotations" / "train.json", '{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(DataError, match="can be read as yolo and as coco") as caught:
        card(root)
    assert caught.value.hint == "say which counts: --format yolo"
    assert stems(card(root, format="yolo")) == SPLIT
