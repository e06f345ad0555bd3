"""`zoo eval BUNDLE`: the answers of pipeline.onnx against the truth of some data, without torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.fresh import HEAVY, imported
from zoo import UsageError

MakeBundle = Callable[..., Path]
CLASSES = ("a_red", "b_green", "c_blue")


@pytest.fixture
def colours(make_bundle: MakeBundle) -> Path:
    """The bundle that answers with the strongest colour, its classes in the order of their names."""
    return changed(make_bundle(), lambda manifest: manifest["problem"].update(classes=CLASSES))


def changed(bundle: Path, change: Callable[[Any], object]) -> Path:
    """The bundle with another manifest."""
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    change(manifest)
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures to learn from and four to be measured on, one of these in the wrong folder."""
    held = {"a_red": [0, 0], "b_green": [1], "c_blue": [0]}
    whole = {name: [number] * 4 for number, name in enumerate(CLASSES)}
    for split, kinds in (("train", whole), ("val", held)):
        for name, colours in kinds.items():
            for number, colour in enumerate(colours):
                pixels = np.random.default_rng([len(split), number, colour]).integers(0, 90, (8, 7, 3), dtype=np.uint8)
                pixels[..., colour] += 100
                place = tmp_path / "photos" / split / name / f"{number}.png"
                place.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(place)
    return tmp_path / "photos"


def test_the_answers_of_a_bundle_are_counted(colours: Path, photos: Path) -> None:
    found = zoo.evaluate(colours, data=str(photos))
    assert (found.split, found.items, found.metrics) == ("validation", 4, {"top1": 0.75})
    assert found.notes[0] == "the answers of pipeline.onnx were measured"
    learnt = zoo.evaluate(colours, data=str(photos), split="train")
    assert (learnt.items, learnt.metrics) == (12, {"top1": 1.0})


def test_measuring_a_bundle_imports_no_torch(colours: Path, photos: Path, tmp_path: Path) -> None:
    assert imported("eval", str(colours), "--data", str(photos), cwd=tmp_path) & HEAVY == set()


def test_the_measured_numbers_of_a_bundle_are_saved(
    colours: Path, photos: Path, tmp_path: Path, zoo_command: Callable[..., Any]
) -> None:
    saved = tmp_path / "saved"
    said = zoo_command("eval", str(colours), "--data", str(photos), "--save", str(saved), "--json")
    assert said.code == 0, said.err
    assert json.loads((saved / "metrics.json").read_bytes())["metrics"] == said.json["metrics"] == {"top1": 0.75}
    again = zoo_command("eval", str(colours), "--data", str(photos), "--save", str(saved))
    assert (again.code, "exists already" in again.err) == (2, True)


def test_other_classes_and_the_embedded_data_that_nobody_learnt_from_are_refused(
    make_bundle: MakeBundle, photos: Path
) -> None:
    bundle = make_bundle()
    with pytest.raises(UsageError, match=r"cnn answers with 3 classes \(red, green, blue\), but .* 3 classes \(a_red"):
        zoo.evaluate(bundle, data=str(photos))
    changed(bundle, lambda manifest: manifest["lineage"].update(data="f" * 64))
    with pytest.raises(UsageError, match="was not trained on the embedded digits") as caught:
        zoo.evaluate(bundle)
    assert caught.value.hint == "name them with --data"


def test_a_task_that_counts_no_answers_says_so(colours: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = "zoo.tasks.image_classification.task.ClassificationAnswers.metrics"
    monkeypatch.setattr(place, lambda *_, **__: {})
    measured = zoo.evaluate(colours, data=str(photos)).metrics
    assert list(measured) == ["top1"]  # a usual measure stands in for the task's own of that name
    monkeypatch.setattr("zoo.bundle.answer_metrics.ACCURACIES", ())
    with pytest.raises(UsageError, match="the task image-classification has no metrics") as caught:
        zoo.evaluate(colours, data=str(photos))
    assert caught.value.hint == "measure what it was exported from: zoo eval cnn@digits"


@pytest.mark.parametrize("words", [("eval",), ("predict", "7")])
def test_a_bundle_has_no_device_to_choose(
    words: tuple[str, ...], colours: Path, zoo_command: Callable[..., Any]
) -> None:
    said = zoo_command(words[0], str(colours), *words[1:], "--device", "cuda")
    assert (said.code, "a bundle is run by ONNX Runtime on the CPU" in said.err) == (2, True)
