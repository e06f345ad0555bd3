"""Residual networks for small pictures: `resnet8`, `resnet20`, `resnet32`, `resnet56`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import Augment, ImageInput, ModelSpec, Recipe, hookimpl

ZOO_API = 2

GREY_28 = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,), any_channels=True)
"""The size of the embedded digits, with the mean and deviation of MNIST's training pictures."""

DIGITS = Recipe(
    epochs=4,
    batch_size=64,
    lr=2e-2,
    betas=(0.9, 0.95),
    weight_decay=0.05,
    schedule="onecycle",
    warmup=0.25,
    augment=Augment(shift=0.08),
    options={"first_size": 0.5},
)
SCRATCH = replace(DIGITS, epochs=6, augment=Augment(shift=0.08, flip=True), input_size=(64, 64), items=5_000)
FINETUNE = replace(SCRATCH, lr=2e-3, input_size=None, options={})
MAX_SMALL_SIDE = 64
"""Pixels; above this size ResNet's usual stem, which begins with a quarter of the size, loses little."""
HE = "He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016, section 4.2"


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """`resnet8`, and the three of the CIFAR series."""
    resnet8 = ModelSpec(
        name="resnet8",
        task="image-classification",
        builder="zoo_resnet.model:resnet8",
        trainer="classification",
        needs=("channels", "num_classes"),
        input=GREY_28,
        head=("head.",),
        takes_over={"resnet": MAX_SMALL_SIDE},
        recipes={"digits": DIGITS, "default": SCRATCH, "finetune": FINETUNE},
        summary="the image classification reference of MLPerf Tiny: one residual block a stage",
        paper="Banbury et al., MLPerf Tiny Benchmark, NeurIPS 2021",
        licence="Apache-2.0",
        parameters=77_658,
    )
    series = ((20, "three", 269_434), (32, "five", 463_866), (56, "nine", 852_730))
    yield resnet8
    for depth, blocks, parameters in series:
        yield replace(
            resnet8,
            name=f"resnet{depth}",
            takes_over={},
            builder=f"zoo_resnet.model:resnet{depth}",
            summary=f"the CIFAR series of residual networks: {blocks} blocks a stage",
            paper=HE,
            parameters=parameters,
        )
