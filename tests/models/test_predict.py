"""Answering with a real model on real digits, against the same sums done by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import zoo
from tests.digits_run import probabilities
from zoo.data.embedded import digits

Command = Callable[..., Any]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index, image in enumerate(digits.load().test_images[:3]):
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder


def test_predictions_are_those_of_the_sums_done_by_hand(digits_run: tuple[Path, nn.Module], pictures: Path) -> None:
    place, model = digits_run
    wanted = probabilities(model, digits.load().test_images[:3])
    found = zoo.predict(place, [pictures], limit=10)
    assert [Path(answer.file).name for answer in found] == ["0.png", "1.png", "2.png"]
    for answer, row in zip(found, wanted, strict=True):
        classes = answer.record()["classes"]
        assert isinstance(classes, list)
        given = {entry["name"]: entry["probability"] for entry in classes if isinstance(entry, dict)}
        assert given == pytest.approx({str(index): float(share) for index, share in enumerate(row)}, rel=1e-5)


def test_predict_prints_saves_and_names_what_it_cannot_read(
    digits_run: tuple[Path, nn.Module], pictures: Path, tmp_path: Path, zoo_command: Command
) -> None:
    (pictures / "broken.png").write_text("no picture")
    saved = tmp_path / "saved"
    said = zoo_command("predict", str(digits_run[0]), str(pictures), "--top", "2", "--save", str(saved), "--json")
    assert said.code == 2
    records = said.json["answers"]
    assert [Path(record["file"]).name for record in records] == ["0.png", "1.png", "2.png", "broken.png"]
    assert [len(record["classes"]) for record in records[:3]] == [2, 2, 2]
    assert "broken.png" in records[3]["unreadable"]
    assert "1 of 4 files cannot be read" in said.err
    assert sorted(path.name for path in saved.glob("*.png")) == ["0.png", "1.png", "2.png"]
    said = zoo_command("predict", str(digits_run[0]), str(pictures / "0.png"), "--top", "1")
    assert (said.code, len(said.out.splitlines())) == (0, 2)
    assert said.out.startswith(f"{pictures / '0.png'}: ")
    assert said.out.splitlines()[-1] == f"next: zoo export {digits_run[0]} --onnx"


def test_what_is_no_picture_is_left_out_of_a_folder_with_a_note(
    digits_run: tuple[Path, nn.Module], pictures: Path, zoo_command: Command
) -> None:
    for name in ("Thumbs.db", "notes.txt", ".DS_Store"):
        (pictures / name).write_text("no picture")
    said = zoo_command("predict", str(digits_run[0]), str(pictures), "--json")
    assert (said.code, len(said.json["answers"])) == (0, 3)
    assert f"{pictures}: left out 2 files other than pictures (1 .db, 1 .txt)" in said.err


def test_predict_takes_a_device_and_names_one_that_is_not_there(
    digits_run: tuple[Path, nn.Module], pictures: Path, zoo_command: Command
) -> None:
    asked = ("predict", str(digits_run[0]), str(pictures / "0.png"), "--json")
    assert zoo_command(*asked, "--device", "cpu").json["answers"] == zoo_command(*asked).json["answers"]
    said = zoo_command(*asked, "--device", "abacus")
    assert (said.code, said.json["error"]["message"]) == (2, "--device abacus is not available here")


def test_predict_with_nothing_readable_is_an_error(
    digits_run: tuple[Path, nn.Module], tmp_path: Path, zoo_command: Command
) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    said = zoo_command("predict", str(digits_run[0]), str(tmp_path / "notes.txt"))
    assert (said.code, said.out) == (2, "")
    assert "is not a picture" in said.err


@pytest.mark.parametrize(("command", "more"), [("predict", ("x.png",)), ("eval", ())])
def test_a_bare_architecture_neither_predicts_nor_is_measured(
    command: str, more: tuple[str, ...], tmp_path: Path, zoo_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8)).save("x.png")
    said = zoo_command(command, "cnn", *more)
    assert said.code == 2
    assert said.err.startswith("Error: cnn alone is a bare architecture, without trained parameters")


def classes(answers: Any) -> list[Any]:
    return [answer.record()["classes"] for answer in answers]


def test_python_hands_over_paths_pictures_and_arrays(digits_run: tuple[Path, nn.Module], pictures: Path) -> None:
    target = digits_run[0]
    levels = digits.load().test_images[0]
    expected = classes(zoo.predict(target, str(pictures / "0.png")))
    for same in (
        pictures / "0.png",
        [pictures / "0.png"],
        levels,
        Image.fromarray(levels),
        torch.from_numpy(levels.copy()),
    ):
        assert classes(zoo.predict(str(target), same)) == expected
    several = zoo.predict(target, [levels, str(pictures / "1.png")])
    assert [answer.title for answer in several] == ["input 1", str(pictures / "1.png")]
    many = zoo.predict(target, np.repeat(digits.load().test_images[:2, ..., None], 3, axis=3))
    assert [answer.title for answer in many] == ["input 1, picture 1", "input 1, picture 2"]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (3, "a int is no input"),
        (b"x.png", "a bytes is no input"),
        (None, "a NoneType is no input"),
        ({"a": 1}, "a dict is no input"),
        ([3], "input 1 is a int"),
        ([["a.png"]], "input 1 is a list"),
        ("gone.png", "gone.png does not exist"),
        ([], "needs a file"),
        (np.zeros((8, 8)), "this array is float64"),
    ],
)
def test_what_is_no_input_is_a_sentence(digits_run: tuple[Path, nn.Module], inputs: object, said: str) -> None:
    with pytest.raises(zoo.UsageError) as caught:
        zoo.predict(digits_run[0], inputs)
    assert said in caught.value.message


@pytest.mark.parametrize(
    "options",
    [
        *[{"limit": 0}, {"limit": "x"}, {"device": 5}, {"threshold": 0.5}, {"settings": {"heat": 1}}, {"samples": 3}],
        *[{"variant": "int8"}, {"batch_size": 2}, {"batch_size": 0}],
    ],
)
def test_wrong_options_are_sentences(digits_run: tuple[Path, nn.Module], pictures: Path, options: Any) -> None:
    with pytest.raises(zoo.UsageError):
        zoo.predict(digits_run[0], pictures / "0.png", **options)


def test_answers_are_html_in_a_notebook(digits_run: tuple[Path, nn.Module], pictures: Path) -> None:
    (pictures / "<b>.png").write_bytes((pictures / "0.png").read_bytes())
    answers = zoo.predict(digits_run[0], pictures / "<b>.png")
    html = answers._repr_html_()
    assert "&lt;b&gt;.png" in html
    assert 'src="data:image/png;base64,' in html
    assert html == answers[0]._repr_html_()
    run = zoo.Run.open(digits_run[0])
    assert "<td style='text-align:left'>finished</td>" in run._repr_html_()
