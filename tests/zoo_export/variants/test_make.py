"""A variant of the tiny classifier, which has neither data nor a metric: refused, but whole where it is kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zoo.api.errors import UsageError
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.runtime.bundle import verify_bundle
from zoo_export.bundle.variant import Variant
from zoo_export.bundle.write import write
from zoo_export.proof.prove import Proof
from zoo_export.variants.make import check_evaluation_items, check_variants, make_variants

pytestmark = pytest.mark.slow  # timing alone takes seconds


@pytest.fixture(scope="module")
def variants(proof: Proof) -> tuple[Variant, ...]:
    return make_variants(proof, ("int8", "fp16", "int4"))


def test_without_data_nothing_says_what_is_lost(variants: tuple[Variant, ...]) -> None:
    int8, fp16, int4 = variants
    assert [variant.name for variant in variants] == ["int8", "fp16", "int4"]
    for variant in (int8, fp16):
        gates = {gate.name: gate.status for gate in variant.verdict.gates}
        assert gates["metric"] == gates["agreement"] == Status.INCONCLUSIVE
        assert gates["weights"] == gates["execution"] == gates["determinism"] == gates["sizes"] == Status.PASS
        assert not variant.verdict.publishes
    assert int4.verdict.sentence.startswith("refused (FAIL): int4: it stores the weights of MatMul, and the weights ")


def test_static_conversion_needs_data_to_calibrate_with(variants: tuple[Variant, ...]) -> None:
    refused = {c.name: c.refused for c in variants[0].evidence.candidates if c.name.startswith("static")}
    assert set(refused.values()) == {"there are no data at hand to calibrate with"}
    assert variants[0].evidence.method == "dynamic, U8S8" or variants[0].evidence.saturates


def test_a_refused_variant_is_left_out_and_told(proof: Proof, variants: tuple[Variant, ...], tmp_path: Path) -> None:
    written = write(proof, tmp_path / "b", reproduce=[], variants=variants)
    assert written.published and not written.variants
    assert not (tmp_path / "b" / "variants").exists()
    assert [(report.evidence.name, report.published) for report in written.report.variants] == [
        ("int8", False),
        ("fp16", False),
        ("int4", False),
    ]
    page = (tmp_path / "b" / "report.html").read_text()
    assert "int8, left out" in page and "no evaluation items with a known truth at hand" in page
    assert verify_bundle(tmp_path / "b").holds


def test_a_kept_one_is_unproved(proof: Proof, variants: tuple[Variant, ...], tmp_path: Path) -> None:
    written = write(proof, tmp_path / "b", reproduce=[], variants=variants, keep_anyway=True)
    assert [(record.name, record.verdict) for record in written.variants] == [
        ("int8", "unproved"),
        ("fp16", "unproved"),
    ]
    checked = {gate.name: (gate.status, gate.detail) for gate in verify_bundle(tmp_path / "b").gates}
    status, detail = checked["variant fp16"]
    assert status == Status.FAIL and detail.startswith("kept although it was refused (FAIL): gain: ")
    assert checked["golden cases"][0] == Status.PASS


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"trained": False}, "int8 needs a trained model"),
        ({"max_drop": -1.0}, "--max-drop is -1.0"),
        ({"max_drop": float("nan")}, "--max-drop is nan"),
        ({"max_drop": float("inf")}, "--max-drop is inf"),
        ({"evaluate": 99}, "needs 100 evaluation items"),
    ],
)
def test_what_cannot_be_is_refused_at_once(asked: dict[str, float], sentence: str) -> None:
    usual = {"trained": True, "max_drop": None, "evaluate": 500}
    with pytest.raises(UsageError, match=sentence):
        check_variants(("int8",), **{**usual, **asked})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "unknown", "refused"), [(8, 0, True), (99, 30, True), (100, 0, False), (0, 20, False)]
)
def test_too_few_items_are_refused_before_anything_is_exported(known: int, unknown: int, refused: bool) -> None:
    cases = [SimpleNamespace(truth=0)] * known + [SimpleNamespace(truth=None)] * unknown
    answers = SimpleNamespace(cases=lambda *_, limit: cases[: max(limit, known)])
    subject: Any = SimpleNamespace(evaluation=None, card=object(), task=SimpleNamespace(answers=answers), problem=None)
    check_evaluation_items(subject, ())
    if not refused:
        check_evaluation_items(subject, ("int8",))
        return
    with pytest.raises(
        UsageError, match=f"the data hold {known} evaluation items, too few .*, 100 are needed"
    ) as caught:
        check_evaluation_items(subject, ("int8",))
    assert "leave --int8 out" in caught.value.hint
