"""Measuring a real model on the real digits, against the same sums done by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import nn

import zoo
from tests.digits_run import probabilities
from zoo import UsageError
from zoo.data import digits

Command = Callable[..., Any]


def test_accuracy_is_that_of_the_sums_done_by_hand(digits_run: tuple[Path, nn.Module]) -> None:
    place, model = digits_run
    data = digits.load()
    answers = probabilities(model, data.test_images)
    result = zoo.evaluate(place)
    assert (result.split, result.items, result.model, result.data) == ("test", 2000, "cnn/cnn", "digits")
    right = int((answers.argmax(dim=1).numpy() == data.test_labels).sum())
    assert result.metrics["top1"] == pytest.approx(right / 2000)


def test_eval_takes_the_latest_run_and_saves(
    digits_run: tuple[Path, nn.Module], tmp_path: Path, zoo_command: Command
) -> None:
    place, _ = digits_run
    saved = tmp_path / "saved"
    root = ["--runs-root", str(place.parent.parent)]
    said = zoo_command("eval", *root, "--split", "validation", "--save", str(saved), "--json")
    assert said.code == 0, said.err
    assert (said.json["schema"], said.json["split"], said.json["items"]) == (1, "validation", 1000)
    assert f"taking the latest run, {place}" in said.err
    assert json.loads((saved / "metrics.json").read_text())["metrics"] == said.json["metrics"]
    assert [name for name in said.json["pictures"] if not (saved / name).is_file()] == []
    assert said.json["pictures"] != []
    again = zoo_command("eval", str(place), "--split", "validation", "--save", str(saved))
    assert (again.code, "exists already" in again.err) == (2, True)


def test_data_with_other_classes_are_refused(digits_run: tuple[Path, nn.Module], tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        for index in range(4):
            (tmp_path / name).mkdir(exist_ok=True)
            noise = np.random.default_rng(index).integers(0, 255, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / name / f"{index}.png")
    with pytest.raises(
        UsageError, match=r"cnn answers with 10 classes \(0, 1, 2, 3, 4, …\), but .* 2 classes \(cat, d"
    ):
        zoo.evaluate(digits_run[0], data=str(tmp_path))
