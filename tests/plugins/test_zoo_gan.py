"""The two players: shapes for many sizes, who learns when, and a step that is the same again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo_gan
from zoo import LatentInput, Recipe
from zoo.api.problem import ImageInput, Problem
from zoo_gan.model import Discriminator, Generator, dcgan, maps
from zoo_gan.plugin import zoo_models, zoo_weights
from zoo_gan.trainer import GanTrainer

PICTURE = ImageInput(size=(9, 8), channels=1, mean=(0.5,), std=(0.5,))
PROBLEM = Problem(task="image-generation", input=LatentInput(size=5, picture=PICTURE))


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (28, 28), (32, 48), (64, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_any_size_are_made_and_told(channels: int, size: tuple[int, int]) -> None:
    generator = Generator(latent_size=5, channels=channels, image_size=size, width=4)
    made = generator(torch.randn(3, 5))
    assert made.shape == (3, channels, *size)
    assert made.abs().max() <= 1
    assert Discriminator(channels=channels, image_size=size, width=4)(made).shape == (3,)


def test_the_maps_are_those_of_the_paper_at_64_pixels() -> None:
    assert maps((64, 64), 128) == (1024, 512, 256, 128)
    assert maps((28, 28), 24) == (96, 48, 24)


def test_the_cards_state_the_parameters() -> None:
    for spec in zoo_models():
        problem = Problem(task=spec.task, input=spec.input)
        with torch.device("meta"):
            model = Generator(**problem.keywords(spec.needs), width=24 if spec.name == "dcgan" else 128)  # type: ignore[arg-type]
        assert sum(parameter.numel() for parameter in model.parameters()) == spec.parameters


class Watched:
    """A context that learns at a fixed rate and remembers who was updated."""

    def __init__(self, modules: dict[str, torch.nn.Module]) -> None:
        self.modules = modules
        self.problem = PROBLEM
        self.generator = torch.Generator().manual_seed(1)
        self.updated: list[tuple[str, set[str]]] = []

    def backward(self, loss: torch.Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]

    def update(self, name: str) -> None:
        heard = {module for module, part in self.modules.items() if any(p.grad is not None for p in part.parameters())}
        self.updated.append((name, heard))
        for part in self.modules.values():
            part.zero_grad(set_to_none=True)


def test_each_player_learns_from_its_own_loss_alone() -> None:
    torch.manual_seed(0)
    trainer = GanTrainer()
    modules = trainer.modules(dcgan(latent_size=5, channels=1, image_size=(9, 8)), PROBLEM)
    assert list(trainer.optimizers(modules, Recipe(), ())) == ["model", "discriminator"]
    context: Any = Watched(modules)
    output = trainer.step(context, {"input": torch.rand(4, 1, 9, 8) * 2 - 1})
    assert context.updated == [("discriminator", {"discriminator"}), ("model", {"model"})]
    assert output.count == 4
    assert output.loss.item() == pytest.approx(sum(part.item() for part in output.parts.values()))
    assert all(parameter.requires_grad for part in modules.values() for parameter in part.parameters())


def test_pictures_are_made_of_the_latents_of_the_batch() -> None:
    model = dcgan(latent_size=5, channels=1, image_size=(9, 8)).eval()
    latent = torch.randn(2, 5)
    context: Any = SimpleNamespace(modules={"model": model})
    assert torch.equal(GanTrainer().predict(context, {"latent": latent})["image"], model(latent))


def test_the_shipped_generator_is_that_of_its_card() -> None:
    (weights,) = zoo_weights()
    file = Path(zoo_gan.__file__).parent / weights.resource.partition(":")[2]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == weights.sha256
    assert file.stat().st_size == weights.size
    model = dcgan(latent_size=64, channels=1, image_size=(28, 28)).eval()
    model.load_state_dict(load_file(file))
    with torch.no_grad():
        made = model(torch.randn(64, 64, generator=torch.Generator().manual_seed(0)))
    ink = (made > 0).float().mean((1, 2, 3))
    assert 0.03 < ink.min() < ink.max() < 0.5  # strokes, neither nothing nor everything
