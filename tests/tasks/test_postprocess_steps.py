"""Every built-in task tells its postprocessing as data, and its module does what the steps say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from zoo.api.parts import Task
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import AudioInput, ImageInput, Input, LatentInput, Problem, TokenInput
from zoo.registry.catalog import Catalog
from zoo.tasks.object_detection.postprocess import Detections
from zoo.tasks.plugin import TASKS

IMAGE = ImageInput(size=(4, 6), channels=3, mean=(0.5, 0.25, 0.0), std=(0.5, 1.0, 0.25))
LOGITS = np.random.default_rng(0).normal(size=(1, 3)).astype(np.float32)
PIXELS = np.random.default_rng(1).normal(size=(1, 3, 4, 6)).astype(np.float32)
CASES: Mapping[str, tuple[Input, np.ndarray[Any, Any]]] = {
    "image-classification": (IMAGE, LOGITS),
    "text-classification": (TokenInput(), LOGITS),
    "text-generation": (TokenInput(), LOGITS),
    "audio-generation": (AudioInput(), LOGITS),
    "text-embedding": (TokenInput(embedding=3), LOGITS),
    "image-embedding": (IMAGE, LOGITS),
    "image-reconstruction": (IMAGE, PIXELS),
    "image-generation": (LatentInput(size=2, picture=IMAGE), PIXELS),
    "semantic-segmentation": (IMAGE, PIXELS),
}


def task_and_problem(name: str, input: Input, **facts: Any) -> tuple[Task, Problem, tuple[PostprocessStep, ...]]:
    task, problem = (
        Catalog.discover().make_task(name),
        Problem(task=name, input=input, classes=("a", "b", "c"), facts=facts),
    )
    return task, problem, task.graphs.postprocess_steps(problem)


def by_the_steps(steps: tuple[PostprocessStep, ...], values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The steps in numpy, for an image of the model's own size."""
    for step in steps:
        match step.kind:
            case PostprocessKind.SOFTMAX:
                values = np.exp(values) / np.exp(values).sum(1, keepdims=True)
            case PostprocessKind.UNIT_LENGTH:
                lengths = np.linalg.norm(values, axis=1, keepdims=True)
                values = values / np.maximum(lengths, step.numbers["min_length"])
            case PostprocessKind.DENORMALISE:
                mean, std = (np.reshape(numbers, (3, 1, 1)) for numbers in (IMAGE.mean, IMAGE.std))
                values = np.round(np.clip(255 * (values * std + mean), 0, 255)).transpose(0, 2, 3, 1)
            case PostprocessKind.ARGMAX:
                values = values.argmax(1)
            case PostprocessKind.IDENTITY | PostprocessKind.RESIZE_TO_IMAGE:
                pass
            case _:
                raise AssertionError(step.kind)
    return values


def test_every_built_in_task_is_tried() -> None:
    assert {spec.name for spec in TASKS} == {*CASES, "object-detection"}


@pytest.mark.parametrize("name", CASES)
def test_the_module_does_what_the_steps_say(name: str) -> None:
    input, outputs = CASES[name]
    task, problem, steps = task_and_problem(name, input)
    module = task.graphs.postprocess(problem)
    raw = [torch.zeros(4, 6, 3, dtype=torch.uint8) for _ in getattr(module, "raw", ())]
    answer = module(torch.from_numpy(outputs), *raw)
    answer = answer[0] if isinstance(answer, tuple) else answer
    expected = by_the_steps(steps, outputs)
    np.testing.assert_allclose(answer.numpy().squeeze(), expected.squeeze(), rtol=1e-5, atol=1e-6)


def test_a_vector_without_a_direction_stays_short() -> None:
    task, problem, (step,) = task_and_problem("text-embedding", TokenInput(embedding=3))
    tiny = torch.tensor([[step.numbers["min_length"] / 2, 0.0, 0.0]])
    assert task.graphs.postprocess(problem)(tiny).tolist() == [[0.5, 0.0, 0.0]]


def test_detectors_are_built_from_the_numbers_of_their_steps() -> None:
    task, problem, steps = task_and_problem("object-detection", IMAGE, max_detections=2)
    assert steps == (
        PostprocessStep(kind=PostprocessKind.TOP_K, numbers={"k": 1000}),
        PostprocessStep(kind=PostprocessKind.CLIP_BOXES),
        PostprocessStep(
            kind=PostprocessKind.NMS,
            numbers={"score_threshold": 0.05, "iou_threshold": 0.5, "max_detections": 2},
        ),
        PostprocessStep(kind=PostprocessKind.SCALE_TO_IMAGE),
    )
    module = task.graphs.postprocess(problem)
    assert isinstance(module, Detections)
    assert (module.candidates, module.score, module.overlap, module.limit) == (1000, 0.05, 0.5, 2)
    boxes = torch.tensor([[[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.1], [3.0, 0.0, 9.0, 2.0], [3.0, 2.0, 5.0, 4.0]]])
    scores = torch.tensor([[[0.9], [0.8], [0.7], [0.04]]])
    found, confidence, _ = module(boxes, scores, torch.zeros(8, 6, 3, dtype=torch.uint8))
    assert found.tolist() == [[0.0, 0.0, 2.0, 4.0], [3.0, 0.0, 6.0, 4.0]], "clipped to 4 x 6, then to 8 x 6"
    assert confidence.tolist() == pytest.approx([0.9, 0.7])
