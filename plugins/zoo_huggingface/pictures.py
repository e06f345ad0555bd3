"""The library's networks for pictures behind tensors, one class for each kind of task.  [torch]

A builder is named as its card: `zoo_huggingface.pictures:vit_base_patch16_224`.  All start from random numbers.  No
code but the library's own is ever run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    AutoModelForImageClassification,
    AutoModelForObjectDetection,
    AutoModelForSemanticSegmentation,
)

from zoo_huggingface.cards import cards
from zoo_huggingface.model import configuration, library_network
from zoo_huggingface.workarounds import apply_workarounds

Architecture = Mapping[str, Any]


def network(kind: Any, architecture: Architecture, *, num_classes: int) -> nn.Module:
    """What the library builds from an architecture, with its plain attention, which the exporter can follow."""
    # the classes are set afterwards: the library numbers them, whatever labels the file names
    config = configuration({key: value for key, value in architecture.items() if key not in LABELS})
    config.num_labels = num_classes
    return apply_workarounds(library_network(kind, config, attn_implementation="eager"))


LABELS = ("id2label", "label2id", "num_labels", "bgr")
"""Of an architecture: what is not the library's, and what zoo says itself."""


class Picture(nn.Module):
    """A network that takes pictures; `bgr`: its authors trained it with blue first."""

    def __init__(self, kind: Any, architecture: Architecture, *, num_classes: int) -> None:
        super().__init__()
        self.network = network(kind, architecture, num_classes=num_classes)
        self.bgr = bool(architecture.get("bgr"))

    def answer(self, input: Tensor) -> Any:
        """The library's output for float [n, 3, h, w]."""
        return self.network(pixel_values=input.flip(1) if self.bgr else input)


class PictureClassifier(Picture):
    """A picture to the logits of its classes."""

    def __init__(self, architecture: Architecture, *, num_classes: int) -> None:
        super().__init__(AutoModelForImageClassification, architecture, num_classes=num_classes)

    def forward(self, input: Tensor) -> Tensor:
        """float [n, 3, h, w] -> logits [n, classes]."""
        return cast("Tensor", self.answer(input).logits)


class Segmenter(Picture):
    """A picture to scores of every class for every pixel."""

    def __init__(self, architecture: Architecture, *, num_classes: int) -> None:
        super().__init__(AutoModelForSemanticSegmentation, architecture, num_classes=num_classes)

    def forward(self, input: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """float [n, 3, h, w] -> logits [n, classes, h, w], enlarged bilinearly as the library's processors do."""
        logits = self.answer(input).logits
        return F.interpolate(logits, input.shape[-2:], mode="bilinear", align_corners=False)


class Detector(Picture):
    """A picture to boxes and the logits of their classes."""

    def __init__(self, architecture: Architecture, *, num_classes: int) -> None:
        super().__init__(AutoModelForObjectDetection, architecture, num_classes=num_classes)

    def forward(self, input: Tensor, labels: list[dict[str, Tensor]] | None = None) -> tuple[Tensor, Tensor] | Tensor:
        """float [n, 3, h, w] -> logits [n, queries, classes or one more] and boxes [n, queries, 4].

        Boxes are shares of the picture: centre and size.  With `labels` (`class_labels` and `boxes` of each picture)
        the loss, a number.
        """
        if labels is not None:
            return cast("Tensor", self.network(pixel_values=input, labels=labels).loss)
        output = self.answer(input)
        return output.logits, output.pred_boxes


KINDS: Mapping[str, Callable[..., Picture]] = {
    "image-classification": PictureClassifier,
    "semantic-segmentation": Segmenter,
    "object-detection": Detector,
}


def built(name: str, *, num_classes: int, image_size: tuple[int, int] | None = None) -> nn.Module:
    """The network of a card, for pictures of another size where its parameters depend on that."""
    card = cards()[name]
    architecture = {"model_type": card["family"], **card["config"]}
    if image_size is not None and tuple(card["input"]["size"]) != image_size:
        pair = isinstance(architecture.get("image_size"), list) or image_size[0] != image_size[1]
        architecture["image_size"] = list(image_size) if pair else image_size[0]
    return KINDS[card["task"]](architecture, num_classes=num_classes)


def image_classifier(*, architecture: Architecture, num_classes: int) -> PictureClassifier:
    """Whatever classifier of pictures its configuration describes."""
    return PictureClassifier(architecture, num_classes=num_classes)


def segmenter(*, architecture: Architecture, num_classes: int) -> Segmenter:
    """Whatever segmenter its configuration describes."""
    return Segmenter(architecture, num_classes=num_classes)


def detector(*, architecture: Architecture, num_classes: int) -> Detector:
    """Whatever detector its configuration describes."""
    return Detector(architecture, num_classes=num_classes)


def __getattr__(name: str) -> Callable[..., nn.Module]:
    """The builder of a card."""
    if name not in cards() or cards()[name]["task"] not in KINDS:
        raise AttributeError(name)
    return partial(built, name)
