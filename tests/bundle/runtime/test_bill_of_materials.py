"""The bill of materials obeys the published schema, and names every file with its hash."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bundle.conftest import MakeBundle
from tests.conftest import Said
from zoo.bundle.runtime.bill_of_materials import bill_of_materials
from zoo.bundle.runtime.bundle import Bundle

EXPORTED = Path(__file__).parents[2] / "data" / "zoo_0_1" / "exported"


@pytest.mark.parametrize("name", ["conv_autoencoder", "segmenter", "writer"])
def test_it_obeys_the_published_schema(name: str) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    document = bill_of_materials(Bundle.open(EXPORTED / name).file)
    error = validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert error is None, str(error)[:500]
    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps({**document, "surprise": 1}))


def test_it_names_what_the_bundle_holds(make_bundle: MakeBundle, zoo_command: Callable[..., Said]) -> None:
    bundle = Bundle.open(make_bundle())
    said = zoo_command("inspect", str(bundle.path), "--bom")
    assert said.code == 0
    document = json.loads(said.out)
    assert document == bill_of_materials(bundle.file)
    whole = document["metadata"]["component"]
    assert (whole["name"], whole["type"]) == ("cnn/cnn", "machine-learning-model")
    assert whole["hashes"] == [{"alg": "SHA-256", "content": bundle.sha256}]
    assert whole["modelCard"]["modelParameters"]["inputs"] == [{"format": "image: uint8 [height, width, 3]"}]
    files = {part["name"]: part["hashes"][0]["content"] for part in document["components"] if "hashes" in part}
    assert files == bundle.manifest.hashes()
    assert [part["name"] for part in document["components"] if part["type"] == "library"] == ["edgezoo"]


def test_a_single_file_has_no_bill_of_materials(tmp_path: Path, zoo_command: Callable[..., Said]) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    said = zoo_command("inspect", str(tmp_path / "model.onnx"), "--bom")
    assert (said.code, "is a single file" in said.err) == (2, True)
