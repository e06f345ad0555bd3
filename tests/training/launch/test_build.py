"""Threads are chosen as for a user whose environment says nothing: by timing one step that nobody keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.training.toy import train_toy, weights
from zoo.registry.catalog import Catalog
from zoo.training.launch import build
from zoo.training.launch.start import train

ONE_OF_EACH_TRAINER = (
    "cnn",
    "autoencoder",
    "vae",
    "vae_decoder",
    "dcgan",
    "ssd_tiny",
    "yolo_nano",
    "fcn_tiny",
    "rnn",
    "lstm_lm",
    "sentence_bert_tiny",
    "wavenet_tiny",
    "facenet_tiny",
    "detr_micro",
)


class Rehearsed(Exception):
    """The step ran twice."""


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """On a machine of several idle cores; holds what every rehearsal chose."""
    chosen: list[int] = []

    def choose(step: Callable[[], object], *, share: int, tell: object) -> int:
        step()
        step()
        chosen.append(share)
        return 1

    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(build, "share_of_threads", lambda *, processes: 4 // processes)
    monkeypatch.setattr(build, "choose_threads", choose)
    return chosen


@pytest.mark.slow
def test_a_rehearsal_leaves_no_trace(timed: list[int], tmp_path: Path) -> None:
    for model in ("rich", "duel"):
        train_toy(tmp_path / f"{model}-said", model=model, threads=1)
        assert timed == []
        train_toy(tmp_path / f"{model}-chosen", model=model, threads=None)
        assert timed.pop() == 4
        assert weights(tmp_path / f"{model}-said") == weights(tmp_path / f"{model}-chosen")
    assert torch.get_num_threads() == 1


def test_one_of_each_trainer_is_rehearsed() -> None:
    catalog = Catalog.discover()
    used = {catalog.trainer_of(catalog.model(name)).full_name for name in ONE_OF_EACH_TRAINER}
    assert used == {catalog.trainer_of(entry).full_name for entry in catalog.models()}


@pytest.mark.slow
@pytest.mark.parametrize("model", ONE_OF_EACH_TRAINER)
def test_every_trainer_can_be_rehearsed(
    model: str, timed: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stop(step: Callable[[], object], *, share: int, tell: object) -> int:
        step()
        step()
        raise Rehearsed

    monkeypatch.setattr(build, "choose_threads", stop)
    with pytest.raises(Rehearsed):
        train(model, output=tmp_path / "run", batch_size=4)
    assert not (tmp_path / "run").exists()
