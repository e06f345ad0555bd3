"""The folder of a variant that is exchanged, deleted or cut off: each a sentence, in `zoo verify` and `zoo predict`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bundle.runtime.test_bundle import relist
from tests.conftest import Said
from tests.zoo_export.conftest import subject_of, tiny
from zoo.bundle.judge.form_rule import WantedForms
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import verify_bundle
from zoo_export.bundle.write import write
from zoo_export.capture.capture import PIPELINE
from zoo_export.proof.prove import Proof, prove
from zoo_export.variants.forms import make_forms

pytestmark = pytest.mark.slow  # two bundles with a variant each

FOLDER = "variants/batch"
GRAPH = f"{FOLDER}/{PIPELINE}"


def written(proof: Proof, folder: Path) -> Path:
    write(proof, folder, reproduce=[], forms=make_forms(proof, WantedForms(batch=True), golden_of_users=True))
    return folder


@pytest.fixture(scope="module")
def whole(proof: Proof, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(proof, tmp_path_factory.mktemp("whole") / "b")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the same architecture with other weights."""
    return written(prove(subject_of(tiny(seed=1)), opset=18), tmp_path_factory.mktemp("other") / "b")


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def exchange(bundle: Path, other: Path) -> list[str]:
    """Puts the folder of the other bundle in the place of this one's; the names of its files."""
    shutil.rmtree(bundle / FOLDER)
    shutil.copytree(other / FOLDER, bundle / FOLDER)
    return [str(path.relative_to(bundle)) for path in (bundle / FOLDER).rglob("*") if path.is_file()]


def cut_off(bundle: Path) -> None:
    (bundle / GRAPH).write_bytes((bundle / GRAPH).read_bytes()[:500])


def failing(bundle: Path) -> dict[str, str]:
    return {gate.name: gate.detail for gate in verify_bundle(bundle).gates if gate.status == Status.FAIL}


@pytest.mark.parametrize("how", ["exchanged", "deleted", "cut off"])
def test_files_that_the_manifest_does_not_know_are_named(
    how: str, bundle: Path, other: Path, zoo_command: Callable[..., Said]
) -> None:
    if how == "exchanged":
        exchange(bundle, other)
    elif how == "deleted":
        shutil.rmtree(bundle / "variants")
    else:
        cut_off(bundle)
    said = "is missing" if how == "deleted" else "was changed: its bytes are not those that the manifest names"
    assert f"{GRAPH} {said}" in failing(bundle)["files"]
    asked = zoo_command("predict", str(bundle), "docs/pictures/seven.png", "--variant", "batch")
    assert asked.code == 1 and not asked.out
    assert GRAPH in asked.err and "its sha256 is not the one in the manifest" in asked.err


def test_the_variant_of_another_bundle_is_noticed_though_the_manifest_has_its_hashes(bundle: Path, other: Path) -> None:
    for name in exchange(bundle, other):
        relist(bundle, name)
    assert list(found := failing(bundle)) == ["variant batch"]
    assert f"{GRAPH}: the bytes measured are not the bytes to be published" in found["variant batch"]


def test_half_a_graph_with_a_mended_hash_is_one_sentence(bundle: Path, zoo_command: Callable[..., Said]) -> None:
    cut_off(bundle)
    relist(bundle, GRAPH)
    assert list(failing(bundle)) == ["variant batch"]
    asked = zoo_command("predict", str(bundle), "docs/pictures/seven.png", "--variant", "batch")
    assert asked.code == 2 and f"loading {GRAPH} failed: ONNX Runtime says" in asked.err
