"""Metric learning: embeddings of one identity lie near each other, by triplets or by an angular margin."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo import Batch, Problem, Recipe, StepContext, StepOutput, UsageError, build_optimizer
from zoo_facenet.losses import AngularMargin, triplet_loss

LOSSES = ("triplet", "arcface")


class MetricTrainer:
    """The option `loss` chooses: "triplet" of the batch's own pictures, or "arcface" against a centre per identity."""

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """The model, and the centres, which are not exported."""
        identities = problem.facts.get("identities")
        count = identities if isinstance(identities, int) else 0
        return {"model": model, "centres": AngularMargin(max(count, 1), problem.image.embedding)}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One over the model, one over the centres."""
        return {
            "model": build_optimizer(modules["model"], recipe, head=head),
            "centres": build_optimizer(modules["centres"], recipe),
        }

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` float32 [n, channels, height, width] and `label` int64 [n], the identity."""
        embeddings, label = self.embed(context, batch), batch["label"]
        name, margin = context.options["loss"], float(context.options["margin"])
        if name not in LOSSES:
            raise UsageError(f"there is no loss {name!r}", hint=f"--set recipe.options.loss={' or '.join(LOSSES)}")
        if name == "triplet":
            loss = triplet_loss(context.whole(embeddings), context.whole(label), margin=margin)
        else:
            centres, scale = context.modules["centres"], float(context.options["scale"])
            loss = F.cross_entropy(centres(embeddings, label, margin=margin, scale=scale), label)
        context.backward(loss)
        context.update("model")
        if name == "arcface":
            context.update("centres")
        return StepOutput(loss=loss.detach(), count=len(label))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`embedding` [n, d], unit vectors."""
        return {"embedding": self.embed(context, batch)}

    def embed(self, context: StepContext, batch: Batch) -> Tensor:
        """Unit vectors float32 [n, d] of a batch."""
        return F.normalize(context.modules["model"](batch["input"]).float())

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Nothing to put back."""
