"""What a bundle holds of the user's data and keys: nothing that was not asked for."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.builtin import builtin_task
from tests.zoo_export.conftest import CLASSES, subject_of, tiny
from zoo.api.data import DataCard, DataRequest
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.golden_replay import stored_arrays
from zoo_export.bundle.write import write
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.golden_cases import OWN_DATA, is_own

WORD = "confidential"


def photos(folder: Path) -> DataCard:
    """A folder of pictures in one class each, with telling names; a picture is of one level of red, 200 to 219."""
    for label in CLASSES:
        for split in ("train", "val"):
            (folder / split / label).mkdir(parents=True)
            for number in range(5):
                picture = np.random.default_rng(number).integers(0, 256, (20, 30, 3)).astype(np.uint8)
                picture[..., 0] = 200 + number + 5 * CLASSES.index(label)
                Image.fromarray(picture).save(folder / split / label / f"{WORD}-{number}.png")
    task = builtin_task("image-classification")
    source = task.data.detect(DataRequest(source=str(folder)))
    return task.data.check(source, progress=lambda *_: None)


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> DataCard:
    return photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module", params=[False, True])
def mixed(request: pytest.FixtureRequest, card: DataCard) -> tuple[bool, Proof]:
    """Whether the golden cases are of the user's data, and the proof."""
    subject = replace(subject_of(tiny()), card=card, evaluation=card)
    return request.param, prove(subject, opset=18, evaluate=20, golden_of_users=request.param)


def is_photo(picture: np.ndarray) -> bool:
    """Whether a picture is one of the user's, or was cut of one: all of one red."""
    return picture.ndim == 3 and bool((picture[..., 0] == picture[0, 0, 0]).all()) and 200 <= picture[0, 0, 0] < 220


def test_own_data_travel_only_where_they_are_asked_for(mixed: tuple[bool, Proof], tmp_path: Path) -> None:
    asked, proof = mixed
    assert proof.verdict.status in (Status.PASS, Status.WARN), proof.verdict.sentence
    path = write(proof, tmp_path / "b", reproduce=()).path
    bundle = Bundle.open(path)
    pictures = [
        stored_arrays(path, case, prefix="in.")["image"]
        for case in bundle.manifest.golden
        if case.graph == "pipeline.onnx"
    ]
    texts = b"".join((path / name).read_bytes() for name in ("report.json", "report.html", "manifest.json"))
    assert any(map(is_photo, pictures)) == asked
    assert (WORD.encode() in texts) == asked
    assert any(OWN_DATA in file.origin for file in bundle.manifest.golden) is False
    shown = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))))
        for png in re.findall(r'base64,([^"]+)" alt="input"', (path / "report.html").read_text())
    ]
    assert asked or not any(map(is_photo, shown))
    assert verify_bundle(path).holds


def test_the_proof_is_made_with_own_data_in_any_case(mixed: tuple[bool, Proof]) -> None:
    _, proof = mixed
    assert sum(is_photo(case.inputs["image"]) for case in proof.inputs.raw if case.gates) >= 1
    assert len(proof.inputs.items) == 20


def test_golden_cases_are_as_many_and_of_all_kinds_without_own_data(mixed: tuple[bool, Proof]) -> None:
    _, proof = mixed
    assert len(proof.inputs.golden) == 4
    assert {"shrunk", "enlarged"} <= {case.kind for case in proof.inputs.golden}


def test_what_is_embedded_is_nobodys(card: DataCard) -> None:
    task = builtin_task("image-classification")
    digits = task.data.check(task.data.detect(DataRequest(source="digits")), progress=lambda *_: None)
    assert (is_own(card), is_own(digits), is_own(None)) == (True, False, False)


def test_a_signed_bundle_is_written_at_once(proof: Proof, tmp_path: Path) -> None:
    pytest.importorskip("model_signing")
    from tests.bundle.runtime.test_signature import keys

    pair = keys(tmp_path / "keys")
    path = write(proof, tmp_path / "b", reproduce=(), sign=pair.private).path
    assert verify_bundle(path, key=pair.public).holds
    listed = {file["name"] for file in json.loads((path / "manifest.json").read_text())["files"]}
    assert {file.name for file in path.iterdir() if file.is_file()} - listed == {"manifest.json", "manifest.json.sig"}


def test_the_manifest_says_how_fast_the_pipeline_answers(mixed: tuple[bool, Proof], tmp_path: Path) -> None:
    write(mixed[1], tmp_path / "plain", reproduce=[])
    assert Bundle.open(tmp_path / "plain").manifest.speed is None
    write(mixed[1], tmp_path / "timed", reproduce=[], timed=True)
    bundle = Bundle.open(tmp_path / "timed")
    speed = bundle.manifest.speed
    assert speed is not None and speed.case == bundle.manifest.golden[0].name
    assert 0 < speed.milliseconds < speed.first_milliseconds
    assert speed.peak_bytes is not None and speed.peak_bytes > 10_000_000
    assert verify_bundle(tmp_path / "timed").holds
