"""A plugin of API version 1, frozen in tests/data/api_1: it loads and passes the conformance kit for ever."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.frozen import folder_sha256
from zoo.testing import check_plugin

FROZEN = Path(__file__).parents[1] / "data" / "api_1"
SHA256 = {
    "api_1": "7c1bad719c5e8218a616f88a0c0bc475cb801d923b675cfd9373d407d8b3084b",
    "api_1_keypoints": "239219fa8ea5349a832b7ac080f3bc8e3fa290fbada51a36aff99d778d165a7f",
}
"""Of everything in the folder.  It may never change: whoever changes it has edited what may never be edited."""


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The frozen plugin, installed."""
    monkeypatch.syspath_prepend(str(FROZEN))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo_first"]:
        sys.modules.pop(name)


@pytest.mark.parametrize("folder", SHA256)
def test_nobody_edited_them(folder: str) -> None:
    assert folder_sha256(FROZEN.with_name(folder)) == SHA256[folder]


@pytest.mark.usefixtures("first")
def test_it_is_listed_with_all_that_it_offers(zoo_command: Callable[..., Any]) -> None:
    found = {one["name"]: one for one in zoo_command("plugins", "--json").json["plugins"]}["first"]
    assert (found["state"], found["error"], found["distribution"]) == ("ok", "", "zoo-first")
    offers = [found[kind] for kind in ("models", "trainers", "tasks", "weights")]
    assert offers == [["first", "linear"], ["first", "modest"], ["first"], ["linear@digits"]]
    assert zoo_command("info", "line", "--json").json["name"] == "first/linear"


@pytest.mark.slow
@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("group", ["declaration", "model", "weights", "export"])
def test_it_passes_the_kit(group: Any) -> None:
    score = check_plugin("first", groups=(group,), models="linear" if group == "export" else None)
    assert [one for one in score.results if one.status != "passed"] == []
    assert score.holds


@pytest.mark.slow
@pytest.mark.usefixtures("first")
def test_it_trains(tmp_path: Path, zoo_command: Callable[..., Any]) -> None:
    for model, metric in (("linear", "top1"), ("first/first", "error")):
        place = str(tmp_path / metric)
        said = zoo_command("train", model, "-o", place, "--epochs", "1", "--limit-train", "256", "--json")
        assert said.code == 0, said.err
        assert metric in said.json["metrics"]
