"""torchvision's detectors: each network as published, in a module whose inputs and outputs are tensors.

In training mode the module gives the network's own losses; in eval mode every box with every score, before score
threshold and NMS, which belong to the task.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD

from zoo import UsageError
from zoo_torchvision.detection.losses import head_losses
from zoo_torchvision.detection.tiny import tiny_ssd

Decode = Callable[[Any, dict[str, Tensor], Tensor], tuple[Tensor, Tensor]]
"""(network, outputs of its head, anchors [cells, 4]) -> boxes [n, cells, 4] and scores [n, cells, classes]."""
Divisor = Callable[[Tensor], Tensor]
Objects = Sequence[tuple[Tensor, Tensor]]
"""Per picture boxes [k, 4] in pixels and labels int64 [k]."""

MAX_SIDE_DIVISOR: Final = 16.0
"""Box sides are exp(code) anchors; torchvision keeps codes below log(1000 / 16), and so does this."""


class Detector(nn.Module):
    """A one-stage network for pictures of one size.

    `background` says that the network counts its classes from 1 and keeps 0 for what is none of them.
    """

    anchors: Tensor
    cells: tuple[int, ...]
    """Places on the feature map of each stride."""

    def __init__(self, network: Any, decode: Decode, *, image_size: tuple[int, int], background: bool) -> None:
        super().__init__()
        self.network = network
        self.decode = decode
        self.background = background
        self.image_size = image_size
        bypass(network, image_size)
        self.register_buffer("anchors", self._anchors(image_size), persistent=False)

    def at(self, image_size: tuple[int, int]) -> Detector:
        """The same network for pictures of another size."""
        return Detector(self.network, self.decode, image_size=image_size, background=self.background)

    @torch.no_grad()
    def _anchors(self, image_size: tuple[int, int]) -> Tensor:
        training = self.network.training
        self.network.eval()
        empty = torch.zeros(1, 3, *image_size)
        features = list(self.network.backbone(empty).values())
        anchors: Tensor = self.network.anchor_generator(ImageList(empty, [image_size]), features)[0]
        self.network.train(training)
        self.cells = tuple(feature.shape[-2] * feature.shape[-1] for feature in features)
        return anchors

    def forward(self, images: Tensor, objects: Objects | None = None, divisor: Divisor | None = None) -> Any:
        """images float32 [n, 3, h, w]; in training with `objects` a mapping of losses, else boxes and scores.

        `divisor` is the context's, where several processes learn from one batch.

        boxes float32 [n, cells, 4] are corners in pixels; scores float32 [n, cells, classes] are in 0..1.
        """
        if self.training:
            if objects is None:
                raise ValueError("a detector in training mode needs the objects to learn")
            return self.losses(self.head_outputs(images), objects, divisor)
        return self.decoded(self.head_outputs(images))

    def head_outputs(self, images: Tensor) -> dict[str, Tensor]:
        """What the head gives for images float32 [n, 3, h, w], by name: logits, codes of boxes."""
        outputs: dict[str, Tensor] = self.network.head(list(self.network.backbone(images).values()))
        return outputs

    def decoded(self, head: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Boxes and scores of outputs of the head."""
        return self.decode(self.network, head, self.anchors)

    def losses(self, head: dict[str, Tensor], objects: Objects, divisor: Divisor | None = None) -> dict[str, Tensor]:
        """The losses of outputs of the head, by name."""
        return head_losses(
            self.network, head, self._targets(objects), anchors=self.anchors, cells=self.cells, divisor=divisor
        )

    def _targets(self, objects: Objects) -> list[dict[str, Tensor]]:
        return [{"boxes": boxes, "labels": labels + int(self.background)} for boxes, labels in objects]


def bypass(network: Any, image_size: tuple[int, int]) -> None:
    """Makes the network's own transform the identity: pictures come resized and normalised."""
    transform = network.transform
    transform.image_mean, transform.image_std = [0.0] * 3, [1.0] * 3
    transform.fixed_size = (image_size[1], image_size[0])
    transform.size_divisible = 1


