"""COCO's JSON as people have it: any names of files, every malformed field a sentence, crowds apart."""

from __future__ import annotations

import json
from collections.abc import Callable
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

SIDE = 20
Document = dict[str, Any]


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(map(ord, str(path)))
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)).save(path)


def document(names: list[str], *, first: int = 1) -> Document:
    """A picture and a box a name, the class by the parity of the picture."""
    numbers = range(first, first + len(names))
    return {
        "images": [
            {"id": n, "file_name": name, "height": SIDE, "width": SIDE} for n, name in zip(numbers, names, strict=True)
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1 + n % 2, "bbox": [n % 5, 2, 6, 7], "iscrowd": 0} for n in numbers
        ],
    }


def write(root: Path, name: str, content: Document) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


def card(path: Path, **options: Any) -> DataCard:
    source = detect_objects(DataRequest(source=str(path), **options))
    assert source.location is not None
    listing = read_source(source)
    return check_objects(source, listing, progress=lambda *_: None)


def problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        card(path)
    assert all(problem.fix for problem in caught.value.problems)
    return [f"{problem.where}: {problem.reason}" for problem in caught.value.problems]


def one_file(root: Path, change: Callable[[Document], Any]) -> Path:
    """One annotation file beside two pictures, with one thing changed in it."""
    content = document(["a.png", "b.png"])
    for name in ("a.png", "b.png"):
        picture(root / "images" / name)
    change(content)
    write(root, "annotations/instances_default.json", content)
    return root


@pytest.mark.parametrize(
    ("train", "other", "split"),
    [
        ("annotations/instances_train2017.json", "annotations/instances_val2017.json", "validation"),
        ("annotations/train_annotations.json", "annotations/val_annotations.json", "validation"),
        ("annotations/instances-train.json", "annotations/instances-val.json", "validation"),
        ("annotations/annotations_train.json", "annotations/annotations_dev.json", "validation"),
        ("annotations/TrainAnnotations.json", "annotations/ValAnnotations.json", "validation"),
        ("train_coco.json", "val_coco.json", "validation"),
        ("coco_training.JSON", "coco_testing.JSON", "test"),
        ("train.json", "holdout.json", "test"),
        ("train/_annotations.coco.json", "valid/_annotations.coco.json", "validation"),
        ("Train/labels.json", "Test/labels.json", "test"),
        ("Annotations/my.project.train.json", "Annotations/my.project.eval.json", "validation"),
    ],
)
def test_pairs_of_files_of_any_names(train: str, other: str, split: str, tmp_path: Path) -> None:
    for name in "abcdef":
        picture(tmp_path / "images" / f"{name}.png")
    write(tmp_path, train, document(["a.png", "b.png", "c.png", "d.png"]))
    write(tmp_path, other, document(["e.png", "f.png"]))
    found = card(tmp_path)
    names = {str(name): [Path(sample.name).stem for sample in items] for name, items in found.splits.items()}
    assert names[split] == ["e", "f"]
    assert sorted(names["train"] + (names["validation"] if split == "test" else [])) == ["a", "b", "c", "d"]


def test_a_file_beside_those_of_splits_is_a_question(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "images" / f"{name}.png")
    for name, stem in (("a", "train"), ("b", "val"), ("c", "more")):
        write(tmp_path, f"annotations/{stem}.json", document([f"{name}.png"]))
    with pytest.raises(DataError, match=r"beside them annotations/more\.json") as caught:
        card(tmp_path)
    assert "--train annotations/train.json --val annotations/val.json" in caught.value.hint
    named = card(tmp_path, train="annotations/more.json", validation="annotations/val.json")
    assert [sample.name for sample in named.splits["train"]] == ["images/c.png"]


def test_a_file_of_captions_beside_the_boxes_is_left_out_aloud(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "images" / f"{name}.png")
    write(tmp_path, "annotations/train.json", document(["a.png", "b.png"]))
    write(tmp_path, "annotations/val.json", document(["c.png"]))
    write(tmp_path, "annotations/captions_train.json", {"images": [], "annotations": []})
    assert any("captions_train.json is not COCO's JSON" in note for note in card(tmp_path).notes)


def test_a_file_that_the_user_names_is_learnt_from_whatever_its_name(tmp_path: Path) -> None:
    for name in "abcd":
        picture(tmp_path / "val2017" / f"{name}.png")
    file = write(tmp_path, "annotations/instances_val2017.json", document([f"{name}.png" for name in "abcd"]))
    assert sum(card(file).counts().values()) == 4


