"""Trains classifiers of labelled texts."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo.api.task import Batch
from zoo.api.trainer import StepContext, StepOutput
from zoo.data.text.encoding import unknown
from zoo.training.trainers.classification import ClassificationTrainer, label_loss, with_teacher


class TextClassificationTrainer(ClassificationTrainer):
    """Cross-entropy for a model that takes tokens and lengths, with token dropout."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `tokens` int64 [n, length], `lengths` and `label` int64 [n]."""
        share = float(context.options["token_dropout"])
        tokens = batch["tokens"]
        if share:
            tokens = hide_tokens(tokens, share, context.generator, replacement=unknown(context.problem))
        logits = context.modules["model"](tokens, batch["lengths"])
        loss = label_loss(context, logits, batch["label"])
        loss = with_teacher(context, loss, logits, tokens, batch["lengths"])
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(tokens))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`logits` [n, classes]."""
        return {"logits": context.modules["model"](batch["tokens"], batch["lengths"])}


def hide_tokens(tokens: Tensor, share: float, generator: torch.Generator, *, replacement: int) -> Tensor:
    """The tokens, each replaced with the probability `share`."""
    drawn = torch.rand(tokens.shape, generator=generator, device=tokens.device)
    return torch.where(drawn < share, replacement, tokens)
