"""How a YOLO learns: mosaics, task-aligned assignment, cross entropy and complete IoU."""

from __future__ import annotations

from torch import Tensor

from zoo import Batch, SingleModelTrainer, StepContext, StepOutput
from zoo_yolo.loss import detection_loss
from zoo_yolo.mosaic import mosaic


class YoloTrainer(SingleModelTrainer):
    """Options: `box_weight` of the IoU loss beside the classes' 1; `mosaic`, the share of pictures that are put
    together of four, during the first `mosaic_until` share of the training."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, c, h, w] and the lists `boxes` and `labels`."""
        images, objects = batch["input"], list(zip(batch["boxes"], batch["labels"], strict=True))
        if context.step < float(context.options["mosaic_until"]) * context.total_steps:
            share = float(context.options["mosaic"])
            images, objects = mosaic(images, objects, share=share, generator=context.generator)
        boxes, logits = context.modules["model"](images)
        size = (images.shape[-2], images.shape[-1])
        parts = detection_loss(boxes, logits, objects, size=size, divisor=context.divisor)
        loss = parts.classes + float(context.options["box_weight"]) * parts.boxes
        context.backward(loss)
        context.update("model")
        named = {"classes": parts.classes.detach(), "boxes": parts.boxes.detach()}
        return StepOutput(loss=loss.detach(), count=len(images), parts=named)

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`boxes` [n, cells, 4] in pixels and `scores` [n, cells, classes]."""
        boxes, logits = context.modules["model"](batch["input"])
        return {"boxes": boxes, "scores": logits.sigmoid()}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:
        """The same loss, without mosaics."""
        objects, images = list(zip(batch["boxes"], batch["labels"], strict=True)), batch["input"]
        logits = outputs["scores"].float().logit(eps=1e-6)
        parts = detection_loss(outputs["boxes"], logits, objects, size=(images.shape[-2], images.shape[-1]))
        return parts.classes + float(context.options["box_weight"]) * parts.boxes
