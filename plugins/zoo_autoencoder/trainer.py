"""Learning by the evidence lower bound: cross-entropy of the pixels and the divergence of the codes, in nats."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo import Batch, Problem, Recipe, StepContext, StepOutput, build_optimizer
from zoo_autoencoder.variational import dense_encoder


def pixel_nats(logits: Tensor, images: Tensor) -> Tensor:
    """Cross-entropy of every picture, summed over its pixels, float32 [batch]; grey levels count as probabilities."""
    nats = F.binary_cross_entropy_with_logits(logits.float(), images.float(), reduction="none")
    return nats.flatten(1).sum(1)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence from a unit normal, float32 [batch]: appendix B of the paper."""
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def unit_normal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Noise of a tensor's shape and device."""
    return torch.randn(like.shape, generator=generator, device=like.device)


class VaeTrainer:
    """Pixels' cross-entropy plus `beta` times the divergence.

    The weight of the divergence rises linearly over the share `kl_warmup` of all steps, which prevents posterior
    collapse (Bowman et al. 2016).
    """

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:  # noqa: ARG002
        """The model alone."""
        return {"model": model}

    def optimizers(
        self,
        modules: Mapping[str, nn.Module],
        recipe: Recipe,
        head: tuple[str, ...],
    ) -> dict[str, Optimizer]:
        """One, over everything."""
        whole = nn.ModuleDict(modules) if len(modules) > 1 else modules["model"]
        return {"model": build_optimizer(whole, recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` float32 [n, channels, height, width] in 0..1."""
        images = batch["input"]
        logits, mean, log_variance = self.pass_through(context, images, context.generator)
        pixels, kl = pixel_nats(logits, images).mean(), divergence(mean, log_variance).mean()
        rising = max(float(context.options["kl_warmup"]) * context.total_steps, 1.0)
        loss = pixels + float(context.options["beta"]) * min((context.step + 1) / rising, 1.0) * kl
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(images), parts={"pixels": pixels.detach(), "kl": kl.detach()})

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`reconstruction` without noise; `nats` and `kl` [n], the former of one code drawn for each picture.

        Both are the same whenever the same batch comes: the noise is seeded by the index of its first picture.
        """
        images = batch["input"]
        generator = torch.Generator(images.device).manual_seed(int(batch["index"][0]))
        logits, mean, log_variance = self.pass_through(context, images, generator)
        kl = divergence(mean, log_variance)
        reconstruction = torch.sigmoid(self.decode(context, mean))
        return {"reconstruction": reconstruction, "nats": pixel_nats(logits, images) + kl, "kl": kl}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """Nats per picture, with the whole divergence; a decoder alone has none."""
        return outputs["nats"].mean() if "nats" in outputs else None

    def pass_through(
        self, context: StepContext, images: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, mean and log-variance, with noise from the generator."""
        shape = (len(images), context.problem.latent_size)
        noise = torch.randn(shape, generator=generator, device=images.device)
        logits, mean, log_variance = context.modules["model"](images, noise)
        return logits, mean, log_variance

    def decode(self, context: StepContext, codes: Tensor) -> Tensor:
        """The logits of these codes."""
        decoder = context.modules["model"].decoder
        assert isinstance(decoder, nn.Module)
        logits: Tensor = decoder(codes)
        return logits

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""


class DecoderTrainer(VaeTrainer):
    """The same bound for a decoder, trained with an encoder that is not exported."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """The decoder, and an encoder for training alone."""
        image, size = problem.image, problem.latent_size
        encoder = dense_encoder(latent_size=size, channels=image.channels, image_size=image.size)
        return {"model": model, "encoder": encoder}

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`image` [n, channels, height, width] in 0..1, generated from the batch's `latent`."""
        return {"image": torch.sigmoid(self.decode(context, batch["latent"]))}

    def pass_through(
        self, context: StepContext, images: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same with encoder and decoder as two modules."""
        mean, log_variance = context.modules["encoder"](images)
        code = mean + torch.exp(0.5 * log_variance) * unit_normal(mean, generator)
        return self.decode(context, code), mean, log_variance

    def decode(self, context: StepContext, codes: Tensor) -> Tensor:
        """The logits of these codes."""
        logits: Tensor = context.modules["model"](codes)
        return logits
