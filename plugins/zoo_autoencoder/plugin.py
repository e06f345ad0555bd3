"""Autoencoders for any image: `autoencoder` (dense) and `conv_autoencoder`, `vae` and `conv_vae`; `vae_decoder`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import ImageInput, LatentInput, ModelSpec, Monitor, Recipe, TrainerSpec, WeightsSpec, hookimpl

ZOO_API = 2

GREY_28 = ImageInput(size=(28, 28), channels=1, mean=(0.0,), std=(1.0,), fixed_size=True, any_channels=True)
DIGITS = Recipe(epochs=30, batch_size=64, lr=3e-3, weight_decay=0.0, schedule="onecycle", warmup=0.1)
LICENCE = "Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)"
SCRATCH = Recipe(epochs=30, batch_size=64, lr=1e-3, weight_decay=0.0, warmup=0.05, input_size=(64, 64), items=5_000)
LATENT = 20
VARIATIONAL = Recipe(epochs=40, batch_size=64, lr=3e-3, weight_decay=0.0, schedule="onecycle", warmup=0.1)


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """Plain and variational autoencoders."""
    yield from _autoencoders()
    yield from _variational()


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """The evidence lower bound."""
    yield TrainerSpec(
        name="vae",
        task="image-reconstruction",
        trainer="zoo_autoencoder.trainer:VaeTrainer",
        options={"beta": 1.0, "kl_warmup": 0.1},
        monitor=Monitor(metric="nats", mode="min"),
        summary="cross-entropy of the pixels plus beta times the divergence of the codes, in nats",
    )
    yield TrainerSpec(
        name="vae-decoder",
        task="image-generation",
        trainer="zoo_autoencoder.trainer:DecoderTrainer",
        options={"beta": 1.0, "kl_warmup": 0.1},
        summary="the same for a decoder, with an encoder that is not exported",
    )


def _autoencoders() -> Iterable[ModelSpec]:
    dense = ModelSpec(
        name="autoencoder",
        task="image-reconstruction",
        builder="zoo_autoencoder.model:autoencoder",
        trainer="reconstruction",
        needs=("channels", "image_size"),
        input=GREY_28,
        recipes={
            "digits": DIGITS,
            "default": SCRATCH,
            "finetune": replace(SCRATCH, epochs=10, lr=3e-4, input_size=None),
        },
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


def _variational() -> Iterable[ModelSpec]:
    dense = ModelSpec(
        name="vae",
        task="image-reconstruction",
        builder="zoo_autoencoder.variational:vae",
        trainer="vae",
        adapter="zoo_autoencoder.adapter:reconstructing",
        needs=("channels", "image_size", "latent_size"),
        input=replace(GREY_28, noise=LATENT),
        recipes={"digits": VARIATIONAL, "default": SCRATCH, "finetune": replace(SCRATCH, epochs=10, lr=3e-4)},
        summary=f"variational, fully connected, hidden layers of 256 and 128, a code of {LATENT} numbers",
        paper="Kingma and Welling, Auto-encoding variational Bayes, 2014",
        licence="Apache-2.0",
        parameters=476_216,
    )
    large = replace(
        dense,
        name="vae_large",
        builder="zoo_autoencoder.variational:vae_large",
        recipes={**dense.recipes, "digits": replace(VARIATIONAL, epochs=20, lr=2e-3)},
        summary=f"variational, fully connected, hidden layers of 512 and 256, a code of {LATENT} numbers",
        parameters=1_082_680,
    )
    convolutional = replace(
        dense,
        name="conv_vae",
        builder="zoo_autoencoder.variational:conv_vae",
        recipes={**dense.recipes, "digits": replace(VARIATIONAL, epochs=10, lr=2e-3)},
        summary=f"variational, strided convolutions, a code of {LATENT} numbers",
        parameters=243_465,
    )
    decoder = ModelSpec(
        name="vae_decoder",
        task="image-generation",
        builder="zoo_autoencoder.variational:dense_decoder",
        trainer="vae-decoder",
        adapter="zoo_autoencoder.adapter:generating",
        part_of={"vae": "zoo_autoencoder.adapter:decoder_of"},
        needs=dense.needs,
        input=LatentInput(size=LATENT, picture=GREY_28),
        recipes=dense.recipes,
        summary="the decoder of `vae`: latents to pictures",
        paper=dense.paper,
        licence=dense.licence,
        parameters=237_200,
    )
    return (dense, large, convolutional, decoder)


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """All trained on the embedded digits by zoo itself; the metrics are of its 2,000 test pictures."""
    yield from _autoencoder_weights()
    yield from _variational_weights()


def _autoencoder_weights() -> Iterable[WeightsSpec]:
    dense = WeightsSpec(
        model="autoencoder",
        tag="digits",
        licence=LICENCE,
        sha256="5d7c0578ae451ae0dbe3a273adad34ab34fa5c3b151cdc4e06c7f0bc8eb3fe4a",
        resource="zoo_autoencoder:weights/autoencoder-digits.safetensors",
        size=883_336,
        input=GREY_28,
        metrics={"psnr": 19.956, "ssim": 0.7841},
        data="digits",
        recipe="zoo train autoencoder --threads 1; packed with --dtype float16",
    )
    convolutional = WeightsSpec(
        model="conv_autoencoder",
        tag="digits",
        licence=LICENCE,
        sha256="ba49fcf7a8c8bc061ac9114ead3104e138da564f92207a3ea463fbc569f69ed5",
        resource="zoo_autoencoder:weights/conv_autoencoder-digits.safetensors",
        size=214260,
        input=GREY_28,
        metrics={"psnr": 21.2412, "ssim": 0.8368},
        data="digits",
        recipe="zoo train conv_autoencoder --threads 1",
    )
    return (dense, convolutional)


def _variational_weights() -> Iterable[WeightsSpec]:
    whole = WeightsSpec(
        model="vae",
        tag="digits",
        licence=LICENCE,
        sha256="35cbc215e438a6d78c371ed744ff17ed05b9a3d4345a87826e11ddf1424591c7",
        resource="zoo_autoencoder:weights/vae-digits.safetensors",
        size=956_680,
        input=replace(GREY_28, noise=LATENT),
        metrics={"psnr": 18.3637, "ssim": 0.8625, "nats": 107.5611, "kl": 19.0879},
        data="digits",
        recipe="zoo train vae --threads 1",
    )
    decoder = replace(
        whole,
        model="vae_decoder",
        input=LatentInput(size=LATENT, picture=GREY_28),
        remap="zoo_autoencoder.adapter:decoder_state",
        metrics={"frechet_random": 0.5834},
    )
    return (whole, decoder)
