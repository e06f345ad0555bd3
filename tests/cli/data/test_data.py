"""`zoo data check`, `show` and `convert`, and the same words in `zoo train --dry-run`."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Command = Callable[..., Any]
KEYS = ["schema", "source", "task", "format", "classes", "splits"]
KEYS += ["left_out", "warnings", "problems", "fingerprint"]
LABELME = Path(__file__).parents[2] / "data" / "labelme"


def picture(path: Path, number: int = 0, size: tuple[int, int] = (12, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(number).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(levels).save(path)


@pytest.fixture
def pets(empty_directory: Path) -> Path:
    """training/ and Val/ with two classes; one picture of Val/ is a copy, and Val/ has a note beside its pictures."""
    root = empty_directory / "pets"
    for split, count in (("training", 12), ("Val", 3)):
        for name in ("cat", "dog"):
            for number in range(count):
                picture(root / split / name / f"{number}.png", 100 * len(split) + 10 * len(name + split[:1]) + number)
    for number in range(12):
        picture(root / "training" / "dog" / f"{number}.png", 7000 + number)
    for number in range(3):
        picture(root / "Val" / "dog" / f"{number}.png", 8000 + number)
    (root / "Val" / "cat" / "0.png").write_bytes((root / "training" / "cat" / "5.png").read_bytes())
    (root / "Val" / "cat" / "note.txt").write_text("seen")
    return Path("pets")


def test_a_check_says_all_that_was_understood(pets: Path, zoo_command: Command) -> None:
    said = zoo_command("data", "check", "pets", "--model", "cnn", "--json")
    assert said.code == 0
    document = said.json
    assert list(document) == KEYS
    assert document["schema"] == 1
    assert (document["source"], document["task"], document["format"]) == (
        "pets",
        "image-classification",
        "class-folders",
    )
    assert document["classes"] == ["cat", "dog"]
    assert document["splits"] == {
        "train": {"items": 24, "from": ["training/"], "per_class": {"cat": 12, "dog": 12}},
        "validation": {"items": 6, "from": ["Val/"], "per_class": {"cat": 3, "dog": 3}},
        "test": {"items": 0, "from": [], "per_class": {}},
    }
    why = "left out 1 file other than pictures (1 .txt)"
    assert document["left_out"] == [{"what": "1 .txt", "items": 1, "why": why}]
    assert [(warning["kind"], warning["items"]) for warning in document["warnings"]] == [
        ("leak", 1),
        ("small-split", 6),
    ]
    assert document["warnings"][0]["examples"] == ["training/cat/5.png and Val/cat/0.png"]
    assert document["problems"] == []
    assert len(document["fingerprint"]) == 64
    again = zoo_command("data", "check", "pets", "--task", "image-classification", "--json").json
    assert again == document


def test_a_dry_run_holds_the_same_beside_its_config(pets: Path, zoo_command: Command) -> None:
    checked = zoo_command("data", "check", "pets", "--model", "cnn", "--json").json
    dry = zoo_command("train", "cnn", "--data", "pets", "--dry-run", "--json").json
    assert dry["data"] == checked
    assert dry["config"]["data"] == "pets"
    assert dry["counts"] == {"train": 24, "validation": 6}
    lines = zoo_command("data", "check", "pets", "--model", "cnn").out.splitlines()
    shown = zoo_command("train", "cnn", "--data", "pets", "--dry-run").out.splitlines()
    assert (
        lines[:5]
        == shown[:5]
        == [
            "data: pets, read as class-folders for image-classification",
            "classes: cat, dog",
            "train: 24 from training/ (cat 12, dog 12)",
            "validation: 6 from Val/ (cat 3, dog 3)",
            "test: none",
        ]
    )
    assert "warning: validation has 6 items: its scores say little" in shown


def test_a_check_estimates_time_and_disk_by_one_step(pets: Path, zoo_command: Command) -> None:
    said = zoo_command("data", "check", "pets", "--model", "cnn").out
    assert re.search(r"^estimate: \d+:\d\d for [\d,]+ steps of .* s, measured here$", said, re.MULTILINE)
    assert re.search(r"^disk: up to .* for the checkpoints, about .* at the end; .* are free$", said, re.MULTILINE)
    assert not Path("runs").exists()
    said = zoo_command("data", "check", "pets").out
    assert "the time and the disk depend on the model: --model MODEL estimates them" in said


def test_problems_are_a_document_and_exit_2(pets: Path, zoo_command: Command) -> None:
    (pets / "Val" / "dog" / "1.png").write_bytes(b"no picture")
    said = zoo_command("data", "check", "pets", "--json", "--task", "image-classification")
    assert said.code == 2
    assert list(said.json) == KEYS
    (problem,) = said.json["problems"]
    assert (problem["file"], problem["line"]) == ("Val/dog/1.png", None)
    assert problem["reason"].startswith("is not a picture that Pillow knows")
    assert "move it out of the data" in problem["fix"]
    said = zoo_command("data", "check", "pets")
    assert said.code == 2
    assert "Val/dog/1.png: is not a picture that Pillow knows" in said.err


def test_a_problem_in_a_table_names_its_line(empty_directory: Path, zoo_command: Command) -> None:
    (empty_directory / "texts.csv").write_text("text,label\nfine,a\n,b\nwell,b\n")
    said = zoo_command("data", "check", "texts.csv", "--task", "text-classification", "--json")
    assert said.code == 2
    (problem,) = said.json["problems"]
    assert problem == {"file": "texts.csv", "line": 3, "reason": "the text is empty", "fix": "fill it in"}


def test_data_that_nobody_can_read_are_a_problem_with_exit_2(empty_directory: Path, zoo_command: Command) -> None:
    said = zoo_command("data", "check", "nowhere", "--json")
    assert said.code == 2
    (problem,) = said.json["problems"]
    assert problem["file"] == "nowhere" and problem["reason"].startswith("there is no data at")


def test_texts_that_a_model_cuts_are_counted(empty_directory: Path, zoo_command: Command) -> None:
    rows = [f"{'long ' * (900 if number % 4 == 0 else 9)}{number},{number % 2}" for number in range(40)]
    (empty_directory / "texts.csv").write_text("\n".join(["text,label", *rows]))
    document = zoo_command("data", "check", "texts.csv", "--model", "gru", "--json").json
    (warning,) = [warning for warning in document["warnings"] if warning["kind"] == "truncated"]
    assert warning["items"] == 10
    assert warning["message"].startswith("10 of 40 texts have more than 4,096 characters and are cut there")
    without = zoo_command("data", "check", "texts.csv", "--task", "text-classification", "--json").json
    assert [warning for warning in without["warnings"] if warning["kind"] == "truncated"] == []


@pytest.mark.parametrize(
    ("source", "task"),
    [("digits", "image-classification"), ("digit_scenes", "object-detection"), ("names", "text-classification")],
)
def test_the_task_is_inferred_and_said(source: str, task: str, zoo_command: Command) -> None:
    said = zoo_command("data", "check", source, "--json")
    assert said.json["task"] == task
    assert f"read for {task}" in said.err


def test_the_page_shows_samples_with_and_without_augmentation(empty_directory: Path, zoo_command: Command) -> None:
    said = zoo_command("data", "show", "digit_scenes", "--model", "yolo_nano", "-o", "page.html", "--samples", "2")
    assert said.code == 0, said.err
    page = Path("page.html").read_text()
    assert page.count("<figure>") == page.count("<img ") == 8  # two of each split, and those of train augmented
    assert "train, augmented: " in page and "<strong>train/0</strong>" in page
    assert "default-src &#x27;none&#x27;" in page and "<script" not in page
    image = re.findall(r"base64,([^\"]+)", page)[0]
    assert base64.b64decode(image).startswith(b"\x89PNG")
    again = zoo_command("data", "show", "digit_scenes", "-o", "page.html")
    assert again.code == 2 and "page.html exists already" in again.err


def test_the_page_escapes_names(empty_directory: Path, zoo_command: Command) -> None:
    for name in ("<script>alert(1)</script>".replace("/", ""), "b&b"):
        for number in range(4):
            picture(empty_directory / "odd" / name / f"<b>{number}.png", len(name) * 10 + number)
    assert zoo_command("data", "show", "odd", "--model", "cnn", "-o", "page.html").code == 0
    page = Path("page.html").read_text()
    assert "<script" not in page and "<b>" not in page and "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("path,label\n" + "".join(f"{number}.png,{'ab'[number % 2]}\n" for number in range(60)), "correct the path"),
        ("text;label\n" + "".join(f"Größe {number};{'ab'[number % 2]}\n" for number in range(60)), "0;a' as cp1252"),
    ],
    ids=["pictures that are missing", "not UTF-8"],
)
def test_a_table_that_no_task_can_use_is_told_what_is_wrong(
    table: str, sentence: str, empty_directory: Path, zoo_command: Command
) -> None:
    (empty_directory / "table.csv").write_bytes(table.encode("latin1"))
    said = zoo_command("data", "check", "table.csv")
    assert (said.code, sentence in said.err) == (2, True), said.err


def test_names_of_pictures_are_no_texts(empty_directory: Path, zoo_command: Command) -> None:
    rows = "".join(f"{number}.png,{'ab'[number % 2]}\n" for number in range(60))
    (empty_directory / "table.csv").write_text(f"path,label\n{rows}")
    said = zoo_command("data", "check", "table.csv", "--task", "text-classification")
    assert (said.code, "are names of pictures, such as 0.png" in said.err) == (2, True), said.err


def test_a_conversion_writes_a_new_folder_only(pets: Path, zoo_command: Command) -> None:
    said = zoo_command("data", "convert", "pets", "--to", "csv", "-o", "table")
    assert said.code == 0, said.err
    assert said.out.splitlines()[0] == "wrote 24 train, 6 validation as csv into table"
    document = zoo_command("data", "check", "table", "--json", "--task", "image-classification").json
    assert document["splits"]["train"] == {"items": 24, "from": ["data.csv"], "per_class": {"cat": 12, "dog": 12}}
    again = zoo_command("data", "convert", "pets", "--to", "csv", "-o", "table")
    assert again.code == 2 and "table exists already" in again.err
    other = zoo_command("data", "convert", "pets", "--to", "coco", "-o", "other")
    assert other.code == 2 and "image-classification is written as class-folders, csv" in other.err
    assert not Path("other").exists()


@pytest.fixture
def labelme(empty_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve training and two validation pictures as LabelMe keeps them, and the plugin that reads them."""
    monkeypatch.syspath_prepend(str(LABELME))
    root = empty_directory / "shelf"
    for split, count in (("train", 12), ("val", 2)):
        for number in range(count):
            picture(root / split / f"{number}.png", 100 * len(split) + number, size=(64, 48))
            shapes = [
                {"label": "cup", "points": [[2, 3], [20, 30]], "shape_type": "rectangle"},
                {"label": "jar", "points": [[30, 5], [50, 9], [40, 40]], "shape_type": "polygon"},
            ]
            record = {"version": "5.4", "imagePath": f"{number}.png", "imageHeight": 48, "imageWidth": 64}
            (root / split / f"{number}.json").write_text(json.dumps({**record, "shapes": shapes[: 1 + number % 2]}))
    return Path("shelf")


