"""torchvision's classification networks, one builder for each architecture, named as torchvision names it.

`zoo_torchvision.model:resnet50` is a builder with the keywords that the card of resnet50 lists under "needs".
All map float32 images (N, 3, H, W) to class scores (N, num_classes) and start from random numbers: published weights
are fetched, checked and loaded by zoo itself, never by torchvision.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from torch import nn
from torchvision import models
from torchvision.models import vgg

from zoo import UsageError

MAXVIT_STEP = 224
"""MaxViT's last stage, 32 times smaller than the image, is cut into windows of 7 by 7."""
INCEPTION_AUX_SIZE = 299
"""Below this size Inception's auxiliary head has no 5 by 5 map left to look at."""
SMALL_WIDTH = 512
"""Of the two hidden dense layers of vgg11_bn_small, where the published network has 4096."""
MOMENTUM = 0.1
"""Least share of a new batch in the running statistics.  torchvision gives MNASNet 0.0003 and MobileNet v3 0.01: right
for hundreds of thousands of steps, while a small training would end with the statistics it began with."""


def convolutional(name: str, *, num_classes: int) -> nn.Module:
    """An architecture whose parameters do not depend on the image size; most of them."""
    return _trainable(models.get_model(name, weights=None, num_classes=num_classes), name)


def vision_transformer(name: str, *, num_classes: int, image_size: tuple[int, int]) -> nn.Module:
    """A ViT, which learns one position for each patch, so that its parameters depend on the image size."""
    patch = int(name.rpartition("_")[2])
    side = _square(name, image_size, step=patch)
    return _trainable(models.get_model(name, weights=None, num_classes=num_classes, image_size=side), name)


def maxvit_t(*, num_classes: int, image_size: tuple[int, int]) -> nn.Module:
    """MaxViT tiny, whose tables of relative positions depend on the image size."""
    side = _square("maxvit_t", image_size, step=MAXVIT_STEP)
    return _trainable(models.maxvit_t(weights=None, num_classes=num_classes, input_size=(side, side)), "maxvit_t")


def googlenet(*, num_classes: int) -> nn.Module:
    """GoogLeNet without its two auxiliary heads, which torchvision publishes untrained."""
    return _trainable(
        models.googlenet(weights=None, num_classes=num_classes, aux_logits=False, init_weights=True), "googlenet"
    )


def inception_v3(*, num_classes: int, image_size: tuple[int, int]) -> nn.Module:
    """Inception v3; from 299 pixels on with its auxiliary head, which speaks in training only."""
    with_aux = min(image_size) >= INCEPTION_AUX_SIZE
    return _trainable(
        models.inception_v3(weights=None, num_classes=num_classes, aux_logits=with_aux, init_weights=True),
        "inception_v3",
    )


def vgg11_bn_small(*, num_classes: int) -> nn.Module:
    """vgg11_bn with dense layers an eighth as wide: 22 million parameters instead of 129, the same
    convolutions."""
    widths = (512 * 7 * 7, SMALL_WIDTH, SMALL_WIDTH)
    hidden = [layer for pair in pairwise(widths) for layer in (nn.Linear(*pair), nn.ReLU(inplace=True), nn.Dropout())]
    layers = {
        "features": vgg.make_layers(vgg.cfgs["A"], batch_norm=True),
        "avgpool": nn.AdaptiveAvgPool2d((7, 7)),
        "flatten": nn.Flatten(),
        "classifier": nn.Sequential(*hidden, nn.Linear(SMALL_WIDTH, num_classes)),
    }
    return _trainable(nn.Sequential(OrderedDict(layers)), "vgg11_bn_small")


def _square(name: str, image_size: tuple[int, int], *, step: int) -> int:
    height, width = image_size
    if height != width or height % step:
        raise UsageError(
            f"{name} takes square images whose side is a multiple of {step} pixels, not {height} x {width}",
            hint=f"train it with --set recipe.input_size={step},{step} or a multiple of it",
        )
    return height


def _trainable(model: object, name: str) -> nn.Module:
    """The network with running statistics that a short training can learn."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"torchvision returned a {type(model).__name__} for {name}")
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.momentum is not None:
            layer.momentum = max(layer.momentum, MOMENTUM)
    return model


def __getattr__(name: str) -> Callable[..., nn.Module]:
    if name.startswith("_") or name not in models.list_models(module=models):
        raise AttributeError(f"torchvision has no classification model named {name!r}")
    return partial(vision_transformer if name.startswith("vit_") else convolutional, name)
