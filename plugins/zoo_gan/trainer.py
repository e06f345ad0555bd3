"""Adversarial training: a discriminator tells real pictures from generated ones, a generator learns to deceive it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo import Batch, Problem, Recipe, StepContext, StepOutput, build_optimizer
from zoo_gan.model import Discriminator, Generator


class GanTrainer:
    """Cross-entropy for the discriminator, its non-saturating counterpart for the generator (Goodfellow et al. 2014);
    one update of each per batch.

    There is no validation loss: both losses are relative to the other network of the same step, and held-out pictures
    would not say whether the generated ones are good.  The task's Fréchet distance does.
    """

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """The generator, which is exported, and a discriminator of the same width for training alone."""
        assert isinstance(model, Generator)
        image = problem.image
        discriminator = Discriminator(channels=image.channels, image_size=image.size, width=model.width)
        return {"model": model, "discriminator": discriminator}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One for each network."""
        heads = {name: head if name == "model" else () for name in modules}
        return {name: build_optimizer(modules[name], recipe, head=heads[name]) for name in modules}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` float32 [n, channels, height, width] in -1..1: first the discriminator."""
        real = batch["input"]
        generator, discriminator = context.modules["model"], context.modules["discriminator"]
        shape = (len(real), context.problem.latent_size)
        generated = generator(torch.randn(shape, generator=context.generator, device=real.device))
        discriminator_loss = (
            F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(generated.detach())).mean()
        )
        context.backward(discriminator_loss)
        context.update("discriminator")
        discriminator.requires_grad_(False)  # the generator's loss must not give it gradients
        generator_loss = F.softplus(-discriminator(generated)).mean()
        context.backward(generator_loss)
        discriminator.requires_grad_(True)
        context.update("model")
        parts = {"discriminator": discriminator_loss.detach(), "generator": generator_loss.detach()}
        return StepOutput(loss=parts["discriminator"] + parts["generator"], count=len(real), parts=parts)

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`image` [n, channels, height, width] in -1..1, generated from the batch's `latent`."""
        return {"image": context.modules["model"](batch["latent"])}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""
