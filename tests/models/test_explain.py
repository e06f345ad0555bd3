"""Where a classifier looks, against the sums done by hand; a sentence for what is none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import zoo
from zoo.api.errors import MissingExtra
from zoo.models.explain import explainer
from zoo.models.load import load_trained
from zoo.models.pipeline import torch_pipeline
from zoo.models.target import resolve_target

Command = Callable[..., Any]
SEVEN = "docs/pictures/seven.png"


def test_a_map_is_drawn_beside_every_answer(tmp_path: Path, zoo_command: Command) -> None:
    pytest.importorskip("captum")
    place = tmp_path / "seen"
    said = zoo_command("predict", "cnn@digits", SEVEN, "--explain", "--save", str(place))
    assert said.code == 0, said.err
    left, right = (
        Image.open(place / "seven-explained.png").convert("RGB").crop((start, 0, start + 256, 256))
        for start in (0, 264)
    )
    difference = [b[0] - a[0] - (b[2] - a[2]) for a, b in zip(left.getdata(), right.getdata(), strict=True)]
    assert max(difference) > 60, "red is laid over what matters"
    assert min(difference) >= -1


def test_python_gives_the_map_with_the_answer() -> None:
    pytest.importorskip("captum")
    (answer,) = zoo.predict("cnn@digits", SEVEN, explain=True)
    assert answer.shown is not None
    assert answer.shown.files["-explained.png"].startswith(b"\x89PNG")
    (plain,) = zoo.predict("cnn@digits", SEVEN)
    assert plain.shown is not None
    assert "-explained.png" not in plain.shown.files


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cnn@digits", SEVEN, "--explain"), "name a folder for them with --save"),
        (("cnn@digits", SEVEN, "--explain", "--save", "a.csv"), "name a folder for them with --save"),
        (("gru@names", "Ada", "--explain", "--save", "seen"), "--explain is for classifiers of pictures"),
        (("yolo_nano@digit_scenes", SEVEN, "--explain", "--save", "seen"), "--explain is for classifiers of pictures"),
    ],
)
def test_what_cannot_be_explained_is_a_sentence(
    arguments: tuple[str, ...], said: str, zoo_command: Command, tmp_path: Path
) -> None:
    pytest.importorskip("captum")
    given = [str(tmp_path / word) if word in ("a.csv", "seen") else word for word in arguments]
    answer = zoo_command("predict", *given)
    assert answer.code == 2
    assert said in answer.err


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum", None)
    request = resolve_target("cnn@digits")
    trained = load_trained(replace(request).target, request.catalog)
    pipeline = torch_pipeline(trained.task, trained.problem, trained.model)
    with pytest.raises(MissingExtra) as caught:
        explainer(pipeline, trained.problem, name="cnn")
    assert caught.value.hint == 'pip install "edgezoo[explain]"'
    assert isinstance(caught.value, zoo.UsageError)
