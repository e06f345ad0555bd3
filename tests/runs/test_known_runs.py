"""Runs made with -o are found from the folder where they were made, and all of them with --all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import tiny_run
from zoo.runs.known_runs import known_runs, remember_run, state_root
from zoo.runs.listing import latest_run, list_runs


@pytest.fixture(name="here")
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def made(path: Path) -> Path:
    tiny_run(path)
    remember_run(path)
    return path


def test_a_run_outside_of_the_usual_place_is_listed_and_taken(here: Path) -> None:
    made(Path("runs/tiny/1"))
    made(Path("mine"))
    made(here.parent / "elsewhere")
    paths = {run.path for run in list_runs().runs}
    assert paths == {Path("runs/tiny/1"), Path("mine"), here.parent / "elsewhere"}
    newest = latest_run()
    assert newest is not None and newest.run.path == here.parent / "elsewhere"


def test_runs_of_another_folder_are_listed_only_when_all_are_asked_for(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(Path("mine"))
    (here.parent / "other").mkdir()
    monkeypatch.chdir(here.parent / "other")
    assert list_runs().runs == ()
    assert [run.path for run in list_runs(everywhere=True).runs] == [here / "mine"]


def test_another_root_lists_its_own_runs_alone(here: Path) -> None:
    made(Path("mine"))
    assert list_runs(here / "archive").runs == ()


def test_a_run_that_is_gone_is_forgotten_and_a_damaged_note_is_no_error(here: Path) -> None:
    path = made(Path("mine"))
    (state_root() / "runs" / "x.json").write_text("[1]")
    path.rename(here.parent / "moved")
    assert list(known_runs()) == []
    assert [file.name for file in (state_root() / "runs").iterdir()] == ["x.json"]


def test_a_state_folder_that_cannot_be_written_costs_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "file").touch()
    monkeypatch.setenv("ZOO_STATE", str(here / "file" / "state"))
    remember_run(Path("mine"))
    assert list(known_runs()) == []
