"""Learning where points are.  [torch]"""

from __future__ import annotations

import torch

from zoo import Batch, SingleModelTrainer, StepContext, StepOutput


class PointTrainer(SingleModelTrainer):
    """The mean distance between the points and the truth, in shares of the picture's sides."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, c, h, w] and `points` [n, k, 2]."""
        found = context.modules["model"](batch["input"])
        loss = torch.linalg.vector_norm(found - batch["points"], dim=2).mean()
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(found))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`points` [n, k, 2]."""
        return {"points": context.modules["model"](batch["input"])}
