"""Learning numbers.  [torch]"""

from torch.nn import functional as F

from zoo import Batch, SingleModelTrainer, StepContext, StepOutput


class RegressionTrainer(SingleModelTrainer):
    """Mean squared error between `input` through the model and `target`."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from one batch."""
        loss = F.mse_loss(context.modules["model"](batch["input"]), batch["target"])
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(batch["input"]))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`output` [n, targets]."""
        return {"output": context.modules["model"](batch["input"])}
