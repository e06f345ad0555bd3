"""The variational autoencoders: known values of their bound, noise as an input, shapes for any picture."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.builtin import builtin_task
from zoo import Catalog, Purpose
from zoo.api.problem import ImageInput, Problem
from zoo.models.load import load_trained
from zoo.models.target import find_target
from zoo.tasks.image_reconstruction.metrics import ReconstructionMetrics
from zoo_autoencoder.adapter import Reconstructing
from zoo_autoencoder.trainer import VaeTrainer, divergence, pixel_nats
from zoo_autoencoder.variational import VariationalAutoencoder, conv_vae, vae

IMAGE = ImageInput(size=(12, 13), channels=1, mean=(0.0,), std=(1.0,), noise=3)
PROBLEM = Problem(task="image-reconstruction", input=IMAGE)


def small() -> VariationalAutoencoder:
    torch.manual_seed(0)
    return vae(latent_size=3, channels=1, image_size=(12, 13))


@pytest.mark.parametrize("size", [(1, 1), (6, 5), (28, 28), (33, 17)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("build", [vae, conv_vae])
def test_a_picture_of_any_size_comes_back_with_its_code(build: object, channels: int, size: tuple[int, int]) -> None:
    model = build(latent_size=4, channels=channels, image_size=size)  # type: ignore[operator]
    logits, mean, log_variance = model(torch.rand(2, channels, *size), torch.zeros(2, 4))
    assert logits.shape == (2, channels, *size)
    assert mean.shape == log_variance.shape == (2, 4)


@pytest.mark.parametrize("name", ["vae", "vae_large", "conv_vae", "vae_decoder"])
def test_the_card_states_the_parameters(name: str) -> None:
    catalog = Catalog.discover()
    entry = catalog.model(name)
    problem = Problem(task=entry.spec.task, input=entry.spec.input)
    builder = catalog.load(entry, entry.spec.builder)
    model = builder(**problem.keywords(entry.spec.needs))  # type: ignore[operator]
    assert sum(parameter.numel() for parameter in model.parameters()) == entry.spec.parameters


def test_the_best_checkpoint_of_a_vae_is_chosen_by_its_bound_in_nats_and_that_of_an_autoencoder_by_the_task() -> None:
    catalog = Catalog.discover()
    assert catalog.monitor_metric(catalog.model("vae")) == "nats"
    assert catalog.monitor_metric(catalog.model("autoencoder")) == "psnr"
    monitor = catalog.trainer_of(catalog.model("conv_vae")).spec.monitor
    assert monitor is not None and monitor.mode == "min"


def test_the_published_decoder_is_the_decoder_of_the_published_vae() -> None:
    catalog = Catalog.discover()
    whole, part = (load_trained(find_target(name, catalog), catalog) for name in ("vae@digits", "vae_decoder@digits"))
    assert isinstance(whole.model, VariationalAutoencoder)
    code = torch.randn(2, 20, generator=torch.Generator().manual_seed(0))
    assert torch.equal(part.model(code), whole.model.decoder(code))
    assert (part.task.name, part.problem.latent_size) == ("image-generation", 20)


def test_the_two_terms_of_the_bound_have_their_known_values() -> None:
    zero = torch.zeros(2, 3)
    assert divergence(zero, zero).tolist() == [0.0, 0.0]
    assert divergence(torch.ones(1, 2), torch.zeros(1, 2)).item() == pytest.approx(1.0)
    wide = divergence(torch.zeros(1, 1), torch.full((1, 1), math.log(4.0)))
    assert wide.item() == pytest.approx(0.5 * (4 - 1 - math.log(4)))
    nats = pixel_nats(torch.zeros(1, 1, 2, 2), torch.rand(1, 1, 2, 2))
    assert nats.item() == pytest.approx(4 * math.log(2))  # a logit of zero says one half, whatever the level


def test_zeros_as_noise_give_the_mean_and_other_noise_something_else() -> None:
    model = small().eval()
    images = torch.rand(2, 1, 12, 13)
    _, mean, _ = model(images, torch.zeros(2, 3))
    shipped = Reconstructing(model)
    middle = shipped(images, torch.zeros(2, 3))
    assert torch.equal(middle, torch.sigmoid(model.decoder(mean)))
    assert not torch.allclose(middle, shipped(images, torch.ones(2, 3)))


def test_measuring_twice_draws_the_same_codes() -> None:
    context: Any = SimpleNamespace(modules={"model": small().eval()}, problem=PROBLEM)
    batch = {"input": torch.rand(4, 1, 12, 13), "index": torch.arange(4)}
    with torch.no_grad():
        one, two = (VaeTrainer().predict(context, batch) for _ in range(2))
    assert torch.equal(one["nats"], two["nats"])
    metrics = ReconstructionMetrics(IMAGE)
    metrics.update(one, batch)
    found = metrics.compute()
    assert found["nats"] == pytest.approx(one["nats"].mean().item())
    assert found["kl"] == pytest.approx(one["kl"].mean().item())


def test_the_task_hands_noise_through_only_where_the_model_takes_it() -> None:
    task = builtin_task("image-reconstruction")
    assert [port.name for port in task.graphs.signatures(PROBLEM).pipeline.inputs] == ["image", "noise"]
    quiet = replace(PROBLEM, input=replace(IMAGE, noise=0))
    assert [port.name for port in task.graphs.signatures(quiet).pipeline.inputs] == ["image"]
    case = next(task.answers.cases(None, PROBLEM, Purpose.PIPELINE, limit=1))
    assert case.inputs["noise"].shape == (3,) and np.any(case.inputs["noise"])
    prepared, noise = task.graphs.preprocess(PROBLEM)(
        *(torch.from_numpy(case.inputs[name]) for name in ("image", "noise"))
    )
    assert prepared.shape == (1, 1, 12, 13)
    assert np.array_equal(noise.numpy()[0], case.inputs["noise"])
    ready = next(task.answers.cases(None, PROBLEM, Purpose.MODEL, limit=1))
    assert ready.inputs["noise"].shape == (1, 3)
