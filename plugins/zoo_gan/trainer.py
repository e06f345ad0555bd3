"""Two players: one tells real pictures from made ones, the other makes pictures that are taken for real."""

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
    one update of each per batch."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """The generator, which ships, and a discriminator of the same width for the time of learning."""
        assert isinstance(model, Generator)
        image = problem.image
        opponent = Discriminator(channels=image.channels, image_size=image.size, width=model.width)
        return {"model": model, "discriminator": opponent}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One for each player."""
        heads = {name: head if name == "model" else () for name in modules}
        return {name: build_optimizer(modules[name], recipe, head=heads[name]) for name in modules}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` float32 [n, channels, height, width] in -1..1: first the discriminator."""
        real = batch["input"]
        generator, discriminator = context.modules["model"], context.modules["discriminator"]
        shape = (len(real), context.problem.latent_size)
        made = generator(torch.randn(shape, generator=context.generator, device=real.device))
        told = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(made.detach())).mean()
        context.backward(told)
        context.update("discriminator")
        discriminator.requires_grad_(False)  # it is asked now, it does not learn
        fooled = F.softplus(-discriminator(made)).mean()
        context.backward(fooled)
        discriminator.requires_grad_(True)
        context.update("model")
        parts = {"discriminator": told.detach(), "generator": fooled.detach()}
        return StepOutput(loss=parts["discriminator"] + parts["generator"], count=len(real), parts=parts)

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`image` [n, channels, height, width] in -1..1, made of the batch's `latent`."""
        return {"image": context.modules["model"](batch["latent"])}

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""