W = "annotations/instances_default.json"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["images"][0].update(height="80.0"), 'image 1: its height and width are "80.0" and 20'),
        (lambda d: d["images"][0].update(height=0), "image 1: its height and width are 0 and 20"),
        (lambda d: d["images"][0].update(width=[20]), "image 1: its height and width are 20 and [20]"),
        (lambda d: d["images"][0].pop("id"), "image 0: image number 0 has no id"),
        (lambda d: d["images"][0].update(id=[1]), "image [1]: its id is [1]"),
        (lambda d: d["images"][0].update(id=None), "image 0: its id is missing"),
        (lambda d: d["images"][0].pop("file_name"), "image 1: its file_name is missing"),
        (lambda d: d["images"][0].update(file_name=7), "image 1: its file_name is 7"),
        (lambda d: d["images"].append(3), "image 2: it is 3, not an object"),
        (
            lambda d: d["images"][1].update(id=1),
            "image 1: the id 1 is given twice: to entry 0 (a.png) and to entry 1 (b.png)",
        ),
        (lambda d: d["categories"][0].pop("name"), "category 1: its name is missing"),
        (lambda d: d["categories"][0].update(name=None), "category 1: its name is missing"),
        (lambda d: d["categories"][1].pop("id"), "category 1: category number 1 has no id"),
        (
            lambda d: d["categories"][1].update(id=1),
            "category 1: the id 1 is given twice: to entry 0 (cat) and to entry 1 (dog)",
        ),
        (lambda d: d["categories"].append("bird"), 'category 2: it is "bird", not an object'),
        (lambda d: d["annotations"].append(None), "annotation 2: it is missing, not an object"),
        (lambda d: d["annotations"][0].update(image_id=[1]), "annotation 1: there is no image [1]"),
        (lambda d: d["annotations"][0].pop("image_id"), "annotation 1: there is no image missing"),
        (
            lambda d: d["annotations"][0].update(image_id="1"),
            'annotation 1: there is no image "1"; image 1 is written otherwise',
        ),
        (
            lambda d: d["annotations"][0].update(category_id={}),
            "annotation 1: its class {} is not among the 2 categories",
        ),
        (lambda d: d["annotations"][0].update(bbox="1,2,3,4"), "annotation 1: it has no bbox of four numbers"),
        (lambda d: d["annotations"][0].update(bbox=["1", 2, 3, 4]), "annotation 1: it has no bbox of four numbers"),
        (lambda d: d["annotations"][0].update(bbox=[True, 2, 3, 4]), "annotation 1: it has no bbox of four numbers"),
        (lambda d: d["annotations"][0].update(bbox=None), "annotation 1: it has no bbox of four numbers"),
        (
            lambda d: d["annotations"][0].update(bbox=[1, 2, float("nan"), 4]),
            "annotation 1: its box (1, 2, nan, 6) is not finite",
        ),
        (lambda d: d["annotations"][0].update(bbox=[10**400, 2, 3, 4]), "annotation 1: it has no bbox of four numbers"),
        (
            lambda d: d["images"][0].update(height=10**400),
            f"image 1: its height and width are {'1' + 38 * '0'}… and 20",
        ),
        (lambda d: d["images"][0].update(height=float("inf")), "image 1: its height and width are Infinity and 20"),
        (lambda d: d["annotations"][0].update(iscrowd="maybe"), 'annotation 1: its iscrowd is "maybe"'),
    ],
)
def test_every_malformed_field_is_a_sentence(change: Callable[[Document], Any], said: str, tmp_path: Path) -> None:
    assert f"{W} {said}" in problems(one_file(tmp_path, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["images"][0].update(height=None, width=None),
        lambda d: d["images"][0].pop("height"),
        lambda d: d["images"][0].update(height=20.0, width=20.0),
        lambda d: d["annotations"][0].pop("id"),
        lambda d: d["annotations"][0].pop("iscrowd"),
        lambda d: d["annotations"][0].update(iscrowd=None),
        lambda d: d["annotations"][0].update(image_id=1.0),
        lambda d: d["images"][0].update(file_name="A.PNG"),
        lambda d: d["images"][0].update(file_name="somewhere\\else\\a.png"),
        lambda d: d["images"][0].update(file_name="/home/me/a.png"),
        lambda d: d.update(info=None, licenses=[]),
    ],
)
def test_what_does_not_matter_is_accepted(change: Callable[[Document], Any], tmp_path: Path) -> None:
    found = card(one_file(tmp_path, change))
    assert sorted(sample.name for items in found.splits.values() for sample in items) == [
        "images/a.png",
        "images/b.png",
    ]
    assert found.classes == ("cat", "dog")


def test_ids_may_be_texts_throughout(tmp_path: Path) -> None:
    def as_texts(content: Document) -> None:
        for image in content["images"]:
            image["id"] = f"img-{image['id']}"
        for annotation in content["annotations"]:
            annotation["image_id"] = f"img-{annotation['image_id']}"

    assert sum(card(one_file(tmp_path, as_texts)).counts().values()) == 2


@pytest.mark.parametrize("top", [[], "text", {"images": {}, "annotations": [], "categories": []}, {"images": []}])
def test_other_json_is_said_to_be_none(top: object, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(top))
    with pytest.raises(DataError, match="is not COCO's JSON: it has no list"):
        card(file)


