from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import pytest

from zoo.api import problem
from zoo.api.errors import BadFile
from zoo.api.problem import AudioInput, ImageInput, Input, Json, LatentInput, Problem, TableInput, TokenInput
from zoo.api.task import Port, Signature
from zoo.runs.input_kinds import KINDS
from zoo.runs.serialization import from_json, parse, to_json


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    count: int
    share: float
    name: str
    right: bool
    colour: Colour = Colour.RED
    maybe: float | None = None
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)
    schema: int = 1


FULL: dict[str, Any] = {"count": 1, "share": 0.5, "name": "a", "right": True, "colour": "red", "maybe": None}


def test_what_is_written_is_read() -> None:
    value = Everything(
        count=1, share=1, name="a", right=False, maybe=2.0, options={"a": 1, "b": True}, facts={"x": [1, {"y": None}]}
    )
    assert from_json(Everything, json.loads(json.dumps(to_json(value))), where="x") == value
    signature = Signature(inputs=(Port(name="x", dtype="float32", shape=("batch", 3)),), outputs=())
    assert from_json(Signature, to_json(signature), where="x") == signature
    problem = Problem(task="t", input=ImageInput(size=(2, 3)), classes=("a",), facts={"n": 1})
    assert from_json(Problem, to_json(problem), where="x") == problem


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": "1"},
        {"count": 1.0},
        {"count": True},
        {"share": "0.5"},
        {"share": float("nan")},
        {"share": float("inf")},
        {"right": "false"},
        {"right": 0},
        {"name": 1},
        {"colour": "blue"},
        {"maybe": "1"},
        {"surprise": 1},
    ],
)
def test_nothing_is_converted_and_nothing_is_ignored(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadFile, match=f"^config.json is not a valid Everything: .*{next(iter(wrong))}"):
        from_json(Everything, {**FULL, **wrong}, where="config.json")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "names no schema"),
        (b'{"schema": true}', "names no schema"),
        (b'{"schema": 0}', "names no schema"),
        (b'{"schema": 2}', "has schema 2, this zoo reads up to 1"),
        (b'{"schema": 1}', "required field missing"),
    ],
)
def test_a_file_that_is_no_record_of_ours_is_told(raw: bytes, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        parse(Everything, raw, schema=1, where="run.json")


INPUTS: Mapping[str, tuple[str, Input]] = {
    "image": ("ImageInput", ImageInput(size=(2, 3))),
    "tokens": ("TokenInput", TokenInput(max_length=9)),
    "latent": ("LatentInput", LatentInput(size=4, picture=ImageInput(size=(2, 3)))),
    "audio": ("AudioInput", AudioInput(sample_rate=8_000)),
    "table": ("TableInput", TableInput(features=3)),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_the_kind_of_an_input_is_no_name_of_a_class(kind: str) -> None:
    former, input = INPUTS[kind]
    problem = Problem(task="t", input=input)
    told = to_json(problem)
    assert told["input"]["kind"] == kind
    assert from_json(Problem, told, where="x") == problem
    told["input"]["kind"] = former
    assert from_json(Problem, told, where="x") == problem, "as zoo 0.1 wrote it"


@pytest.mark.parametrize("kind", ["Image", "", None, 3, [], {}])
def test_another_kind_of_input_is_refused(kind: object) -> None:
    told = {**to_json(Problem(task="t", input=ImageInput(size=(2, 3))))}
    told["input"] = {**told["input"], "kind": kind}
    with pytest.raises(BadFile, match="not a valid Problem"):
        from_json(Problem, told, where="x")


def test_every_kind_of_input_has_its_word() -> None:
    kinds = [kind for kind in vars(problem).values() if isinstance(kind, type) and issubclass(kind, Input)]
    assert set(KINDS) == {*kinds} - {Input}
    assert sorted(KINDS.values()) == sorted(INPUTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    verdict: Literal["PASS", "WARN"]


@pytest.mark.parametrize("value", ["FAIL", 3, None])
def test_a_value_that_is_none_of_those_allowed_is_told_with_them(value: object) -> None:
    with pytest.raises(BadFile) as error:
        from_json(Chosen, {"verdict": value}, where="a.json")
    assert error.value.message == (f"a.json is not a valid Chosen: '{value}' is none of 'PASS', 'WARN' @ $.verdict")


@dataclass(frozen=True)
class Lists:
    """Fields of every shape that a list can have."""

    names: tuple[str, ...]
    pair: tuple[str, str] = ("a", "b")
    rows: tuple[tuple[str, ...], ...] = ()
    by_name: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    perhaps: tuple[str, ...] | None = None
    words: list[str] | None = None
    sizes: tuple[int | str, ...] = ()


@pytest.mark.parametrize(
    "changes",
    [
        {"names": "ab"},
        {"names": {"a": 1}},
        {"pair": "ab"},
        {"rows": "ab"},
        {"rows": ["ab"]},
        {"by_name": {"a": "ab"}},
        {"by_name": [["a", ["b"]]]},
        {"perhaps": "ab"},
        {"words": "ab"},
        {"sizes": "12"},
    ],
)
def test_a_string_is_no_list_of_strings(changes: dict[str, object]) -> None:
    with pytest.raises(BadFile, match=rf"lists\.json is not a valid Lists: .*\$\.{next(iter(changes))}"):
        from_json(Lists, {"names": ["a"], **changes}, where="lists.json")


def test_lists_and_tuples_are_lists() -> None:
    lists = Lists(names=("a",), rows=(("b",),), by_name={"c": ("d",)}, perhaps=("e",), words=["f"], sizes=(1, "n"))
    assert from_json(Lists, to_json(lists), where="x") == lists
    assert from_json(Lists, json.loads(json.dumps(to_json(lists))), where="x") == lists
