"""docs/supported.md and verdicts.json: what the rows in benchmarks/sweep say, and an estimate for every other model."""

from __future__ import annotations

import json
import re

import pytest

from docs.supported import PAGE, ROWS, Estimates, Listed, estimates, listed_models, page, verdicts
from docs.supported_costs import MIN_ROWS, CostModel, Sizes, fit
from zoo_export.sweep.rows import SweepRow, read_rows
from zoo_export.sweep.verdicts import FILE, known_verdict


def test_the_page_is_the_one_that_the_rows_give() -> None:
    rows, models = read_rows([ROWS]), listed_models()
    costs = estimates(models, rows)
    assert PAGE.read_text(encoding="utf-8") == page(models, rows, costs), "run: python docs/supported.py"
    assert FILE.read_text(encoding="utf-8") == verdicts(models, rows, costs), "run: python docs/supported.py"


def test_every_model_of_timm_has_a_row_or_an_estimate() -> None:
    known = json.loads(FILE.read_text(encoding="utf-8"))
    names = [model.full_name for model in listed_models() if model.plugin == "timm"]
    assert [name for name in names if name not in known] == []
    lines = set(re.findall(r"^\| (\w+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name.partition("/")[2] for name in names} <= lines


def test_a_cost_is_found_again() -> None:
    sizes = [Sizes(mparams=n, gmacs=n * n % 7, macts=(3 * n) % 5) for n in range(1, 20)]
    costs = [5 + 2 * size.mparams + 3 * size.macts for size in sizes]
    model = fit(sizes, costs)
    assert model is not None
    assert model.shares == pytest.approx((5, 2, 0, 3), abs=1e-9)
    assert model.error == pytest.approx(0, abs=1e-9)
    assert model.estimate(Sizes(mparams=10, gmacs=1, macts=2)) == pytest.approx(31)


def test_no_share_is_negative() -> None:
    sizes = [Sizes(mparams=n, gmacs=n, macts=1 / n) for n in range(1, 20)]
    model = fit(sizes, [30 - size.mparams for size in sizes])
    assert model is not None
    assert min(model.shares) >= 0


def test_few_rows_give_no_estimate() -> None:
    assert fit([Sizes(mparams=1, gmacs=1, macts=1)] * (MIN_ROWS - 1), [1.0] * (MIN_ROWS - 1)) is None


def test_a_task_that_takes_longer_than_its_sizes_say_has_a_factor() -> None:
    one = Sizes(mparams=1, gmacs=1, macts=1)
    costs = Estimates(
        seconds=CostModel(shares=(20, 0, 0, 0), error=0),
        memory=CostModel(shares=(1_000, 0, 0, 0), error=0),
        sizes=dict.fromkeys(("a", "b", "c", "d", "e"), one),
    )
    tasks = {"a": "segmentation", "b": "segmentation", "c": "segmentation", "d": "segmentation", "e": "detection"}
    proved = [("a", 80.0, 1_500.0), ("b", 100.0, 2_000.0), ("c", 400.0, 900.0), ("e", 900.0, 9_000.0)]
    found = costs.for_tasks(tasks, proved)
    assert found.of("d") == (100.0, 1_500.0), "the middle one of three"
    assert found.of("e") == (20.0, 1_000.0), "one alone says nothing"
    assert found.of("unknown") is None


def _listed(name: str, *, not_available: str = "") -> Listed:
    return Listed(full_name=f"toys/{name}", plugin="toys", family="toy", parameters=5_000, not_available=not_available)


def test_a_line_says_the_verdict_the_reason_or_an_estimate() -> None:
    constant = CostModel(shares=(20, 0, 0, 0), error=0.25)
    memory = CostModel(shares=(1_500, 0, 0, 0), error=0.1)
    costs = Estimates(seconds=constant, memory=memory, sizes={"toys/b": Sizes(mparams=1, gmacs=1, macts=1)})
    rows = {
        "toys/a": SweepRow(
            model="toys/a", verdict="PASS", worst_ratio=1.04, cpu_seconds=12.4, memory_mb=1_234, nodes=9
        ),
        "toys/d": SweepRow(model="toys/d", verdict="FAIL", reason="no | way", machine="a machine"),
    }
    models = [_listed("a"), _listed("b"), _listed("c", not_available="no task yet")]
    lines = page(models, rows, costs).splitlines()
    assert "| toys | 4 | 2 | 1 | 0.0 |" in lines
    assert "1 of 2 proved; 1 FAIL. Measured on a machine." in lines
    assert "| toys/d | FAIL | no / way |" in lines
    assert "| a | 5 k | **PASS** | 1.0 | 12 | 1.2 GB | 9 |  |  |  |" in lines
    assert "| b | 5 k | not swept |  | ~20 | ~1.5 GB |  |  |  |  |" in lines
    assert "| c | 5 k | no task yet |  |  |  |  |  |  |  |" in lines
    assert json.loads(verdicts(models, rows, costs)) == {
        "toys/a": ["PASS", 12.4, 1_234],
        "toys/b": [20, 1_500],
        "toys/d": ["FAIL", 0.0, 0],
    }


def test_info_says_it_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"toys/a": ["PASS", 12.4, 1_234], "toys/b": [20, 1_500]}
    monkeypatch.setattr("zoo_export.sweep.verdicts._known", lambda: known)
    assert known_verdict("toys/a") == "PASS with random weights, 12 CPU s and 1.2 GB"
    assert known_verdict("toys/b") == "not swept yet; about 20 CPU s and 1.5 GB"
    assert known_verdict("toys/c") == ""
