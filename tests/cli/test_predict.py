"""`zoo predict` on everything that people name, with small published weights."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.data.embedded import digits

Command = Callable[..., Any]


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    image = digits.load().test_images[0]
    Image.fromarray(image).save(tmp_path / "seven.png")
    return tmp_path / "seven.png"


def names(said: Any) -> list[str]:
    return [answer.get("file") or answer.get("text") for answer in said.json["answers"]]


def test_an_archive_a_glob_and_standard_input_give_the_same_answer(
    seven: Path, zoo_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = seven.with_name("all.zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.write(seven, "in/seven.png")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(seven.read_bytes())))
    pattern = str(seven.with_name("s*.png"))
    said = zoo_command("predict", "cnn@digits", str(seven), str(archive), pattern, "-", "--top", "1", "--json")
    assert said.code == 0
    assert names(said) == [str(seven), f"{archive}/in/seven.png", str(seven), "-"]
    classes = [answer["classes"] for answer in said.json["answers"]]
    assert classes == [classes[0]] * 4
    assert classes[0][0]["name"] == str(digits.load().test_labels[0])


def test_a_generator_answers_without_an_input(tmp_path: Path, zoo_command: Command) -> None:
    place = tmp_path / "made"
    said = zoo_command("predict", "dcgan@digits", "--samples", "65", "--seed", "3", "--save", str(place), "--json")
    assert (said.code, said.json["answers"][0]["count"]) == (0, 65)
    assert len(list(place.glob("seed-3-0*.png"))) == 65
    assert Image.open(place / "seed-3-0001.png").size == (28, 28)
    assert Image.open(place / "seed-3.png").size == (256, 288)  # eight a row, nine rows, enlarged
    zoo_command("predict", "dcgan@digits", "3", "--save", str(tmp_path / "seed"))
    expected = np.asarray(Image.open(tmp_path / "seed" / "3-0064.png"))
    assert np.array_equal(np.asarray(Image.open(place / "seed-3-0064.png")), expected)


def test_a_writer_draws_so_many_texts_from_nothing(zoo_command: Command) -> None:
    said = zoo_command("predict", "gru_lm@names", "--samples", "2", "--seed", "5", "--set", "length=8", "--json")
    first, second = said.json["answers"]
    assert (first["item"], second["item"]) == ("sample 1", "sample 2")
    assert first["text"] != second["text"]
    again = zoo_command("predict", "gru_lm@names", "", "--seed", "6", "--set", "length=8", "--json")
    assert again.json["answers"][0]["text"] == second["text"]


TABLE = 'text,label\nIngrid Bergman,x\n,y\n"Lovelace, Ada",z\n'


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("names.csv", TABLE),
        ("names.tsv", TABLE.replace("Lovelace, Ada", "Lovelace").replace(",", "\t")),
        ("names.jsonl", "".join(json.dumps({"text": text}) + "\n" for text in ("Ingrid Bergman", "", "Lovelace, Ada"))),
    ],
)
def test_every_row_of_a_table_is_answered(tmp_path: Path, zoo_command: Command, name: str, contents: str) -> None:
    (tmp_path / name).write_text(contents)
    said = zoo_command("predict", "gru@names", str(tmp_path / name), "--json")
    answers = said.json["answers"]
    assert [answer["item"] for answer in answers] == ["row 1", "row 2", "row 3"]
    assert answers[0]["text"] == "Ingrid Bergman"
    assert answers[1]["unreadable"] == f"{name} line 3: the text is empty".replace(
        "3", "3" if "json" not in name else "2"
    )
    assert said.code == 2
    assert "1 of 3 files cannot be read" in said.err


def test_the_column_of_the_texts_can_be_named(tmp_path: Path, zoo_command: Command) -> None:
    (tmp_path / "t.csv").write_text("id,who,when\n1,Ingrid Bergman,now\n2,Ada Lovelace,then\n")
    said = zoo_command("predict", "gru@names", str(tmp_path / "t.csv"), "--json")
    assert said.code == 2
    assert "name the columns with --text-column" in said.json["error"]["hint"]
    said = zoo_command("predict", "gru@names", str(tmp_path / "t.csv"), "--text-column", "who", "--json")
    assert [answer["text"] for answer in said.json["answers"]] == ["Ingrid Bergman", "Ada Lovelace"]


def test_a_detector_lists_boxes_from_the_threshold_on(tmp_path: Path, zoo_command: Command) -> None:
    scene = "docs/pictures/scene.png"
    boxes = {}
    for least in ("0.05", "0.3", "0.9", "1"):
        said = zoo_command("predict", "yolo_nano@digit_scenes", scene, "--threshold", least, "--json")
        (answer,) = said.json["answers"]
        boxes[least] = [box["score"] for box in answer["detections"]]
        assert all(score >= float(least) for score in boxes[least])
    usual = zoo_command("predict", "yolo_nano@digit_scenes", scene, "--json").json["answers"][0]
    assert [box["score"] for box in usual["detections"]] == boxes["0.3"]
    said = zoo_command("predict", "yolo_nano@digit_scenes", scene, "--conf", "0.9", "--json")
    assert [box["score"] for box in said.json["answers"][0]["detections"]] == boxes["0.9"]
    assert len(boxes["0.05"]) > len(boxes["0.3"]) > len(boxes["0.9"]) > len(boxes["1"]) == 0
    assert zoo_command("predict", "cnn@digits", scene, "--threshold", "0.5").code == 2


def test_a_saved_table_has_one_row_a_box(tmp_path: Path, zoo_command: Command) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "empty.png")
    files = ("docs/pictures/scene.png", str(tmp_path / "empty.png"))
    place = tmp_path / "boxes.csv"
    said = zoo_command("predict", "yolo_nano@digit_scenes", *files, "--save", str(place), "--json")
    rows = list(csv.DictReader(place.open(newline="")))
    detections = said.json["answers"][0]["detections"]
    assert [(row["label"], float(row["left"]), float(row["bottom"])) for row in rows[:-1]] == [
        (box["label"], box["box"][0], box["box"][3]) for box in detections
    ]
    assert rows[-1] == {"file": files[1], "label": "", "score": "", "left": "", "top": "", "right": "", "bottom": ""}
    said = zoo_command("predict", "yolo_nano@digit_scenes", files[0], "--save", str(place))
    assert (said.code, "exists already" in said.err) == (2, True)
    answers = tmp_path / "boxes.json"
    said = zoo_command("predict", "yolo_nano@digit_scenes", files[0], "--save", str(answers), "--json")
    assert json.loads(answers.read_text()) == said.json["answers"]
