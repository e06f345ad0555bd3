"""The families of torchvision's classifiers: what each is, who wrote it down, and how to train it, as data.

Recipes are by embedded data name, or "default" (from random numbers) and "finetune" (from published weights).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from zoo import Augment, Recipe

_SHIFT = Augment(shift=2 / 28)
_PHOTOS = Augment(shift=0.1, scale=0.2, flip=True, color=0.2)

# Batch normalisation allows a high rate; without it, a third of that and clipped gradients.
_DIGITS = Recipe(
    epochs=3, batch_size=64, lr=4e-3, schedule="onecycle", warmup=0.25, augment=_SHIFT, input_size=(28, 28)
)
# A ResNet halves 28 pixels to 1: its largest weights meet few pixels, so that larger batches cost less.
_DIGITS_RESIDUAL = replace(_DIGITS, batch_size=128, lr=6e-3, channels_last=False)
_DIGITS_PLAIN = replace(_DIGITS, epochs=4, lr=5e-4, clip=1.0)
_SCRATCH = Recipe(
    epochs=16,
    batch_size=64,
    lr=2e-3,
    schedule="onecycle",
    warmup=0.15,
    label_smoothing=0.1,
    ema=0.999,
    augment=_PHOTOS,
    items=300,
)
_SCRATCH_PLAIN = replace(_SCRATCH, lr=3e-4, clip=1.0)
_FINETUNE = Recipe(
    epochs=15,
    batch_size=32,
    lr=1e-3,
    backbone_lr=0.1,
    schedule="cosine",
    warmup=0.1,
    label_smoothing=0.1,
    augment=_PHOTOS,
    items=300,
)
_FINETUNE_PLAIN = replace(_FINETUNE, lr=5e-4, clip=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the models of one paper have in common."""

    summary: str
    paper: str
    recipes: Mapping[str, Recipe]


def _normalised(side: int, *, lr: float = 4e-3, epochs: int = 3) -> dict[str, Recipe]:
    digits = replace(_DIGITS, input_size=(side, side), lr=lr, epochs=epochs)
    return {"digits": digits, "default": _SCRATCH, "finetune": _FINETUNE}


def _plain(side: int, *, lr: float = 5e-4, epochs: int = 4) -> dict[str, Recipe]:
    """Without batch normalisation: the oldest networks and the transformers."""
    digits = replace(_DIGITS_PLAIN, input_size=(side, side), lr=lr, epochs=epochs)
    return {"digits": digits, "default": _SCRATCH_PLAIN, "finetune": _FINETUNE_PLAIN}


_VIT = "A transformer over patches, each with a learnt position: square images of one size"
_VIT_PAPER = "https://arxiv.org/abs/2010.11929"

