"""More than eighty ways to get an export wrong: all are rejected, and no sound export is.

Here on a few models that take seconds; `benchmarks/mutants.py` puts all models, of every task, to the same questions.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.zoo_export.controls.suite.models import NAMES, trained
from tests.zoo_export.controls.suite.mutants import MUTANTS
from tests.zoo_export.controls.suite.peers import PEERS
from tests.zoo_export.controls.suite.suite import Outcome, measured
from zoo.bundle.judge.parity_rule import Status
from zoo.registry.catalog import Catalog

pytestmark = pytest.mark.ci

DOCUMENT = Path(__file__).parents[4] / "docs" / "mutants.md"
BYTES_ONLY = {"another opset", "foreign domain", "local path inside"}
"""They answer as the original does; what the file says about itself gives them away."""
TESTED = ("cnn", "gan", "gru")
"""A classifier of pictures, a generator of pictures, and a reader of texts."""
SHARE = 0.95
"""Of the mutants of one model, bytes put aside, that answers alone must give away."""


def applied(model: str) -> list[Outcome]:
    """The mutants of a model that compute something else."""
    return [row for row in measured(model).outcomes if row.applies and not row.equivalent]


@pytest.mark.parametrize("model", TESTED)
def test_the_unmutated_export_is_right(model: str) -> None:
    wrong = [gate for gate in measured(model).verdict.gates if gate.status == Status.FAIL]
    assert wrong == []


@pytest.mark.parametrize("model", TESTED)
def test_every_mutant_is_rejected(model: str) -> None:
    assert [row.mutant for row in applied(model) if not row.killed] == []


@pytest.mark.parametrize("model", TESTED)
def test_answers_alone_give_nearly_all_mutants_away(model: str) -> None:
    rows = [row for row in applied(model) if row.mutant not in BYTES_ONLY]
    hidden = [row.mutant for row in rows if not row.killed_by_answers]
    assert len(hidden) <= (1 - SHARE) * len(rows), hidden


def test_every_task_has_a_model_here() -> None:
    tasks = {trained(model).problem.task for model in NAMES}
    assert tasks == {entry.spec.name for entry in Catalog.discover().tasks() if entry.plugin.name == "zoo"}


def test_at_least_twenty_five_kinds_apply_to_every_model() -> None:
    assert min(sum(row.applies for row in measured(model).outcomes) for model in TESTED) >= 25


def test_every_rule_of_the_peers_lets_wrong_exports_pass() -> None:
    rows = [row for model in TESTED for row in applied(model)]
    passed = {rule: sum(rule in row.peers for row in rows) / len(rows) for rule in PEERS}
    assert min(passed.values()) > 0.3


def test_the_document_names_every_mutant_and_model() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [mutant.name for mutant in MUTANTS if f"| {mutant.name} |" not in text] == []
    assert [model for model in NAMES if model not in text] == []
