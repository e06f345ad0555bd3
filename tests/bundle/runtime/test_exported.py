"""A run whose bundle lies elsewhere says where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bundle.conftest import MakeBundle
from zoo.api.errors import BadFile
from zoo.bundle.runtime.bundle import Bundle

CREATED = "2026-11-21T08:03:12.000000Z"


def made_of(bundle: Path, created: str) -> Path:
    """The bundle, its manifest naming a run that was made then."""
    document = json.loads((bundle / "manifest.json").read_text())
    document["lineage"]["run_created"] = created
    (bundle / "manifest.json").write_text(json.dumps(document))
    return bundle


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What of a run folder tells when it was made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "run.json").write_text(json.dumps({"created": CREATED}))
    return Path("mine")


def test_the_bundle_that_was_exported_elsewhere_is_named(make_bundle: MakeBundle, run: Path) -> None:
    made_of(make_bundle(), CREATED)
    (run.parent / "broken").mkdir()
    (run.parent / "broken" / "manifest.json").write_text("{")
    with pytest.raises(BadFile) as caught:
        Bundle.open(run)
    assert caught.value.message == "mine is a run, and no bundle of it is in mine/export"
    assert caught.value.hint == "bundle was exported from it: name that folder"


def test_an_older_bundle_is_known_by_the_path_of_its_run(make_bundle: MakeBundle, run: Path) -> None:
    bundle = make_bundle()
    document = json.loads((bundle / "manifest.json").read_text())
    (bundle / "manifest.json").write_text(
        json.dumps({**document, "lineage": {**document["lineage"], "target": "mine"}})
    )
    with pytest.raises(BadFile, match="bundle was exported from it"):
        Bundle.open(run)


@pytest.mark.parametrize("created", ["", "2026-11-22T00:00:00.000000Z"])
def test_a_bundle_of_another_run_is_not(created: str, make_bundle: MakeBundle, run: Path) -> None:
    made_of(make_bundle(), created)
    with pytest.raises(BadFile) as caught:
        Bundle.open(run)
    assert caught.value.hint == (
        "zoo export mine --onnx writes one there; one that went elsewhere with -o is named by its own folder"
    )


def test_a_misspelt_bundle_is_suggested(make_bundle: MakeBundle, run: Path) -> None:
    make_bundle()
    with pytest.raises(BadFile, match=r"bundel does not exist\ndid you mean bundle \(a bundle\)"):
        Bundle.open(Path("bundel"))
