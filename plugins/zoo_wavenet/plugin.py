"""WaveNet: `wavenet` with the layers of the paper, `wavenet_tiny` for the embedded tones and small devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import AudioInput, ModelSpec, Recipe, WeightsSpec, hookimpl

ZOO_API = 2

PAPER = "van den Oord et al., WaveNet: a generative model for raw audio, arXiv:1609.03499"
TONES = Recipe(
    epochs=5, batch_size=4, lr=6e-3, weight_decay=0.01, betas=(0.9, 0.99), schedule="onecycle", warmup=0.1, clip=1.0
)
LARGE = Recipe(epochs=30, batch_size=4, lr=1e-3, weight_decay=0.0, optimizer="adam", warmup=0.02, clip=1.0, ema=0.999)


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """Two sizes."""
    tiny = ModelSpec(
        name="wavenet_tiny",
        task="audio-generation",
        builder="zoo_wavenet.model:wavenet_tiny",
        trainer="sample-model",
        needs=("num_classes",),
        input=AudioInput(sample_rate=8_000, any_rate=True, chunk=500),
        head=("head.",),
        recipes={"tones": TONES, "default": replace(TONES, epochs=20, lr=3e-3), "finetune": replace(TONES, lr=1e-3)},
        summary="14 layers of 24 channels, a receptive field of 256 samples",
        paper=PAPER,
        licence="Apache-2.0",
        parameters=71_452,
    )
    yield tiny
    yield replace(
        tiny,
        name="wavenet",
        builder="zoo_wavenet.model:wavenet",
        input=AudioInput(any_rate=True, chunk=4_000),
        recipes={"default": LARGE, "finetune": replace(LARGE, lr=2e-4)},
        summary="30 layers as in the paper, 32 and 512 channels, a receptive field of 3,071 samples",
        parameters=1_074_252,
    )


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Trained on the embedded tones by zoo itself; the metric is of the tunes kept for testing."""
    yield WeightsSpec(
        model="wavenet_tiny",
        tag="tones",
        licence="Apache-2.0; trained on tones made by zoo itself",
        sha256="5992db149a2b4b81579aeb4a47f85bde62945ac99407bb32bed9ea462f705eb9",
        resource="zoo_wavenet:weights/wavenet_tiny-tones.safetensors",
        size=294_968,
        input=AudioInput(sample_rate=8_000, chunk=500),
        classes=("bright", "hollow", "pure"),
        metrics={"bits_per_sample": 2.2702},
        data="tones",
        recipe="zoo train wavenet_tiny --threads 1",
    )