def scaled_boxes(codes: Tensor, anchors: Tensor, weights: Sequence[float]) -> Tensor:
    """Codes [n, cells, 4] relative to anchors [cells, 4] as corners in pixels (R-CNN, arXiv:1311.2524)."""
    sides = anchors[..., 2:] - anchors[..., :2]
    centres = anchors[..., :2] + 0.5 * sides
    x, y, wide, high = weights
    moved = torch.stack([codes[..., 0] / x, codes[..., 1] / y], dim=-1) * sides + centres
    most = math.log(1000.0 / MAX_SIDE_DIVISOR)
    half = torch.stack([codes[..., 2] / wide, codes[..., 3] / high], dim=-1).clamp(max=most).exp() * sides * 0.5
    return torch.cat([moved - half, moved + half], dim=-1)


def probability(logits: Tensor) -> Tensor:
    """The sigmoid, written out: ONNX Runtime's own is off by about 1e-8, more than the scores of an empty picture."""
    return 1.0 / (1.0 + torch.exp(-logits))


def decode_ssd(network: Any, head: dict[str, Tensor], anchors: Tensor) -> tuple[Tensor, Tensor]:
    """SSD: a softmax over the classes and the background."""
    boxes = scaled_boxes(head["bbox_regression"], anchors, network.box_coder.weights)
    return boxes, head["cls_logits"].softmax(-1)[..., 1:]


def decode_retinanet(network: Any, head: dict[str, Tensor], anchors: Tensor) -> tuple[Tensor, Tensor]:
    """RetinaNet: a sigmoid for every class."""
    boxes = scaled_boxes(head["bbox_regression"], anchors, network.box_coder.weights)
    return boxes, probability(head["cls_logits"])


def decode_fcos(network: Any, head: dict[str, Tensor], anchors: Tensor) -> tuple[Tensor, Tensor]:
    """FCOS: distances to the four sides; class scores are weighted by centre-ness."""
    boxes = network.box_coder.decode(head["bbox_regression"], anchors)
    return boxes, (probability(head["cls_logits"]) * probability(head["bbox_ctrness"])).sqrt()


def ssd_tiny(*, num_classes: int, image_size: tuple[int, int]) -> Detector:
    """SSD on a backbone of 0.4 million parameters, for pictures of about 100 pixels."""
    network = tiny_ssd(num_classes=num_classes + 1, image_size=image_size)
    return Detector(network, decode_ssd, image_size=image_size, background=True)


def ssd300_vgg16(*, num_classes: int, image_size: tuple[int, int]) -> Detector:
    """SSD as published: VGG-16 and pictures of 300 pixels."""
    return _ssd("ssd300_vgg16", 300, num_classes, image_size)


def ssdlite320_mobilenet_v3_large(*, num_classes: int, image_size: tuple[int, int]) -> Detector:
    """SSDlite as published: MobileNetV3 and pictures of 320 pixels."""
    return _ssd("ssdlite320_mobilenet_v3_large", 320, num_classes, image_size)


def _ssd(name: str, side: int, num_classes: int, image_size: tuple[int, int]) -> Detector:
    if image_size != (side, side):
        raise UsageError(
            f"{name} takes pictures of {side} x {side} pixels, not {image_size[0]} x {image_size[1]}",
            hint=f"its default boxes are laid out for that size; leave recipe.input_size away, or say {side},{side}",
        )
    built = network(name, num_classes=num_classes + 1)
    assert isinstance(built, SSD)
    return Detector(built, decode_ssd, image_size=image_size, background=True)


def retinanet_resnet50_fpn(*, num_classes: int, image_size: tuple[int, int]) -> Detector:
    """RetinaNet on ResNet-50 with a feature pyramid."""
    built = network("retinanet_resnet50_fpn", num_classes=num_classes)
    return Detector(built, decode_retinanet, image_size=image_size, background=False)


def retinanet_resnet50_fpn_v2(*, num_classes: int, image_size: tuple[int, int]) -> Detector:
    """RetinaNet with the improved training of torchvision's second version: group normalisation, GIoU."""
    built = network("retinanet_resnet50_fpn_v2", num_classes=num_classes)
    return Detector(built, decode_retinanet, image_size=image_size, background=False)


def fcos_resnet50_fpn(*, num_classes: int, image_size: tuple[int, int]) -> Detector:
    """FCOS on ResNet-50 with a feature pyramid."""
    built = network("fcos_resnet50_fpn", num_classes=num_classes)
    return Detector(built, decode_fcos, image_size=image_size, background=False)


def network(name: str, *, num_classes: int) -> Any:
    """torchvision's own network, randomly initialised; `num_classes` counts the background where the network does."""
    return getattr(detection, name)(weights=None, weights_backbone=None, num_classes=num_classes)
