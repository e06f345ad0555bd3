"""Two small convolutional classifiers for any image: `cnn` and `convnet`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import Augment, ImageInput, ModelSpec, Recipe, WeightsSpec, hookimpl

ZOO_API = 2

GREY_28 = ImageInput(size=(28, 28), channels=1, mean=(0.1307,), std=(0.3081,), fixed_size=True, any_channels=True)
"""The size of the embedded digits, with the mean and deviation of MNIST's training pictures."""

DIGITS = Recipe(
    epochs=4,
    batch_size=64,
    lr=4e-3,
    weight_decay=0.05,
    schedule="onecycle",
    warmup=0.25,
    augment=Augment(shift=0.08),
)
LICENCE = "Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)"
SCRATCH = replace(DIGITS, epochs=8, augment=Augment(shift=0.08, flip=True), input_size=(64, 64), items=5_000)


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """`cnn` and `convnet`."""
    needs = ("channels", "image_size", "num_classes")
    cnn = ModelSpec(
        name="cnn",
        task="image-classification",
        builder="zoo_cnn.model:cnn",
        trainer="classification",
        needs=needs,
        input=GREY_28,
        head=("head.",),
        recipes={
            "digits": DIGITS,
            "default": SCRATCH,
            "finetune": replace(SCRATCH, epochs=6, lr=5e-4, input_size=None),
        },
        summary="two convolutions and a hidden layer: the network every course begins with",
        licence="Apache-2.0",
        parameters=421_642,
    )
    convnet = replace(
        cnn,
        name="convnet",
        builder="zoo_cnn.model:convnet",
        recipes={**cnn.recipes, "digits": replace(DIGITS, epochs=8)},
        aliases=("lenet",),
        summary="LeNet-5's layout: 6 and 16 maps of 5x5, hidden layers of 120 and 84",
        paper="LeCun et al., Gradient-based learning applied to document recognition, 1998",
        parameters=107_786,
    )
    return (cnn, convnet)


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Both trained on the embedded digits by zoo itself; the metrics are of its 2,000 test pictures."""
    cnn = WeightsSpec(
        model="cnn",
        tag="digits",
        licence=LICENCE,
        sha256="d76ef06f03b7cf0d9aeb3323773a067faddb2a233f7145e557cbd100f3ea71a4",
        resource="zoo_cnn:weights/cnn-digits.safetensors",
        size=844_392,
        input=GREY_28,
        classes=tuple("0123456789"),
        metrics={"top1": 0.988, "top5": 1.0},
        data="digits",
        recipe="zoo train cnn --threads 1; packed with --dtype float16",
    )
    convnet = WeightsSpec(
        model="convnet",
        tag="digits",
        licence=LICENCE,
        sha256="95f1d1559db953fd194e30411b5222da628f9ade248038ccc0d5c525f7a47483",
        resource="zoo_cnn:weights/convnet-digits.safetensors",
        size=216_820,
        input=GREY_28,
        classes=tuple("0123456789"),
        metrics={"top1": 0.985, "top5": 1.0},
        data="digits",
        recipe="zoo train convnet --threads 1; packed with --dtype float16",
    )
    return (cnn, convnet)
