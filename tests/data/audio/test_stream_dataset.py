from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.api.task import Dataset
from zoo.data.audio.metrics import SampleMetrics
from zoo.data.audio.stream_dataset import IGNORE_INDEX, EvaluationWindows, Recordings, TrainingChunks

SILENCE = 128


def recordings(*lengths: int, chunk: int = 4) -> Recordings:
    """Recording k holds the codes 10 k, 10 k + 1, …"""
    codes = [np.arange(10 * number, 10 * number + length, dtype=np.uint8) for number, length in enumerate(lengths)]
    return Recordings(codes, range(len(lengths)), chunk=chunk)


def test_a_chunk_is_what_was_heard_and_what_came() -> None:
    data: Dataset = TrainingChunks(recordings(6, 8))
    assert len(data) == 4
    batch = data.batch([0, 1, 2])
    assert batch["samples"].tolist() == [[128, 0, 1, 2], [3, 4, 128, 128], [128, 10, 11, 12]]
    assert batch["targets"].tolist() == [[0, 1, 2, 3], [4, 5, IGNORE_INDEX, IGNORE_INDEX], [10, 11, 12, 13]]
    assert batch["condition"].tolist() == [0, 0, 1]


def test_places_go_on_within_a_recording_and_never_into_the_next() -> None:
    at = TrainingChunks(recordings(6, 8, 4)).batch(range(5))["at"]
    assert [other - one == 4 for one, other in pairwise(at.tolist())] == [True, False, True, False]


def test_an_epoch_goes_through_whole_recordings_in_an_order_drawn_anew() -> None:
    data = TrainingChunks(recordings(*[12] * 10))
    order = data.order(2, torch.Generator().manual_seed(1))
    assert sorted(order) == list(range(30))
    assert order == data.order(2, torch.Generator().manual_seed(1))
    assert order != data.order(2, torch.Generator().manual_seed(2))
    for stream in (order[::2], order[1::2]):
        assert all(place % 3 == number % 3 for number, place in enumerate(stream))
    assert sorted(data.order(64, torch.Generator())) == list(range(30))


def test_every_sample_is_measured_once_with_what_stands_before_it() -> None:
    data = EvaluationWindows(recordings(37, 5, chunk=4))
    assert len(data) == 4
    batch = data.batch(range(4))
    assert batch["samples"].shape == (4, 24)
    counted = [[code for code in row if code != IGNORE_INDEX] for row in batch["targets"].tolist()]
    assert counted == [list(range(16)), list(range(16, 32)), list(range(32, 37)), list(range(10, 15))]
    assert batch["samples"][1, :9].tolist() == list(range(7, 16))
    assert batch["samples"][0, :3].tolist() == [SILENCE, 0, 1]
    assert batch["condition"].tolist() == [0, 0, 0, 1]


def test_a_model_that_knows_nothing_needs_eight_bits(tmp_path: Path) -> None:
    metrics = SampleMetrics(8000)
    for targets in (torch.zeros(1, 600).long(), torch.tensor([[5, 6, IGNORE_INDEX], [IGNORE_INDEX, IGNORE_INDEX, 1]])):
        nll = math.log(256) * (targets != IGNORE_INDEX)
        outputs = {"nats": nll.sum(1), "tokens": (targets != IGNORE_INDEX).sum(1), "nll": nll}
        metrics.update(outputs, {"targets": targets})
    assert metrics.compute() == {"bits_per_sample": pytest.approx(8.0)}
    sure = {"nats": torch.zeros(1), "tokens": torch.tensor([603]), "nll": torch.zeros(1, 603)}
    metrics.update(sure, {"targets": torch.zeros(1, 603).long()})
    assert metrics.compute() == {"bits_per_sample": pytest.approx(4.0)}
    (picture,) = metrics.pictures(tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
