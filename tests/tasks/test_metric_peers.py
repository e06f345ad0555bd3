"""The metrics of pictures, samples and tables beside those of torchmetrics, which share no code with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics import MeanAbsoluteError, R2Score
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure
from torchmetrics.image.fid import FrechetInceptionDistance

from zoo import ImageInput, Problem
from zoo.api.problem import Json
from zoo.tasks.bases.table_tensors import RegressionMetrics
from zoo.tasks.image_generation.metrics import GenerationMetrics, RandomFeatures
from zoo.tasks.image_reconstruction.metrics import ReconstructionMetrics

PICTURE = ImageInput(size=(17, 13), channels=3, mean=(0.0,), std=(1.0,))


@pytest.fixture
def pairs() -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Two batches of pictures in 0..1, and the same with noise."""
    generator = torch.Generator().manual_seed(0)
    batches = []
    for count in (9, 4):
        pictures = torch.rand(count, 3, 17, 13, generator=generator)
        noise = 0.2 * torch.randn(pictures.shape, generator=generator)
        batches.append((pictures, (pictures + noise).clamp(0, 1)))
    return batches


def test_psnr_and_ssim_are_those_of_torchmetrics(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    metrics = ReconstructionMetrics(PICTURE)
    peers = {"psnr": PeakSignalNoiseRatio(data_range=1.0), "ssim": StructuralSimilarityIndexMeasure(data_range=1.0)}
    for original, noisy in pairs:
        metrics.update({"reconstruction": noisy}, {"input": original})
        for peer in peers.values():
            peer.update(noisy, original)
    assert metrics.compute() == pytest.approx({name: float(peer.compute()) for name, peer in peers.items()}, rel=1e-5)


def test_the_frechet_distance_is_that_of_torchmetrics(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    metrics, peer = GenerationMetrics(PICTURE), FrechetInceptionDistance(feature=RandomFeatures(3))
    for original, noisy in pairs:
        metrics.update({"image": noisy}, {"input": original})
        for levels, real in ((original, True), (noisy, False)):
            peer.update((levels * 255).round() / 127.5 - 1, real=real)
    assert metrics.compute()["frechet_random"] == pytest.approx(float(peer.compute()), rel=1e-5)


def test_r2_and_mae_are_those_of_torchmetrics() -> None:
    generator = torch.Generator().manual_seed(0)
    facts: dict[str, Json] = {
        "feature_mean": [0.0],
        "feature_std": [1.0],
        "target_mean": [5.0, -1.0],
        "target_std": [2.0, 0.5],
    }
    metrics = RegressionMetrics(Problem(task="toy", input=PICTURE, facts=facts))
    peers = {"r2": R2Score(), "mae": MeanAbsoluteError()}
    for count in (8, 3):
        output = torch.randn(count, 2, generator=generator)
        answer = output * torch.tensor([2.0, 0.5]) + torch.tensor([5.0, -1.0])
        targets = answer + 0.1 * torch.randn(count, 2, generator=generator)
        metrics.update({"output": output}, {"targets": targets})
        for peer in peers.values():
            peer.update(answer, targets)
    assert metrics.compute() == pytest.approx({name: float(peer.compute()) for name, peer in peers.items()}, rel=1e-4)


@pytest.mark.parametrize(("offset", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_of_a_target_that_never_changes_only_its_own_value_is_right(offset: float, expected: float) -> None:
    facts: dict[str, Json] = {"feature_mean": [0.0], "feature_std": [1.0], "target_mean": [0.0], "target_std": [1.0]}
    metrics = RegressionMetrics(Problem(task="toy", input=PICTURE, facts=facts))
    metrics.update({"output": torch.full((4, 1), 3.0 + offset)}, {"targets": torch.full((4, 1), 3.0)})
    assert metrics.compute() == {"r2": expected, "mae": offset}
    assert np.isfinite(metrics.compute()["r2"])
