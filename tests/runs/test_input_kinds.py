"""Inputs are known in files by kinds; a foreign kind is followed only into an installed plugin."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from zoo.api.errors import BadFile
from zoo.api.problem import Problem, TableInput
from zoo.runs.input_kinds import UnknownInput, class_of, kind_of
from zoo.runs.serialization import from_json, to_json


def test_an_input_of_zoo_has_a_short_kind() -> None:
    assert kind_of(TableInput(features=2)) == "table"
    assert class_of("table") is class_of("TableInput") is TableInput


@pytest.mark.parametrize(
    "kind",
    [
        "antigravity:geohash",
        "os:system",
        "zoo.__main__:main",
        "zoo_cnn.model:cnn",
        "zoo_unknown.inputs:Input",
        "nothing",
        3,
    ],
)
def test_a_file_makes_nothing_be_imported(kind: object) -> None:
    sys.modules.pop("antigravity", None)
    with pytest.raises(UnknownInput):
        class_of(kind)
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("kind", ["zoo_pairs.plugin:zoo_models", "zoo_pairs.task:Pair", "zoo_pairs:gone"])
def test_only_inputs_are_taken_from_an_installed_plugin(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "data" / "pairs"))
    assert class_of("zoo_pairs.inputs:PairInput").__name__ == "PairInput"
    with pytest.raises(UnknownInput, match=r"which is no zoo\.Input|does not have"):
        class_of(kind)


def test_the_sentence_reaches_the_reader_of_the_file() -> None:
    record = json.loads(json.dumps(to_json(Problem(task="t", input=TableInput(features=2)))))
    record["input"]["kind"] = "zoo_gone.inputs:Cloud"
    with pytest.raises(BadFile, match=r"'zoo_gone\.inputs:Cloud', which no installed plugin brings"):
        from_json(Problem, record, where="run.json")
