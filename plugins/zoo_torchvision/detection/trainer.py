"""How torchvision's detectors learn: by the losses that they bring."""

from __future__ import annotations

from torch import Tensor

from zoo import Batch, SingleModelTrainer, StepContext, StepOutput
from zoo_torchvision.detection.model import Detector


class DetectionTrainer(SingleModelTrainer):
    """The sum of the network's losses."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, 3, h, w] and the lists `boxes` and `labels`."""
        objects = list(zip(batch["boxes"], batch["labels"], strict=True))
        model = context.modules["model"]
        shared = {"divisor": context.divisor} if isinstance(model, Detector) else {}
        losses: dict[str, Tensor] = model(batch["input"], objects, **shared)
        loss = sum(losses.values(), start=batch["input"].new_zeros(()))
        context.backward(loss)
        context.update("model")
        parts = {name: part.detach() for name, part in losses.items()}
        return StepOutput(loss=loss.detach(), count=len(objects), parts=parts)

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`boxes` [n, cells, 4] in pixels, or as many for each class, and `scores` [n, cells, classes].

        A one-stage detector also gives `head`, what the loss is measured on.
        """
        model = context.modules["model"]
        if not isinstance(model, Detector):
            boxes, scores = model(batch["input"])[:2]
            return {"boxes": boxes, "scores": scores}
        head = model.head_outputs(batch["input"])
        boxes, scores = model.decoded(head)
        return {"boxes": boxes, "scores": scores, "head": head}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:
        """The same loss; None for two-stage detectors, which draw at random the regions that their loss is about."""
        model = context.modules["model"]
        if not isinstance(model, Detector):
            return None
        head = {name: output.float() for name, output in outputs["head"].items()}
        losses = model.losses(head, list(zip(batch["boxes"], batch["labels"], strict=True)))
        return sum(losses.values(), start=batch["input"].new_zeros(()))
