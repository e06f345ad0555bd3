"""Callbacks of a plugin: what they are told, what they remember, and what happens when one fails."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import zoo
from tests.training import toy
from tests.training.toy import resume_toy, train_toy, weights
from zoo.registry.catalog import Catalog
from zoo.runs.run import Run
from zoo.training.callbacks.built_in import BUILT_IN_CALLBACKS

HERE = "tests.training.test_callbacks"
EVENTS = ("start", "step", "evaluation", "epoch_end", "checkpoint", "saved", "end", "failure", "close")


@dataclass
class Diary(zoo.Callback):
    """Notes the events, with a state that must survive."""

    run: zoo.CallbackRun | None = None
    noted: list[str] = field(default_factory=list)
    epochs: int = 0
    fails: str = ""

    def state_dict(self) -> Mapping[str, Any]:
        return {"epochs": self.epochs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.epochs = state["epochs"]

    def __post_init__(self) -> None:
        DIARIES.append(self)
        for name in EVENTS:
            setattr(self, f"on_{name}", self._noting(name))

    def _noting(self, name: str) -> Any:
        def note(event: Any = None) -> None:
            text = f"{name} {event.split}" if name == "evaluation" else name
            self.noted.append(text)
            self.epochs += name == "epoch_end"
            if text == self.fails:
                raise RuntimeError("no paper left")

        return note


DIARIES: list[Diary] = []


@zoo.hookimpl
def zoo_callbacks() -> list[zoo.CallbackSpec]:
    return [
        zoo.CallbackSpec(name="diary", callback=f"{HERE}:Diary", summary="notes the events"),
        zoo.CallbackSpec(name="text", callback="builtins:repr"),
    ]


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = toy.catalog
    paper = Catalog.discover([SimpleNamespace(__name__="paper", zoo_callbacks=zoo_callbacks)])
    monkeypatch.setattr(toy, "catalog", lambda: Catalog(plugins=(*plain().plugins, *paper.plugins)))
    monkeypatch.setattr("zoo.training.loop.fit.EVENT_SECONDS", 0.0)
    DIARIES.clear()


def test_a_callback_by_name_gets_every_event_in_order(tmp_path: Path) -> None:
    run = train_toy(tmp_path / "run", "epochs=2", limit_train=32).run
    assert run.config.callbacks == ()
    ended = train_toy_with("diary", tmp_path / "other", "epochs=2")
    (diary,) = DIARIES
    epoch = ["step", "step", "evaluation validation", "epoch_end", "checkpoint", "saved"]
    assert diary.noted == ["start", *epoch, *epoch, "evaluation test", "end", "close"]
    assert diary.run is not None
    assert (diary.run.path, diary.run.model, diary.run.task) == (tmp_path / "other", "simplenamespace/rich", "toy")
    assert diary.run.config["recipe"]["epochs"] == 2  # type: ignore[index, call-overload]
    assert ended.run.config.callbacks == ("simplenamespace/diary",)
    assert weights(tmp_path / "other") == weights(tmp_path / "run")


def train_toy_with(name: str, place: Path, *settings: str, **options: Any) -> Any:
    from zoo.runs.train_options import TrainOptions
    from zoo.training.launch.request import check_data, resolve_training
    from zoo.training.launch.start import begin

    chosen = {"threads": 1, "workers": 0, "limit_train": 32, **options}
    wanted = TrainOptions(output=place, settings=settings, callbacks=(name,), **chosen)
    request = resolve_training("rich", wanted, catalog=toy.catalog())
    return begin(request, check_data(request, progress=lambda *_: None), say=print)


@pytest.mark.parametrize(
    ("event", "where"),
    [
        ("start", "in on_start, epoch 1, step 0"),
        ("step", "in on_step, epoch 1, step 1"),
        ("evaluation validation", "in on_evaluation, epoch 2, step 6"),
        ("epoch_end", "in on_epoch_end, epoch 2, step 6"),
        ("saved", "in on_saved, epoch 2, step 6"),
        ("evaluation test", "in on_evaluation, epoch 5, step 24"),
        ("end", "in on_end, epoch 5, step 24"),
    ],
)
def test_a_callback_that_fails_is_named_and_the_run_goes_on_to_the_same_end(
    tmp_path: Path, event: str, where: str
) -> None:
    train_toy(tmp_path / "whole")
    failing = Diary(fails=event)
    with pytest.raises(zoo.PluginError) as error:
        train_toy(tmp_path / "run", callbacks=[failing])
    assert error.value.message == f"the callback Diary of {HERE} failed {where}: RuntimeError: no paper left"
    assert error.value.hint == (
        f"what was trained is saved; zoo train --resume {tmp_path / 'run'} goes on, with --callback none without it"
    )
    assert Run.open(tmp_path / "run").record.error == error.value.message
    assert (failing.noted[-2:], failing.noted.count("failure")) == (["failure", "close"], 1)
    assert resume_toy(tmp_path / "run", callbacks=[Diary()]).outcome.status == "finished"
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")


def test_a_failing_callback_stops_where_an_exact_resume_can_begin(tmp_path: Path) -> None:
    settings = ("accumulate=3", "batch_size=8")
    train_toy(tmp_path / "whole", *settings)
    with pytest.raises(zoo.PluginError, match="step 1: "):
        train_toy(tmp_path / "run", *settings, callbacks=[Diary(fails="step")])
    assert Run.open(tmp_path / "run").checkpoint("last").checkpoint.manifest.step == 3
    resume_toy(tmp_path / "run")
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")


class _Interrupt(zoo.Callback):
    def on_epoch_end(self, result: zoo.EpochResult) -> None:
        if result.epoch == 2:
            signal.raise_signal(signal.SIGINT)


def test_what_a_callback_remembers_is_part_of_the_checkpoint(tmp_path: Path) -> None:
    train_toy(tmp_path / "run", callbacks=[_Interrupt(), Diary()])
    again = Diary()
    resume_toy(tmp_path / "run", callbacks=[again])
    assert again.epochs == 4


def test_a_resume_makes_the_callbacks_of_the_run_or_those_that_are_named(tmp_path: Path) -> None:
    for name, count in (("run", 2), ("quiet", 1)):
        DIARIES.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "zoo.training.loop.stopping.StopRule.callback_failed", lambda rule: rule._training.progress.step >= 4
            )
            patch.setattr("zoo.training.loop.stopping.CALLBACK_FAILED", -1)
            train_toy_with("diary", tmp_path / name, "epochs=3")
        resume_toy(tmp_path / name, callbacks=["none"] if name == "quiet" else [])
        assert len(DIARIES) == count
        assert Run.open(tmp_path / name).config.callbacks == (() if name == "quiet" else ("simplenamespace/diary",))


def test_names_that_cannot_be_used_are_refused_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(zoo.UnknownName, match="no callback named 'dairy'"):
        train_toy_with("dairy", tmp_path / "run")
    with pytest.raises(zoo.PluginError, match=re.escape("gave a str for simplenamespace/text, where a zoo.Callback")):
        train_toy_with("text", tmp_path / "run")
    with pytest.raises(zoo.UsageError, match="two callbacks of this training are called Diary"):
        train_toy(tmp_path / "twice", callbacks=[Diary(), Diary()])


def test_the_built_in_callbacks_come_through_the_same_hook() -> None:
    offered = [entry.spec for entry in Catalog.discover().callbacks() if entry.plugin.name == "zoo"]
    assert offered == sorted(BUILT_IN_CALLBACKS, key=lambda spec: spec.name)
    assert [spec.name for spec in offered] == ["live-line", "metrics-csv", "mlflow", "pictures", "tensorboard", "wandb"]
