"""Trains text embeddings: texts of the same label shall be near each other.

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
from zoo.training.trainers.text_classification import hide_tokens


class ContrastiveTextTrainer(ClassificationTrainer):
    """Supervised contrastive loss: a softmax over the similarities to all other texts of the batch."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `tokens` int64 [n, length], `lengths` and `label` int64 [n]."""
        share, tokens = float(context.options["token_dropout"]), batch["tokens"]
        if share:
            tokens = hide_tokens(tokens, share, context.generator, replacement=unknown(context.problem))
        embeddings = embed(context, tokens, batch["lengths"])
        whole, label = context.whole(embeddings), context.whole(batch["label"])
        loss = contrastive_loss(whole, label, temperature=float(context.options["temperature"]))
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(tokens))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`embedding` [n, d], unit vectors."""
        return {"embedding": embed(context, batch["tokens"], batch["lengths"])}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:
        """The same loss over the texts of the batch."""
        temperature = float(context.options["temperature"])
        return contrastive_loss(outputs["embedding"], batch["label"], temperature=temperature)


def embed(context: StepContext, tokens: Tensor, lengths: Tensor) -> Tensor:
    """Unit vectors float32 [n, d] of a batch."""
    return F.normalize(context.modules["model"](tokens, lengths).float())


def contrastive_loss(embeddings: Tensor, label: Tensor, *, temperature: float) -> Tensor:
    """The mean negative log-likelihood of the texts of the same label, less the logarithm of their number.

    This is L_out of the paper, shifted so that the best possible value is 0.  Takes unit vectors [n, d] and labels
    int64 [n].  A text whose label no other text of the batch has is left out.
    """
    self = torch.eye(len(label), dtype=torch.bool, device=label.device)
    negative_log_likelihood = -F.log_softmax((embeddings @ embeddings.T / temperature).masked_fill(self, -1e9), dim=1)
    positive = (label[:, None] == label[None]) & ~self
    has_positive = positive.any(1)
    counts = positive.sum(1).clamp_min(1)
    loss = (negative_log_likelihood * positive).sum(1) / counts - counts.log()
    return (loss * has_positive).sum() / has_positive.sum().clamp_min(1)