def test_a_format_of_a_plugin_is_read_checked_and_trained_on(labelme: Path, zoo_command: Command) -> None:
    assert "format" in zoo_command("info", "labelme").out
    said = zoo_command("data", "check", "shelf", "--json")
    assert said.code == 0, said.err
    assert (said.json["task"], said.json["format"]) == ("object-detection", "labelme")
    assert said.json["splits"]["train"] == {"items": 12, "from": ["train/"], "per_class": {"cup": 12, "jar": 6}}
    dry = zoo_command("train", "yolo_nano", "--data", "shelf", "--dry-run", "--json")
    assert dry.code == 0, dry.err
    assert dry.json["data"]["format"] == "labelme"
    assert zoo_command("data", "convert", "shelf", "--to", "coco", "-o", "coco").code == 0
    assert zoo_command("data", "check", "coco", "--json").json["splits"]["train"]["per_class"] == {"cup": 12, "jar": 6}


def test_the_checks_of_a_plugins_format_are_those_of_all(labelme: Path, zoo_command: Command) -> None:
    file = labelme / "train" / "3.json"
    file.write_text(file.read_text().replace("[20, 30]", "[20, 300]"))
    (labelme / "train" / "5.json").write_text("{}")
    said = zoo_command("data", "check", "shelf", "--format", "labelme", "--json")
    assert said.code == 2
    assert [problem["file"] for problem in said.json["problems"]] == ["train/5.json"]
    (labelme / "train" / "5.json").unlink()
    (problem,) = zoo_command("data", "check", "shelf", "--json").json["problems"]
    assert problem["reason"] == "the cup at (2, 3, 20, 300) leaves train/3.png, which is 64 x 48 pixels"


