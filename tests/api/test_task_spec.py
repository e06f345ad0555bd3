"""A task is of API 1 or of API 2, whole, and its tags are data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from zoo.api.parts import declares
from zoo.api.specs import PARTS, Monitor, TaskSpec, TaskTags

WHOLE: dict[str, Any] = {part: f"mine.task:{part.title()}" for part in PARTS} | {
    "monitor": Monitor(metric="error", mode="min")
}


def test_five_parts_are_a_task() -> None:
    spec = TaskSpec(name="measuring", **WHOLE)
    assert (spec.monitored, spec.task, spec.tags) == ("error", None, TaskTags())
    assert TaskSpec(name="measuring", task="mine.task:Old", metric="loss").monitored == "loss"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "the task m names no data, tensors, graphs, answers, device, monitor"),
        ({**WHOLE, "graphs": None, "monitor": None}, "the task m names no graphs, monitor"),
        ({"data": "a:B", "task": "a:C"}, "the task m names data, and task= too; say one of them"),
        ({**WHOLE, "answers": "answers"}, "answers of the task m is 'answers'; it must look like"),
    ],
)
def test_half_a_task_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TaskSpec(name="m", **fields)


def test_a_tag_that_says_nothing_asks_the_object() -> None:
    able, unable = SimpleNamespace(order=lambda: None), SimpleNamespace()
    assert [declares(tag, able, "order") for tag in (True, False, None)] == [True, False, True]
    assert [declares(tag, unable, "order") for tag in (True, False, None)] == [True, False, False]
