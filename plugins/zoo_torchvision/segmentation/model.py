"""torchvision's segmentation networks, one builder for each architecture, named as torchvision names it.

Each maps float32 images [n, 3, h, w] to scores [n, num_classes, h, w] and starts from random numbers: published
weights are fetched, checked and loaded by zoo itself, never by torchvision.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torchvision.models import segmentation

from zoo_torchvision.model import MOMENTUM

WITH_AUX = (
    "fcn_resnet50",
    "fcn_resnet101",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "deeplabv3_mobilenet_v3_large",
)
"""Those with an auxiliary head, which learns beside the other and says nothing in eval mode."""
NAMES = (*WITH_AUX, "lraspp_mobilenet_v3_large")


class Segmenter(nn.Module):
    """A network of torchvision that answers with tensors instead of a dictionary."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Scores [n, classes, h, w]; while it trains, those of the auxiliary head beside them."""
        answer: dict[str, Tensor] = self.network(input)
        return (answer["out"], answer["aux"]) if self.training and "aux" in answer else answer["out"]


def segmenter(name: str, *, num_classes: int) -> Segmenter:
    """One architecture, with its auxiliary head where the published weights have one."""
    aux = {"aux_loss": True} if name in WITH_AUX else {}
    network = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=num_classes, **aux)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.momentum is not None:
            layer.momentum = max(layer.momentum, MOMENTUM)
    return Segmenter(network)


def __getattr__(name: str) -> Callable[..., Segmenter]:
    if name not in NAMES:
        raise AttributeError(f"torchvision has no segmentation network named {name!r}")
    return partial(segmenter, name)