def test_two_formats_that_match_are_a_question(labelme: Path, zoo_command: Command) -> None:
    (labelme / "data.yaml").write_text("train: train\nval: val\nnames: [cup, jar]\n")
    said = zoo_command("train", "yolo_nano", "--data", "shelf", "--dry-run")
    assert said.code == 2
    assert "can be read as yolo and as labelme" in said.err and "--format yolo" in said.err
    chosen = zoo_command("data", "check", "shelf", "--task", "object-detection", "--format", "labelme", "--json")
    assert chosen.json["format"] == "labelme"


def test_an_encoding_that_is_named_is_used_and_said(empty_directory: Path, zoo_command: Command) -> None:
    rows = "".join(f"Größe {number},{('süß', 'sauer')[number % 2]}\n" for number in range(60))
    (empty_directory / "table.csv").write_bytes(f"text,label\n{rows}".encode("cp1252"))
    said = zoo_command("data", "check", "table.csv", "--task", "text-classification", "--encoding", "cp1252")
    assert said.code == 0, said.err
    assert "data: table.csv, read as text-table in cp1252 for text-classification" in said.out
    assert "classes: sauer, süß" in said.out
    assert said.out.rstrip().endswith("next: zoo train MODEL --data table.csv --encoding cp1252")
    wrong = zoo_command("data", "check", "table.csv", "--encoding", "cp125")
    assert (wrong.code, "--encoding cp125 is no encoding" in wrong.err) == (2, True), wrong.err
