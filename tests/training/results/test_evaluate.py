"""Measuring a real model on the real digits, against the same sums done by hand."""

from __future__ import annotations

import json
import shutil
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
from zoo import OutputExists, UsageError
from zoo.data.embedded import digits

Command = Callable[..., Any]


@pytest.mark.slow
def test_accuracy_is_that_of_the_sums_done_by_hand(digits_run: tuple[Path, nn.Module]) -> None:
    place, model = digits_run
    data = digits.load()
    answers = probabilities(model, data.test_images)
    result = zoo.evaluate(place)
    assert (result.split, result.items, result.model, result.data) == ("test", 2000, "cnn/cnn", "digits")
    right = int((answers.argmax(dim=1).numpy() == data.test_labels).sum())
    assert result.metrics["top1"] == pytest.approx(right / 2000)


@pytest.mark.slow
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


def test_a_place_that_is_taken_is_refused_before_the_work(digits_run: tuple[Path, nn.Module], tmp_path: Path) -> None:
    with pytest.raises(OutputExists, match="exists already"):
        zoo.evaluate(digits_run[0], data="no such data", save=tmp_path)


def test_weights_for_other_classes_are_refused_before_they_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(UsageError, match=r"resnet18 answers with 1,000 classes \(tench, .*, but digits has 10 classes"):
        zoo.evaluate("resnet18@imagenet1k_v1")


def test_a_split_that_is_not_there_is_an_error(digits_run: tuple[Path, nn.Module], tmp_path: Path) -> None:
    for label in range(10):
        (tmp_path / str(label)).mkdir()
        for index in range(3):
            pixels = np.random.default_rng(index + 3 * label).integers(0, 255, (28, 28), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / str(label) / f"{index}.png")
    with pytest.raises(UsageError, match="has no test split"):
        zoo.evaluate(digits_run[0], data=str(tmp_path), split="test")
    result = zoo.evaluate(digits_run[0], data=str(tmp_path))
    assert result.split == "validation"
    assert f"{tmp_path} has no test split: measured on validation (3 items); --split train measures the other 27" in (
        result.notes
    )


def test_data_that_changed_since_the_training_are_named(digits_run: tuple[Path, nn.Module], tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(digits_run[0], changed)
    record = json.loads((changed / "data.json").read_text())
    (changed / "data.json").write_text(json.dumps(record | {"fingerprint": "another"}))
    result = zoo.evaluate(changed, split="validation")
    assert "digits has changed since the run was trained on it" in result.notes


def test_evaluate_leaves_pytorch_as_the_caller_had_it(
    digits_run: tuple[Path, nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    threads, random_state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(7)
    try:
        zoo.evaluate(digits_run[0], split="validation")
        assert torch.get_num_threads() == 7
        with pytest.raises(UsageError):
            zoo.evaluate(digits_run[0], data="no such data")
        assert torch.get_num_threads() == 7
        assert torch.equal(torch.random.get_rng_state(), random_state)
    finally:
        torch.set_num_threads(threads)