def test_repeated_annotation_ids_are_said_and_harm_nothing(tmp_path: Path) -> None:
    found = card(one_file(tmp_path, lambda d: d["annotations"][1].update(id=1)))
    assert f"{W} gives 1 annotations an id that another has; nothing is looked up by it" in found.notes


def test_a_file_may_lack_classes_but_not_number_them_otherwise(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "images" / f"{name}.png")
    write(tmp_path, "annotations/train.json", document(["a.png", "b.png"]))
    few = document(["c.png"])
    few["categories"] = [{"id": 2, "name": "dog"}]
    write(tmp_path, "annotations/val.json", few)
    assert card(tmp_path).classes == ("cat", "dog")
    few["categories"] = [{"id": 2, "name": "cat"}, {"id": 1, "name": "dog"}]
    write(tmp_path, "annotations/val.json", few)
    with pytest.raises(DataError, match="number their classes differently, such as 'dog' and 'cat'"):
        card(tmp_path)


def test_roboflows_category_of_the_project_is_left_out_aloud(tmp_path: Path) -> None:
    def project(content: Document) -> None:
        for category in content["categories"]:
            category["supercategory"] = "animals"
        content["categories"].insert(0, {"id": 0, "name": "animals", "supercategory": "none"})

    found = card(one_file(tmp_path, project))
    assert found.classes == ("cat", "dog")
    assert f"left out the category 'animals' of {W}: it is the parent of the others" in found.notes


def test_a_crowd_is_neither_learnt_nor_background(tmp_path: Path) -> None:
    def crowded(content: Document) -> None:
        picture(tmp_path / "images" / "c.png")
        content["annotations"][0]["iscrowd"] = 1
        content["images"].append({"id": 3, "file_name": "c.png"})

    found = card(one_file(tmp_path, crowded))
    samples = {sample.name: sample for items in found.splits.values() for sample in items}
    assert samples["images/a.png"].labels == ()
    assert samples["images/a.png"].ignored == (((1.0, 2.0, 7.0, 9.0), 1),)
    assert "1 picture shows none of the classes; they teach what is background" in found.notes


def test_boxes_written_twice_are_a_problem_with_both_places(tmp_path: Path) -> None:
    def twice(content: Document) -> None:
        content["annotations"] += [{**annotation, "id": 10 + annotation["id"]} for annotation in content["annotations"]]

    assert problems(one_file(tmp_path, twice)) == [
        f"{W} annotation 11: the dog at (1, 2, 7, 9) is framed already by {W} annotation 1",
        f"{W} annotation 12: the cat at (2, 2, 8, 9) is framed already by {W} annotation 2",
    ]


def test_copies_of_training_pictures_in_validation_are_said(tmp_path: Path) -> None:
    for name in "ab":
        picture(tmp_path / "train" / f"{name}.png")
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "c.png").write_bytes((tmp_path / "train" / "a.png").read_bytes())
    write(tmp_path, "annotations/train.json", document(["a.png", "b.png"]))
    write(tmp_path, "annotations/val.json", document(["c.png"]))
    leak = "1 picture is in two splits at once, such as train/a.png and val/c.png: the scores will flatter"
    assert leak in card(tmp_path).notes


def test_pictures_of_one_name_in_two_folders_are_told_apart_by_the_split(tmp_path: Path) -> None:
    for folder in ("images/train", "images/val"):
        picture(tmp_path / folder / "1.png")
    write(tmp_path, "annotations/train.json", document(["1.png"]))
    write(tmp_path, "annotations/val.json", document(["1.png"]))
    found = card(tmp_path)
    assert [sample.name for sample in found.splits["train"]] == ["images/train/1.png"]
    assert [sample.name for sample in found.splits["validation"]] == ["images/val/1.png"]
    for folder in ("x", "y"):
        picture(tmp_path / "other" / folder / "1.png")
    write(tmp_path / "other", "all.json", document(["1.png"]))
    assert problems(tmp_path / "other") == ["all.json image 1: 2 files are called 1.png: x/1.png, y/1.png"]


def test_validation_without_an_object_cannot_be_measured(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "images" / f"{name}.png")
    write(tmp_path, "annotations/train.json", document(["a.png", "b.png"]))
    write(tmp_path, "annotations/val.json", {**document(["c.png"]), "annotations": []})
    assert "validation shows no object: nothing can be measured on it" in card(tmp_path).notes


def test_the_fingerprint_rests_on_contents(tmp_path: Path) -> None:
    root = one_file(tmp_path, lambda _: None)
    Image.new("RGB", (SIDE, SIDE), "red").save(root / "images" / "a.png", "BMP")
    before, size = card(root).fingerprint, (root / "images" / "a.png").stat().st_size
    Image.new("RGB", (SIDE, SIDE), "blue").save(root / "images" / "a.png", "BMP")
    assert (root / "images" / "a.png").stat().st_size == size
    assert card(root).fingerprint != before


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_a_pipe_as_the_source_is_a_sentence(name: str, tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="is a pipe, not a file or folder"):
        detect_objects(DataRequest(source=str(tmp_path / name)))
