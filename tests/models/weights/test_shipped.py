"""The weights that travel inside the packages: the bytes that were declared, and few of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zoo import Catalog
from zoo.models.build import silent
from zoo.models.weights.load import read_state
from zoo.models.weights.published import fetch

SHIPPED = [entry for entry in Catalog.discover().weights() if entry.spec.resource and entry.plugin.built_in]


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.bare_name)
def test_a_shipped_file_is_the_one_that_was_declared(entry) -> None:  # type: ignore[no-untyped-def]
    file = fetch(entry, progress=silent)
    assert file.sha256 == entry.spec.sha256
    assert file.path.stat().st_size == entry.spec.size
    assert all(tensor.isfinite().all() for tensor in read_state(file.path).values())
    assert entry.spec.licence
    assert entry.spec.metrics


def test_all_of_them_are_small() -> None:
    files = {entry.spec.resource: entry.spec.size or 0 for entry in SHIPPED}
    assert sum(files.values()) < 8_000_000


def test_each_was_proved() -> None:
    proofs = json.loads((Path(__file__).parents[3] / "benchmarks/shipped_weights.json").read_text())
    assert {name: row["sha256"] for name, row in proofs.items()} == {
        f"{entry.spec.model}@{entry.spec.tag}": entry.spec.sha256 for entry in SHIPPED
    }
    assert {row["verdict"] for row in proofs.values()} <= {"PASS", "WARN"}
