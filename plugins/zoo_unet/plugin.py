"""U-Net for semantic segmentation: `unet` and `unet_tiny`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import Augment, ImageInput, ModelSpec, Recipe, hookimpl

ZOO_API = 2

INPUT_96 = ImageInput(size=(96, 96), min_size=16, mean=(0.0,) * 3, std=(1.0,) * 3, any_channels=True)
INPUT_512 = replace(INPUT_96, size=(512, 512), min_size=32)

SCENES = Recipe(
    epochs=12,
    batch_size=16,
    lr=1e-2,
    weight_decay=0.02,
    betas=(0.9, 0.99),
    schedule="onecycle",
    warmup=0.2,
    clip=10.0,
    ema=0.99,
    augment=Augment(shift=0.1, scale=0.1),
    input_size=(96, 96),
)
"""The embedded digit scenes; digits are not mirrored."""
OWN = replace(
    SCENES,
    epochs=60,
    batch_size=16,
    lr=5e-3,
    augment=Augment(shift=0.1, scale=0.3, flip=True, color=0.2),
    input_size=None,
    items=1_000,
)
PUBLISHED = replace(OWN, epochs=100, batch_size=4, lr=1e-3)
"""The paper takes one large tile a step; a batch norm needs a few."""
PAPER = "Ronneberger, Fischer, Brox: U-Net, MICCAI 2015, arXiv:1505.04597"


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """`unet_tiny` and `unet`."""
    tiny = ModelSpec(
        name="unet_tiny",
        task="semantic-segmentation",
        builder="zoo_unet.model:unet_tiny",
        trainer="segmentation",
        needs=("channels", "num_classes"),
        input=INPUT_96,
        head=("head.", "enlarge."),
        recipes={"digit_scenes": SCENES, "default": OWN, "finetune": replace(OWN, epochs=30, lr=1e-3)},
        summary="U-Net of 0.12 million parameters: strides 2, 4 and 8, for small pictures",
        paper=PAPER,
        licence="Apache-2.0",
        parameters=122_075,
    )
    yield tiny
    yield replace(
        tiny,
        name="unet",
        head=("head.",),
        builder="zoo_unet.model:unet",
        input=INPUT_512,
        recipes={"default": PUBLISHED, "finetune": replace(PUBLISHED, epochs=30, lr=3e-4)},
        summary="U-Net of the published size, with padded convolutions: five strides of 64 to 1024 channels",
        parameters=31_038_933,
    )
