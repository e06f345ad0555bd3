"""What a whole split gives beside its metrics: the loss, and how often the most common class was answered."""

# ruff: noqa: ARG002

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import zoo
from zoo.api.problem import ImageInput, TokenInput
from zoo.api.recipe import Recipe
from zoo.training.loop.split_metrics import SplitResult, evaluation_batch, measure_split
from zoo.training.trainers.classification import ClassificationTrainer
from zoo.training.trainers.segmentation import SegmentationTrainer
from zoo.training.trainers.single_model import SingleModelTrainer

ENGINE: Any = SimpleNamespace(rank=0, world=1, device=torch.device("cpu"), pins=False, autocast=nullcontext, sum=list)


class Rows:
    """A split whose inputs are the logits."""

    def __init__(self, **tensors: Tensor) -> None:
        self.tensors = tensors

    def __len__(self) -> int:
        return len(self.tensors["input"])

    def batch(self, indices: list[int]) -> dict[str, Tensor]:
        return {name: tensor[indices] for name, tensor in self.tensors.items()}

    def ready(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch


class Nothing:
    """No metrics."""

    def update(self, outputs: Any, batch: Any) -> None:
        pass

    def compute(self) -> dict[str, float]:
        return {}


def measured(trainer: Any, dataset: Any, *, classes: int, model: nn.Module | None = None) -> SplitResult:
    context: Any = SimpleNamespace(
        modules={"model": model or nn.Identity()},
        engine=ENGINE,
        recipe=Recipe(batch_size=16, channels_last=False, label_smoothing=0.5),
        problem=SimpleNamespace(classes=tuple(map(str, range(classes))), input=TokenInput()),
    )
    result = measure_split(context, trainer, dataset, Nothing())  # type: ignore[arg-type]
    assert result is not None
    return result


def test_a_small_training_batch_is_measured_in_small_batches_too() -> None:
    sizes = {batch: evaluation_batch(batch, TokenInput()) for batch in (1, 4, 16, 32, 64, 128, 1000)}
    assert sizes == {1: 4, 4: 16, 16: 64, 32: 64, 64: 64, 128: 128, 1000: 250}


def test_large_pictures_are_measured_in_smaller_batches_but_in_no_smaller_ones_than_training_takes() -> None:
    sizes = {side: evaluation_batch(16, ImageInput(size=(side, side))) for side in (224, 512, 1024)}
    assert sizes == {224: 64, 512: 21, 1024: 16}


def test_the_loss_is_the_mean_over_the_items_and_knows_no_label_smoothing() -> None:
    logits = torch.randn(70, 3, generator=torch.Generator().manual_seed(0))  # a batch of 64 and one of 6
    label = torch.arange(70) % 3
    result = measured(ClassificationTrainer(), Rows(input=logits, label=label), classes=3)
    assert result.loss == pytest.approx(float(F.cross_entropy(logits, label)), rel=1e-6)


def test_every_built_in_trainer_but_two_tells_a_validation_loss() -> None:
    """docs/training.md says why these have none."""
    catalog, silent = zoo.Catalog.discover(), set()
    for entry in catalog.models():
        method = getattr(catalog.make_trainer(entry), "validation_loss", None)
        if getattr(method, "__func__", None) in (None, SingleModelTrainer.validation_loss):
            silent.add(catalog.trainer_of(entry).full_name)
    assert silent == {"gan/gan", "facenet/metric-learning"}


def test_a_trainer_that_tells_no_loss_has_none() -> None:
    class Silent(SingleModelTrainer):
        def predict(self, context: Any, batch: Any) -> Any:
            return {"logits": batch["input"]}

    rows = Rows(input=torch.zeros(4, 2), label=torch.zeros(4).long())
    assert measured(Silent(), rows, classes=2).loss is None


def test_the_shares_of_the_most_common_answer_and_class() -> None:
    logits = F.one_hot(torch.tensor([0, 0, 0, 1]), 3).float()
    result = measured(ClassificationTrainer(), Rows(input=logits, label=torch.tensor([0, 1, 2, 1])), classes=3)
    assert (result.answers, result.labels, result.classified) == (0.75, 0.5, "items")


def test_of_masks_the_pixels_are_counted_but_those_left_open() -> None:
    answers = torch.tensor([[[0, 0], [0, 1]]])
    mask = torch.tensor([[[0, 1], [255, 0]]], dtype=torch.uint8)
    logits = F.one_hot(answers, 2).permute(0, 3, 1, 2).float()
    result = measured(SegmentationTrainer(), Rows(input=logits, mask=mask), classes=2)
    assert result.classified == "pixels"
    assert [result.answers, result.labels] == pytest.approx([2 / 3, 2 / 3])
    expected = F.cross_entropy(logits, mask.long(), ignore_index=255)
    assert result.loss == pytest.approx(float(expected), rel=1e-6)


def test_answers_that_are_no_classes_have_no_shares() -> None:
    class Boxes(SingleModelTrainer):
        def predict(self, context: Any, batch: Any) -> Any:
            return {"scores": batch["input"]}

    result = measured(Boxes(), Rows(input=torch.zeros(4, 2)), classes=2)
    assert (result.answers, result.labels) == (None, None)
