"""Learning that texts of one label lie near each other.

P. Khosla et al., Supervised contrastive learning, arXiv:2004.11362 (2020)
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.api.task import Batch
from zoo.api.trainer import StepContext, StepOutput
from zoo.data.text.encoding import unknown
from zoo.training.trainers.classification import ClassificationTrainer
from zoo.training.trainers.text_classification import hide


class ContrastiveTextTrainer(ClassificationTrainer):
    """A softmax over the similarities to all other texts of the batch; those of the same label should win."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `tokens` int64 [n, length], `lengths` and `label` int64 [n]."""
        hidden, tokens = float(context.options["token_dropout"]), batch["tokens"]
        if hidden:
            tokens = hide(tokens, hidden, context.generator, instead=unknown(context.problem))
        embeddings = embed(context, tokens, batch["lengths"])
        loss = contrastive_loss(embeddings, batch["label"], temperature=float(context.options["temperature"]))
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(tokens))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`embedding` [n, d], unit vectors."""
        return {"embedding": embed(context, batch["tokens"], batch["lengths"])}


def embed(context: StepContext, tokens: Tensor, lengths: Tensor) -> Tensor:
    """Unit vectors float32 [n, d] of a batch."""
    return F.normalize(context.modules["model"](tokens, lengths).float())


def contrastive_loss(embeddings: Tensor, label: Tensor, *, temperature: float) -> Tensor:
    """The mean surprise at the others of one's label, beyond that of choosing among them: at best 0.

    This is L_out of the paper less the logarithm of their number.  Unit vectors [n, d], labels int64 [n]; a text that
    is alone with its label in the batch does not count.
    """
    self = torch.eye(len(label), dtype=torch.bool, device=label.device)
    surprise = -F.log_softmax((embeddings @ embeddings.T / temperature).masked_fill(self, -1e9), dim=1)
    alike = (label[:, None] == label[None]) & ~self
    found = alike.any(1)
    counts = alike.sum(1).clamp_min(1)
    beyond = (surprise * alike).sum(1) / counts - counts.log()
    return (beyond * found).sum() / found.sum().clamp_min(1)
