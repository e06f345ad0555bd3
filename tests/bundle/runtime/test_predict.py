"""`zoo predict BUNDLE`, `verify` and `inspect`: the bundle's graph, the installed task's code, and no torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.bundle.conftest import answer
from tests.fresh import HEAVY, imported

MakeBundle = Callable[..., Path]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture that is rather green."""
    image = np.random.default_rng(3).integers(0, 128, (9, 6, 3), dtype=np.uint8)
    image[:, :, 1] += 64
    Image.fromarray(image).save(tmp_path / "green.png")
    return tmp_path / "green.png"


def test_a_bundle_answers_with_its_own_classes(
    make_bundle: MakeBundle, picture: Path, zoo_command: Callable[..., Any]
) -> None:
    bundle = make_bundle()
    said = zoo_command("predict", str(bundle), str(picture), "--json")
    assert said.code == 0, said.err
    assert (said.json["model"], said.json["task"]) == ("cnn/cnn", "image-classification")
    classes = said.json["answers"][0]["classes"]
    assert classes[0]["name"] == "green"
    shares = {entry["name"]: entry["probability"] for entry in classes}
    wanted = answer(np.asarray(Image.open(picture)))
    assert [shares[name] for name in ("red", "green", "blue")] == pytest.approx(wanted.tolist(), rel=1e-5)
    assert zoo_command("predict", str(bundle), str(picture)).out.splitlines()[-1] == f"next: zoo verify {bundle}"


def test_python_users_ask_a_bundle_the_same_way(make_bundle: MakeBundle, picture: Path) -> None:
    (found,) = zoo.predict(make_bundle(), [picture], limit=1)
    assert [entry["name"] for entry in found.record()["classes"]] == ["green"]  # type: ignore[union-attr, index, call-overload]


def test_a_changed_graph_is_not_run(make_bundle: MakeBundle, picture: Path, zoo_command: Callable[..., Any]) -> None:
    bundle = make_bundle()
    with (bundle / "pipeline.onnx").open("ab") as file:
        file.write(b"more")
    said = zoo_command("predict", str(bundle), str(picture), "--json")
    assert (said.code, said.json["error"]["kind"]) == (1, "hash-mismatch")


def test_an_onnx_file_alone_cannot_answer(
    make_bundle: MakeBundle, picture: Path, zoo_command: Callable[..., Any]
) -> None:
    said = zoo_command("predict", str(make_bundle() / "model.onnx"), str(picture))
    assert said.code == 2
    assert said.err.splitlines()[-1] == "name the bundle that it belongs to"


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "{bundle}", "{picture}"),
        ("verify", "{bundle}"),
        ("inspect", "{bundle}/model.onnx"),
        ("info", "{bundle}"),
    ],
)
def test_bundles_are_used_without_torch(
    words: tuple[str, ...], make_bundle: MakeBundle, picture: Path, tmp_path: Path
) -> None:
    names = {"bundle": str(make_bundle()), "picture": str(picture)}
    assert imported(*(word.format(**names) for word in words), cwd=tmp_path) & HEAVY == set()


def test_a_bundle_is_described_with_its_plugin(make_bundle: MakeBundle, zoo_command: Callable[..., Any]) -> None:
    bundle = make_bundle()
    document = zoo_command("info", str(bundle), "--json").json
    assert (document["kind"], document["manifest"]["plugin"]["distribution"]) == ("bundle", "edgezoo")
    lines = [line.split() for line in zoo_command("info", str(bundle)).out.splitlines()]
    assert ["plugin", "cnn", "(edgezoo", "0.1.0)"] in lines
    assert lines[-1] == ["next:", "zoo", "verify", str(bundle)]
