"""The exported module of the library's detectors, and how they learn: by their own losses.  [torch]

N. Carion et al., End-to-end object detection with transformers, arXiv:2005.12872 (2020)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo import Batch, Problem, SingleModelTrainer, StepContext, StepOutput, detector_signature
from zoo_huggingface.pictures import Detector


class DetectorAdapter(nn.Module):
    """input [n, 3, h, w] -> boxes [n, queries, 4] in pixels, scores [n, queries, classes] in 0..1."""

    def __init__(self, model: Detector, problem: Problem) -> None:
        super().__init__()
        self.model = model
        self.size = problem.image.size
        self.classes = len(problem.classes)
        config: Any = model.network.config
        queries = getattr(config, "num_detection_tokens", None) or config.num_queries
        self.signature = detector_signature(problem, cells=int(queries))

    def initialise(self, *inputs: Tensor) -> str:
        """Scales every weight to one over the root of its inputs, and takes the scores' biases away.

        A network that nobody trained gives all pictures the same boxes, with scores below the threshold.  Where all
        its queries still find the same class, the scores of this picture are centred.
        """
        for layer in self.model.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d) and layer.weight.numel() > 1:
                inputs_of_one = layer.weight[0].numel()
                layer.weight.div_(layer.weight.std() * inputs_of_one**0.5 + 1e-12)
            if isinstance(layer, nn.Embedding):  # of the queries: alike, all of them would find the same
                layer.weight.div_(layer.weight.std() + 1e-12)
        for layer in self._score_layers():
            layer.bias.zero_()
        logits = self.model(*inputs)[0]
        if logits.argmax(-1).unique().numel() == 1:
            for layer in self._score_layers():
                _centre(layer, self.model, *inputs)
        return "weights scaled to one over the root of their inputs, biases of scores set to zero"

    def _score_layers(self) -> list[nn.Linear]:
        """The layers that score the classes, and perhaps one for what is nothing."""
        layers = (layer for layer in self.model.modules() if isinstance(layer, nn.Linear) and layer.bias is not None)
        return [layer for layer in layers if layer.out_features - self.classes in (0, 1)]

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes, cut at the edges of the picture, and scores."""
        return decoded(*self.model(input), size=self.size, classes=self.classes)


def _centre(layer: nn.Linear, model: Detector, *inputs: Tensor) -> None:
    """Give the layer's scores for a picture the mean zero over its queries, and the deviation one."""
    outputs: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _, given, output: outputs.append(output))  # noqa: ARG005  torch's order
    model(*inputs)
    handle.remove()
    for output in outputs[:1]:
        mean = output.flatten(0, -2).mean(0)
        deviation = (output - mean).std() + 1e-12
        layer.weight.div_(deviation)
        layer.bias.sub_(mean / deviation)


def decoded(logits: Tensor, boxes: Tensor, *, size: tuple[int, int], classes: int) -> tuple[Tensor, Tensor]:
    """Corners in pixels of a picture of this size (height, width), and scores.

    A network with one class more than there are names has it for what is nothing: softmax; else sigmoid.
    """
    height, width = map(float, size)
    x, y, wide, high = boxes.unbind(-1)
    left, right = ((x - wide / 2) * width).clamp(0.0, width), ((x + wide / 2) * width).clamp(0.0, width)
    top, bottom = ((y - high / 2) * height).clamp(0.0, height), ((y + high / 2) * height).clamp(0.0, height)
    nothing = logits.shape[-1] == classes + 1
    scores = logits.softmax(-1)[..., :-1] if nothing else 1.0 / (1.0 + torch.exp(-logits))
    return torch.stack([left, top, right, bottom], dim=-1), scores


class DetectionTrainer(SingleModelTrainer):
    """The sum of the network's losses, with the Hungarian assignment that it brings."""

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, 3, h, w] and the lists `boxes` and `labels`."""
        loss = detection_loss(context, batch)
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(batch["input"]))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`boxes` [n, queries, 4] in pixels and `scores` [n, queries, classes]."""
        logits, boxes = context.modules["model"](batch["input"])
        size, classes = context.problem.image.size, len(context.problem.classes)
        corners, scores = decoded(logits.float(), boxes.float(), size=size, classes=classes)
        return {"boxes": corners, "scores": scores}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """None: the library gives its loss with another pass only."""
        return None


def detection_loss(context: StepContext, batch: Batch) -> Tensor:
    """The library's loss of a batch, a number."""
    model = context.modules["model"]
    height, width = batch["input"].shape[-2:]
    scale = batch["input"].new_tensor([width, height, width, height])
    labels = [
        {"class_labels": classes.long(), "boxes": _as_shares(corners.to(scale.dtype) / scale)}
        for corners, classes in zip(batch["boxes"], batch["labels"], strict=True)
    ]
    loss: Tensor = model(batch["input"], labels)
    return loss


def _as_shares(corners: Tensor) -> Tensor:
    """Corners [n, 4] -> centre and size [n, 4]."""
    first, last = corners[:, :2], corners[:, 2:]
    return torch.cat([(first + last) / 2, last - first], dim=1)
