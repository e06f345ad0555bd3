"""`zoo runs`: filtered, sorted, compared, removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Said
from tests.runs.test_run import make
from zoo.runs.run import Run, Status

Command = Callable[..., Said]
ROWS = "epoch,step,lr,train/loss,validation/top1\n1,10,0.1,2.0,{score}\n2,20,0.01,1.0,{score}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_STATE", str(tmp_path / "state"))


@pytest.fixture
def three() -> list[Run]:
    """Runs of top1 0.5, 0.9 and 0.7, the last one interrupted, from the oldest to the newest."""
    runs = []
    for number, score in enumerate((0.5, 0.9, 0.7)):
        run = make(Path("runs"), f"r{number}", created=f"2026-01-0{number + 1}T00:00:00.000000Z")
        status: Status = "interrupted" if number == 2 else "finished"
        run = run.update(replace(run.record, metrics={"top1": score}, status=status))
        recipe = replace(run.config.recipe, lr=0.1 * (number + 1))
        (run.path / "metrics.csv").write_text(ROWS.format(score=score))
        runs.append(run.configure(replace(run.config, recipe=recipe)))
    return runs


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ["r2", "r1", "r0"]),
        (("--sort", "top1"), ["r0", "r2", "r1"]),
        (("--sort", "top1", "--falling"), ["r1", "r2", "r0"]),
        (("--sort", "created"), ["r0", "r1", "r2"]),
        (("--status", "interrupted"), ["r2"]),
        (("--status", "finished", "--sort", "top1"), ["r0", "r1"]),
        (("--model", "ne*"), ["r2", "r1", "r0"]),
        (("--model", "other"), []),
        (("--data", "digits", "--task", "image-classification"), ["r2", "r1", "r0"]),
        (("--task", "text-generation"), []),
    ],
)
@pytest.mark.usefixtures("three")
def test_runs_are_filtered_and_sorted(zoo_command: Command, words: tuple[str, ...], names: list[str]) -> None:
    said = zoo_command("runs", *words, "--json")
    assert [Path(run["run"]).name for run in said.json["runs"]] == names
    assert said.code == 0


@pytest.mark.usefixtures("three")
def test_a_name_that_no_run_can_be_sorted_by_is_a_sentence(zoo_command: Command) -> None:
    said = zoo_command("runs", "--sort", "topp1")
    assert said.code == 2
    assert said.err == (
        "Error: no run can be sorted by 'topp1'\n"
        "sort by created, model, data, status, epochs, seconds, top1; test/METRIC is of the test split\n"
    )


def test_a_comparison_says_how_sure_the_numbers_are(zoo_command: Command, three: list[Run]) -> None:
    for run, low in zip(three, (0.45, 0.85, 0.65), strict=True):
        intervals = {"validation/top1": (low, low + 0.1)}
        run.update(replace(run.record, intervals=intervals, calibration={"validation": 0.02}))
    said = zoo_command("runs", "compare", "runs/net/r0", "runs/net/r1", "-o", "both.png", "--json")
    assert said.json["differences"]["validation top1, 95 %"] == ["0.4500 to 0.5500", "0.8500 to 0.9500"]
    assert "validation calibration error" not in said.json["differences"]


@pytest.mark.parametrize("status", ["finished", "interrupted"])
def test_a_report_is_written_anew_with_the_numbers_of_run_json(
    zoo_command: Command, three: list[Run], status: Status
) -> None:
    run = three[0]
    intervals = {"validation/top1": (0.45, 0.55)}
    run.update(replace(run.record, status=status, intervals=intervals, calibration={"validation": 0.0312}))
    said = zoo_command("report", str(run.path), "--json")
    assert said.code == 0, said.err
    assert said.json["intervals"] == {"validation/top1": [0.45, 0.55]}
    assert (said.json["calibration"], len(said.json["epochs"])) == ({"validation": 0.0312}, 2)
    page = (run.path / "report.html").read_text()
    assert "<td>0.5000</td><td>0.4500 to 0.5500</td>" in page and "<td>0.0312</td>" in page
    assert (run.path / "pictures" / "curves.png").exists() == (status == "interrupted")
    (run.path / "manifest.json").write_text("{}")
    assert zoo_command("report", str(run.path)).err.startswith(f"Error: {run.path} is a bundle")
    assert zoo_command("report", "nowhere").code == 2


@pytest.mark.usefixtures("three")
def test_two_runs_are_one_table_and_one_picture(zoo_command: Command) -> None:
    said = zoo_command("runs", "compare", "runs/net/r0", "runs/net/r1", "-o", "both.png", "--json")
    assert said.code == 0, said.err
    assert said.json["differences"] == {"recipe.lr": [0.1, 0.2], "validation top1": [0.5, 0.9]}
    assert Path("both.png").read_bytes().startswith(b"\x89PNG")
    again = zoo_command("runs", "compare", "runs/net/r0", "runs/net/r1", "-o", "both.png")
    assert (again.code, again.err.splitlines()[0]) == (2, "Error: both.png exists already")
    assert zoo_command("runs", "compare", "runs/net/r0").code == 2
    table = zoo_command("runs", "compare", "runs/net/r0", "runs/net/r1", "-o", "both.png", "--overwrite").out
    assert "recipe.lr" in table and "seed" not in table


def test_runs_are_removed_all_or_none(zoo_command: Command, three: list[Run]) -> None:
    said = zoo_command("runs", "rm", "runs/net/r0", "runs/net/none")
    assert said.code == 2 and "none is not a run directory" in said.err
    busy = three[1].update(replace(three[1].record, status="running", host="elsewhere"))
    said = zoo_command("runs", "rm", "runs/net/r0", str(busy.path))
    assert said.code == 2 and "is still being trained" in said.err
    assert three[0].path.exists()
    assert zoo_command("runs", "rm", "runs/net/r0", "runs/net/r2", "--json").json["removed"] == [
        "runs/net/r0",
        "runs/net/r2",
    ]
    assert [path.name for path in Path("runs/net").iterdir()] == ["r1"]
