"""The conformance kit on callbacks: those of zoo pass, and each promise that is broken is named."""

# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

import zoo
from zoo.registry.catalog import Catalog
from zoo.testing import Result, check_plugin

HERE = "tests.testing.test_callback_checks"


class Forgetful(zoo.Callback):
    """Its state is lost."""

    def __init__(self, run: zoo.CallbackRun) -> None:
        self.seen = 0

    def on_epoch_end(self, result: zoo.EpochResult) -> None:
        self.seen += 1

    def state_dict(self) -> Mapping[str, Any]:
        return {"seen": self.seen}


class Unreadable(Forgetful):
    """Its state runs code when it is read."""

    def state_dict(self) -> Mapping[str, Any]:
        return {"self": self}


class Failing(zoo.Callback):
    """It cannot be told of a failure."""

    def __init__(self, run: zoo.CallbackRun) -> None:
        pass

    def on_failure(self, event: zoo.FailureEvent) -> None:
        raise RuntimeError("no paper left")


def results(callback: str) -> dict[str, Result]:
    spec = zoo.CallbackSpec(name="paper", callback=callback)
    hooks = SimpleNamespace(zoo_callbacks=zoo.hookimpl(lambda: [spec]))
    score = check_plugin("simplenamespace", groups=("callback",), catalog=Catalog.discover([hooks]))
    return {result.check: result for result in score.results}


@pytest.mark.parametrize(
    ("callback", "check", "detail"),
    [
        ("Forgetful", "state_round_trip", "its state is another one after load_state_dict"),
        ("Unreadable", "state_round_trip", "its state cannot be read from a checkpoint"),
        ("Failing", "events", "RuntimeError: no paper left"),
        ("results", "events", "gave a dict"),
    ],
)
def test_a_broken_promise_is_named(callback: str, check: str, detail: str) -> None:
    if callback == "results":
        result = results("builtins:vars")[check]
        assert result.status == "failed"
        return
    result = results(f"{HERE}:{callback}")[check]
    assert result.status == "failed" and result.detail.startswith(detail)


def test_the_built_in_callbacks_pass() -> None:
    score = check_plugin("zoo", groups=("callback",))
    assert {(result.subject, result.status) for result in score.results} == {
        **dict.fromkeys(("zoo/live-line", "zoo/metrics-csv", "zoo/pictures", "zoo/tensorboard"), "passed"),
        **dict.fromkeys(("zoo/mlflow", "zoo/wandb"), "skipped"),
    }.items()
