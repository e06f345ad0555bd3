"""Preprocess, model and postprocess in PyTorch, with state, raw inputs and margins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zoo.api.errors import PluginError
from zoo.api.task import MARGIN, Port, Signature
from zoo.models.pipeline import StatePassthrough, TorchPipeline, with_state, without_state

TOKENS = Port(name="tokens", dtype="int64", shape=("batch", "length"))
STATE = Port(name="state", dtype="float32", shape=("batch", 1))
LOGITS = Port(name="logits", dtype="float32", shape=("batch", "length", 3))
AFTER = Port(name="state_out", dtype="float32", shape=("batch", 1), feeds="state")
SUMS = Signature(inputs=(TOKENS, STATE), outputs=(LOGITS, AFTER))


class Doubling(nn.Module):
    def forward(self, value: Tensor) -> Tensor:
        return 2 * value


def test_state_goes_past_the_ends_of_a_pipeline() -> None:
    one, state, raw = torch.ones(1), torch.tensor([5.0]), torch.tensor([9.0])
    assert [value.tolist() for value in StatePassthrough(Doubling(), own=1, state=1)(one, state)] == [[2.0], [5.0]]

    class Adding(nn.Module):
        raw = ("size",)

        def forward(self, value: Tensor, size: Tensor) -> Tensor:
            return value + size

    passthrough = StatePassthrough(Adding(), own=1, state=1)
    assert passthrough.raw == ("size",)
    assert [value.tolist() for value in passthrough(one, state, raw)] == [[10.0], [5.0]]


def test_the_pipeline_takes_and_gives_the_models_state() -> None:
    task = Signature(inputs=(TOKENS,), outputs=(LOGITS,))
    assert with_state(task, SUMS) == SUMS
    assert without_state(SUMS) == task
    with pytest.raises(PluginError, match="names its state last"):
        with_state(task, Signature(inputs=(STATE, TOKENS), outputs=(LOGITS, AFTER)))


IMAGE = Port(name="image", dtype="uint8", shape=("height", "width"))
INPUT = Port(name="image", dtype="float32", shape=(1, "height", "width"))
OUTPUT = Port(name="scores", dtype="float32", shape=(1, "height", "width"))
CLASSES = Port(name="classes", dtype="uint8", shape=("height", "width"))


class Halving(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return (image.float() / 2)[None]


class Bright(nn.Module):
    """1 where the scores are above a third of the raw picture's mean."""

    raw = ("image",)

    def forward(self, scores: Tensor, image: Tensor) -> Tensor:
        return (self.margin(scores, image) > 0).to(torch.uint8)

    def margin(self, scores: Tensor, image: Tensor) -> Tensor:
        return scores[0] - image.to(scores.dtype).mean() / 3


def pipeline(*, has_margin: bool = True) -> TorchPipeline:
    return TorchPipeline(
        has_margin=has_margin,
        preprocess=Halving(),
        model=nn.Identity(),
        postprocess=Bright(),
        signature=Signature(inputs=(IMAGE,), outputs=(CLASSES,)),
        model_signature=Signature(inputs=(INPUT,), outputs=(OUTPUT,)),
    )


def test_a_pipeline_is_preprocess_model_and_postprocess_with_the_raw_inputs_that_it_reads() -> None:
    raw = {"image": np.array([[0, 8]], np.uint8)}
    single = pipeline()
    assert single.inputs(raw)["image"].tolist() == [[[0.0, 4.0]]]
    assert {name: value.tolist() for name, value in single(raw).items()} == {"classes": [[0, 1]]}


def test_a_margin_is_given_where_it_is_asked_for_in_the_precision_of_the_pipeline() -> None:
    raw = {"image": np.array([[0, 8]], np.uint8)}
    single = pipeline()
    double = single.in_double(nn.Identity())
    for precise, dtype in ((single, np.float32), (double, np.float64)):
        answer = precise.with_margin(raw)
        assert answer[MARGIN].dtype == dtype
        np.testing.assert_allclose(answer[MARGIN], [[-4 / 3, 8 / 3]], rtol=1e-6)
    assert (double.double, single.double) == (True, False)
    assert pipeline(has_margin=False).with_margin(raw).keys() == {"classes"}, "the tag decides, not the method"
