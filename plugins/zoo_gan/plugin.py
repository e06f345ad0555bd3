"""Generative adversarial networks: `dcgan` for the embedded digits, `dcgan_64` as it was published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import ImageInput, LatentInput, ModelSpec, Recipe, TrainerSpec, WeightsSpec, hookimpl

ZOO_API = 2

PICTURE = ImageInput(size=(28, 28), channels=1, mean=(0.5,), std=(0.5,), min_size=8, fixed_size=True, any_channels=True)
DIGITS = Recipe(
    epochs=16,
    batch_size=32,
    optimizer="adam",
    lr=8e-4,
    betas=(0.5, 0.999),
    weight_decay=0.0,
    schedule="cosine",
    warmup=0.01,
    ema=0.995,
)
ADVERSARIAL = dict.fromkeys(
    ("loss_falls", "overfits"), "adversarial: what one network gains the other loses, so neither loss need fall"
)
PUBLISHED = replace(DIGITS, epochs=60, batch_size=128, lr=2e-4, schedule="constant", ema=0.999, items=5_000)


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """A small one for the digits, and one for colour pictures of 64 pixels."""
    tiny = ModelSpec(
        name="dcgan",
        task="image-generation",
        builder="zoo_gan.model:dcgan",
        trainer="gan",
        needs=("latent_size", "channels", "image_size"),
        input=LatentInput(size=64, picture=PICTURE),
        aliases=("gan",),
        recipes={"digits": DIGITS, "default": PUBLISHED, "finetune": replace(PUBLISHED, epochs=20, lr=5e-5)},
        summary="96, 48 and 24 maps",
        paper="Radford, Metz and Chintala, Unsupervised representation learning with deep convolutional generative "
        "adversarial networks, 2016",
        licence="Apache-2.0",
        parameters=191_185,
        conformance=ADVERSARIAL,
    )
    published = replace(
        tiny,
        name="dcgan_64",
        builder="zoo_gan.model:dcgan_64",
        input=LatentInput(
            size=100, picture=replace(PICTURE, size=(64, 64), channels=3, mean=(0.5,) * 3, std=(0.5,) * 3)
        ),
        aliases=(),
        recipes={name: recipe for name, recipe in tiny.recipes.items() if name != "digits"},
        summary="1024, 512, 256 and 128 maps, as published",
        parameters=12_658_435,
    )
    return (tiny, published)


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """Adversarial training."""
    yield TrainerSpec(
        name="gan",
        task="image-generation",
        trainer="zoo_gan.trainer:GanTrainer",
        summary="a generator against a discriminator, one update of each per batch",
    )


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Trained on the embedded digits by zoo itself; the metric is against its 2,000 test pictures."""
    yield WeightsSpec(
        model="dcgan",
        tag="digits",
        licence="Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)",
        sha256="5e69c987aedc9bb27b68292a8fb77f1048c7a9e434805757ce29c4198f84487d",
        resource="zoo_gan:weights/dcgan-digits.safetensors",
        size=385_948,
        input=LatentInput(size=64, picture=PICTURE),
        metrics={"frechet_random": 0.0616},
        data="digits",
        recipe="zoo train dcgan --threads 1; packed with --dtype float16",
    )
