"""More than fifty ways to get an export wrong, on five trained models: all are rejected, and no sound export is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.zoo_export.controls.suite.models import KINDS
from tests.zoo_export.controls.suite.mutants import MUTANTS
from tests.zoo_export.controls.suite.peers import PEERS
from tests.zoo_export.controls.suite.suite import Outcome, outcomes, proof_of

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[4] / "docs" / "mutants.md"
BYTES_ONLY = {"another opset", "foreign domain", "local path inside"}
"""They answer as the original does; what the file says about itself gives them away."""


@cache
def of(model: str) -> tuple[Outcome, ...]:
    """Every mutant of one model."""
    return tuple(outcomes(model))


@pytest.mark.parametrize("model", KINDS)
def test_the_unmutated_export_is_proved(model: str) -> None:
    proof = proof_of(model)
    assert proof.verdict.publishes, proof.verdict.sentence


@pytest.mark.parametrize("model", KINDS)
def test_every_mutant_is_rejected(model: str) -> None:
    survivors = [one.mutant for one in of(model) if one.applies and not one.killed]
    assert survivors == []


@pytest.mark.parametrize("model", KINDS)
def test_answers_alone_give_nearly_all_mutants_away(model: str) -> None:
    hidden = {one.mutant for one in of(model) if one.applies and not one.killed_by_answers}
    assert hidden <= BYTES_ONLY


def test_at_least_twenty_five_kinds_apply_to_every_model_and_every_kind_to_some() -> None:
    applied = {model: {one.mutant for one in of(model) if one.applies} for model in KINDS}
    assert min(map(len, applied.values())) >= 25
    assert set.union(*applied.values()) == {mutant.name for mutant in MUTANTS}


def test_every_rule_of_the_peers_lets_wrong_exports_pass() -> None:
    rejected = [one for model in KINDS for one in of(model) if one.applies]
    passed = {rule: sum(rule in one.peers for one in rejected) / len(rejected) for rule in PEERS}
    assert min(passed.values()) > 0.3


def test_the_document_names_every_mutant_and_model() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [mutant.name for mutant in MUTANTS if f"| {mutant.name} |" not in text] == []
    assert [model for model in KINDS if model not in text] == []
