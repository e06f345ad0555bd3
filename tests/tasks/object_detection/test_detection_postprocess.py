"""The postprocessing of detectors in PyTorch and as a graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from zoo.tasks.object_detection.facts import CANDIDATES
from zoo.tasks.object_detection.postprocess import Detections

SIZE = (50, 100)


def finish(*, limit: int = 4, score: float = 0.3) -> Detections:
    return Detections(size=SIZE, score=score, overlap=0.5, limit=limit).eval()


def picture(height: int, width: int) -> Tensor:
    return torch.zeros(height, width, 3, dtype=torch.uint8)


BOXES = torch.tensor([[[0.0, 0, 20, 20], [0, 0, 20, 22], [50, 10, 90, 40], [60, 20, 130, 70]]])
SCORES = torch.tensor([[[0.8, 0.0], [0.9, 0.4], [0.1, 0.7], [0.2, 0.0]]])


def test_the_surest_of_overlapping_boxes_of_a_class_stays() -> None:
    boxes, scores, labels = finish()(BOXES, SCORES, picture(*SIZE))
    assert boxes.tolist() == [[0, 0, 20, 22], [50, 10, 90, 40], [0, 0, 20, 22]]
    assert scores.tolist() == pytest.approx([0.9, 0.7, 0.4])
    assert labels.tolist() == [0, 1, 1]


def test_boxes_are_in_pixels_of_the_given_picture_and_inside_it() -> None:
    boxes, _, _ = finish(score=0.15, limit=9)(BOXES, SCORES, picture(200, 50))
    assert boxes.tolist()[1] == [25, 40, 45, 160]
    assert boxes.tolist()[3] == [30, 80, 50, 200], "cut at the edges"


def test_a_cell_may_have_a_box_for_each_class_and_a_name() -> None:
    boxes, scores, labels = finish()(BOXES.repeat(1, 1, 2), SCORES, torch.arange(4)[None], picture(*SIZE))
    wanted = finish()(BOXES, SCORES, picture(*SIZE))
    assert all(torch.equal(one, other) for one, other in zip((boxes, scores, labels), wanted, strict=True))
    moved = torch.cat([BOXES, BOXES + 5.0], dim=2)  # those of the second class lie elsewhere
    boxes, _, labels = finish()(moved, SCORES, torch.arange(4)[None], picture(*SIZE))
    first, second = wanted[0][labels == 0], wanted[0][labels == 1]
    assert torch.equal(boxes[labels == 0], first) and torch.equal(boxes[labels == 1], second + 5.0)


def test_nothing_and_too_much() -> None:
    none = finish(score=0.95)(BOXES, SCORES, picture(10, 10))
    assert [tuple(one.shape) for one in none] == [(0, 4), (0,), (0,)]
    boxes, scores, _ = finish(limit=2)(BOXES, SCORES, picture(10, 10))
    assert len(boxes) == 2 and scores.tolist() == pytest.approx([0.9, 0.7])


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> onnxruntime.InferenceSession:
    """The postprocessing of 300 boxes in 5 classes, more than it looks at."""
    path: Path = tmp_path_factory.mktemp("finish") / "finish.onnx"
    boxes, scores = random_boxes(0)
    torch.onnx.export(
        finish(limit=7),
        (boxes, scores, picture(60, 70)),
        str(path),
        dynamo=True,
        verbose=False,
        opset_version=18,
        input_names=["boxes", "scores", "image"],
        output_names=["found", "confidence", "labels"],
        dynamic_shapes=(None, None, ({0: "height", 1: "width"},)),
    )
    return onnxruntime.InferenceSession(str(path))


def random_boxes(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(1, 300, 2, generator=generator) * 60
    sides = torch.rand(1, 300, 2, generator=generator) * 40
    return torch.cat([low, low + sides], dim=2), torch.rand(1, 300, 5, generator=generator)


@pytest.mark.parametrize(("size", "factor"), [((33, 77), 1.0), ((200, 41), 0.31), ((60, 70), 0.0)])
def test_the_graph_answers_as_the_module(
    graph: onnxruntime.InferenceSession, size: tuple[int, int], factor: float
) -> None:
    boxes, scores = random_boxes(3)
    assert scores.numel() > CANDIDATES
    expected = finish(limit=7)(boxes, scores * factor, picture(*size))
    feeds = {"boxes": boxes.numpy(), "scores": (scores * factor).numpy(), "image": picture(*size).numpy()}
    given = graph.run(None, feeds)
    assert len(expected[0]) == {1.0: 7, 0.31: len(given[0]), 0.0: 0}[factor]
    for one, other in zip(expected, given, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-6)
