"""Two autoencoders for any image: `autoencoder` (dense) and `conv_autoencoder`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import ImageInput, ModelSpec, Recipe, hookimpl

ZOO_API = 1

GREY_28 = ImageInput(size=(28, 28), channels=1, mean=(0.0,), std=(1.0,), fixed_size=True, any_channels=True)
DIGITS = Recipe(epochs=10, batch_size=64, lr=2e-3, weight_decay=0.0, schedule="onecycle", warmup=0.1)
SCRATCH = Recipe(epochs=30, batch_size=64, lr=1e-3, weight_decay=0.0, warmup=0.05, input_size=(64, 64))


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """`autoencoder` and `conv_autoencoder`."""
    dense = ModelSpec(
        name="autoencoder",
        task="image-reconstruction",
        builder="zoo_autoencoder.model:autoencoder",
        trainer="reconstruction",
        needs=("channels", "image_size"),
        input=GREY_28,
        recipes={"digits": DIGITS, "default": SCRATCH, "finetune": replace(SCRATCH, epochs=10, lr=3e-4)},
        summary="fully connected, a code of 32 numbers",
        paper="Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks, 2006",
        licence="Apache-2.0",
        parameters=439_728,
    )
    convolutional = replace(
        dense,
        name="conv_autoencoder",
        builder="zoo_autoencoder.model:conv_autoencoder",
        recipes={**dense.recipes, "digits": replace(DIGITS, epochs=4, lr=4e-3)},
        summary="strided convolutions and upsampling, a code of 8 maps at an eighth of the size",
        parameters=52_169,
    )
    return (dense, convolutional)