FAMILIES: Mapping[str, Family] = {
    "alexnet": Family(
        summary="Five convolutions and three dense layers, where it began (the one-tower variant of 2014)",
        paper="https://arxiv.org/abs/1404.5997",
        recipes=_plain(64, epochs=2),
    ),
    "convnext": Family(
        summary="A ResNet redesigned after the transformers: depthwise 7x7 convolutions and layer norm",
        paper="https://arxiv.org/abs/2201.03545",
        recipes=_plain(32, lr=1e-3),
    ),
    "densenet": Family(
        summary="Every layer sees the outputs of all before it",
        paper="https://arxiv.org/abs/1608.06993",
        recipes=_normalised(32, lr=2e-3),
    ),
    "efficientnet": Family(
        summary="Depth, width and resolution scaled together; inverted bottlenecks with squeeze and excitation",
        paper="https://arxiv.org/abs/1905.11946",
        recipes=_normalised(32),
    ),
    "efficientnet_v2": Family(
        summary="EfficientNet with fused convolutions early on: smaller and faster to train",
        paper="https://arxiv.org/abs/2104.00298",
        recipes=_normalised(48),
    ),
    "googlenet": Family(
        summary="Inception modules: four kinds of filters side by side; without the auxiliary heads",
        paper="https://arxiv.org/abs/1409.4842",
        recipes=_normalised(32),
    ),
    "inception": Family(
        summary="Factorised inception modules; from 299 pixels on an auxiliary head helps the training",
        paper="https://arxiv.org/abs/1512.00567",
        recipes=_normalised(80, lr=2e-3, epochs=2),
    ),
    "maxvit": Family(
        summary="Convolution, attention in windows and attention on a grid, block after block; multiples of 224 only",
        paper="https://arxiv.org/abs/2204.01697",
        recipes=_normalised(224, lr=1e-3, epochs=1),
    ),
    "mnasnet": Family(
        summary="Found by a search for accuracy and latency on a phone",
        paper="https://arxiv.org/abs/1807.11626",
        recipes=_normalised(32),
    ),
    "mobilenet_v2": Family(
        summary="Inverted residuals with linear bottlenecks, for phones",
        paper="https://arxiv.org/abs/1801.04381",
        recipes=_normalised(32),
    ),
    "mobilenet_v3": Family(
        summary="MobileNet refined by search, with squeeze and excitation and hard swish",
        paper="https://arxiv.org/abs/1905.02244",
        recipes=_normalised(32),
    ),
    "regnet": Family(
        summary="Widths and depths on a straight line: a design space found by its statistics",
        paper="https://arxiv.org/abs/2003.13678",
        recipes=_normalised(32),
    ),
    "resnet": Family(
        summary="Residual blocks, the workhorse",
        paper="https://arxiv.org/abs/1512.03385",
        recipes={**_normalised(28), "digits": _DIGITS_RESIDUAL},
    ),
    "resnext": Family(
        summary="ResNet with grouped convolutions",
        paper="https://arxiv.org/abs/1611.05431",
        recipes=_normalised(28, lr=2e-3),
    ),
    "shufflenet": Family(
        summary="Channel splits and shuffles, for phones",
        paper="https://arxiv.org/abs/1807.11164",
        recipes=_normalised(32),
    ),
    "squeezenet": Family(
        summary="Fire modules: AlexNet's accuracy with a fiftieth of its parameters",
        paper="https://arxiv.org/abs/1602.07360",
        recipes=_plain(32),
    ),
    "swin": Family(
        summary="Attention in shifted windows, in a pyramid",
        paper="https://arxiv.org/abs/2103.14030",
        recipes=_plain(32),
    ),
    "swin_v2": Family(
        summary="Swin with cosine attention and positions that carry over to other window sizes",
        paper="https://arxiv.org/abs/2111.09883",
        recipes=_plain(32),
    ),
    "vgg": Family(
        summary="Stacks of 3x3 convolutions and three dense layers",
        paper="https://arxiv.org/abs/1409.1556",
        recipes=_plain(32, lr=3e-4),
    ),
    "vgg11_bn_small": Family(
        summary="The convolutions of vgg11_bn under dense layers of 512 instead of 4096",
        paper="https://arxiv.org/abs/1409.1556",
        recipes=_normalised(32, lr=1e-3, epochs=3),
    ),
    "vit": Family(summary=_VIT, paper=_VIT_PAPER, recipes=_plain(32)),
    "vit_h": Family(summary=f"{_VIT}; the huge one", paper=_VIT_PAPER, recipes=_plain(28)),
    "wide_resnet": Family(
        summary="ResNet with twice the channels inside each block",
        paper="https://arxiv.org/abs/1605.07146",
        recipes=_normalised(28, lr=2e-3),
    ),
}


def family_of(model: str) -> Family:
    """The family with the longest name that the model's name begins with."""
    return FAMILIES[_longest(model)]


def family_name(model: str) -> str:
    """The family as `zoo list` shows it: the huge Vision Transformer has only its recipe to itself."""
    return _longest(model).removesuffix("_h")


def _longest(model: str) -> str:
    return max((name for name in FAMILIES if model.startswith(name)), key=len)
