from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.api.task import Port, Signature
from zoo.bundle.judge.evidence import Magnitude
from zoo.models.pipeline import TorchPipeline
from zoo_export.reference.answer_noise import answer_noise, carried_noise, pairwise
from zoo_export.reference.oracle import ReferenceOutputs

MODEL = Signature(
    inputs=(Port(name="x", dtype="float32", shape=(1,)),),
    outputs=(
        Port(name="sizes", dtype="float32", shape=(1, "rows", 2)),
        Port(name="scores", dtype="float32", shape=(1, "rows")),
    ),
)
ANSWER = Signature(
    inputs=(Port(name="scale", dtype="float32", shape=(1,)),),
    outputs=(
        Port(name="boxes", dtype="float32", shape=("n", 2)),
        Port(name="sure", dtype="float32", shape=("n",)),
    ),
)


class Decoded(nn.Module):
    """Sizes in the order of their scores, as exponents, in units of the raw input."""

    raw = ("scale",)

    def forward(self, sizes: Tensor, scores: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        order = torch.argsort(-scores[0], stable=True)
        order = order[scores[0][order] > 0.05]
        return torch.exp(sizes[0][order]) * scale, scores[0][order]


def noise_of(scores: list[float], *, sizes: float, score: float, scale: float) -> dict[str, float]:
    pipeline = TorchPipeline(
        preprocess=nn.Identity(),
        model=nn.Identity(),
        postprocess=Decoded(),
        signature=ANSWER,
        model_signature=MODEL,
        double=True,
    )
    outputs = {"sizes": np.array([[[0.0, 1.0], [1.0, 2.0], [0.5, 0.25]]]), "scores": np.array([scores])}
    noise = {"sizes": Magnitude(rms=sizes, max=sizes), "scores": Magnitude(rms=score, max=score)}
    expected = ReferenceOutputs(reference=outputs, single=outputs, noise=noise)
    return answer_noise(expected, {"scale": np.array([scale])}, pipeline, ["boxes", "sure"])


def test_the_noise_of_the_model_is_carried_through_the_postprocess() -> None:
    noise = noise_of([0.9, 0.8, 0.7], sizes=1e-5, score=1e-7, scale=40.0)
    assert noise["boxes"] == pytest.approx(40.0 * np.exp(2.0) * 1e-5, rel=1e-4)
    assert noise["sure"] == pytest.approx(1e-7, rel=1e-4)


def test_equal_scores_and_scores_at_a_threshold_are_no_noise_of_the_boxes() -> None:
    """Rounding exchanges such rows, or leaves one out; that is the task's to allow."""
    noise = noise_of([0.8, 0.8, 0.05 + 1e-8], sizes=1e-5, score=1e-6, scale=1.0)
    assert noise["boxes"] == pytest.approx(np.exp(2.0) * 1e-5, rel=1e-4)


def test_what_is_exact_has_no_noise() -> None:
    assert noise_of([0.9, 0.8, 0.7], sizes=0.0, score=0.0, scale=1.0) == {"boxes": 0.0, "sure": 0.0}


class Shares(nn.Module):
    """A softmax, which knows nothing but differences."""

    def forward(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits[0], 0)


@pytest.mark.parametrize("likely", [(0, 1), (2, 6), (5, 7)])
def test_whichever_two_classes_share_the_probability_their_difference_is_off(likely: tuple[int, int]) -> None:
    logits = np.full((1, 8), -40.0)
    logits[0, list(likely)] = 0.0
    pipeline = TorchPipeline(
        preprocess=nn.Identity(),
        model=nn.Identity(),
        postprocess=Shares(),
        signature=Signature(inputs=(), outputs=(Port(name="shares", dtype="float32", shape=(8,)),)),
        model_signature=Signature(inputs=(), outputs=(Port(name="logits", dtype="float32", shape=(1, 8)),)),
        double=True,
    )
    noise = {"logits": Magnitude(rms=1e-5, max=1e-5)}
    expected = ReferenceOutputs(reference={"logits": logits}, single={"logits": logits}, noise=noise)
    moved = carried_noise(expected, {}, pipeline, ["shares"], directions=pairwise)["shares"]
    assert moved.max == pytest.approx(0.25 * 2e-5, rel=1e-4)
    assert moved.rms == pytest.approx(0.25 * 2e-5 / 2, rel=1e-4)
