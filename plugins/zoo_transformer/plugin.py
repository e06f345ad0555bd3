"""Transformers for text: classifiers `transformer`…, and language models with a key/value cache `transformer_lm`…."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import ModelSpec, Recipe, TokenInput, WeightsSpec, hookimpl

ZOO_API = 2

VASWANI = "Vaswani et al., Attention is all you need, arXiv:1706.03762"
RADFORD = "Radford et al., Language models are unsupervised multitask learners, 2019"

CHARACTERS = TokenInput(max_length=1024)
WORDS = TokenInput(max_length=1024, unit="token", vocabulary_limit=32_000, chunk=256)

COUNTED = {"parameters": "the card counts the published vocabulary, which the embedded names do not fill"}
LICENCE = "Apache-2.0; learnt from CLDR names under Unicode-3.0"
LANGUAGES = (
    *("cs", "da", "de", "en", "es", "fi", "fr", "hr", "hu", "id"),
    *("it", "lt", "nl", "pl", "pt", "ro", "sv", "sw", "tr", "vi"),
)
"""The classes of the embedded names."""

NAMED = 12_000
"""About how many texts the recipes of classifiers are meant for: the embedded names."""
NAMES = Recipe(
    epochs=6, batch_size=64, lr=2e-3, weight_decay=0.05, betas=(0.9, 0.99), schedule="onecycle", warmup=0.15, clip=1.0
)
LARGE = Recipe(epochs=20, batch_size=64, lr=3e-4, weight_decay=0.1, betas=(0.9, 0.98), warmup=0.1, clip=1.0)
WRITING = replace(NAMES, epochs=7, batch_size=8, lr=6e-3, warmup=0.1)


def _classifier(name: str, summary: str, parameters: int, recipe: Recipe) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="text-classification",
        builder=f"zoo_transformer.model:{name}",
        trainer="text-classification",
        needs=("vocabulary_size", "num_classes"),
        input=CHARACTERS,
        head=("head.",),
        recipes={"names": recipe, "default": replace(recipe, items=NAMED)},
        summary=summary,
        paper=VASWANI,
        licence="Apache-2.0",
        parameters=parameters,
    )


def _writer(name: str, summary: str, parameters: int, recipe: Recipe, input: TokenInput) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="text-generation",
        builder=f"zoo_transformer.model:{name}",
        trainer="language-model",
        needs=("vocabulary_size",),
        input=input,
        head=("head.",),
        recipes={"names": recipe, "default": recipe},
        summary=summary,
        paper=RADFORD,
        licence="Apache-2.0",
        parameters=parameters,
        conformance=COUNTED if input is WORDS else {},
    )


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """Three encoders that classify and three decoders that write."""
    yield _classifier("transformer", "an encoder of 2 layers, 128 wide", 291_988, NAMES)
    yield _classifier("transformer_base", "the base encoder of the paper: 6 layers, 512 wide", 19_022_356, LARGE)
    yield _classifier("transformer_big", "the big encoder of the paper: 6 layers, 1,024 wide", 75_793_428, LARGE)
    yield _writer(
        "transformer_lm", "a decoder of 3 layers, 96 wide, that sees 32 characters", 298_080, WRITING, CHARACTERS
    )
    yield _writer("transformer_lm_small", "as GPT-2 small: 12 layers, 768 wide, 1,024 words", 134_208_000, LARGE, WORDS)
    yield _writer(
        "transformer_lm_medium", "as GPT-2 medium: 24 layers, 1,024 wide, 1,024 words", 367_847_424, LARGE, WORDS
    )


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Trained on the embedded names by zoo itself; the metrics are of the names held out for testing."""
    yield WeightsSpec(
        model="transformer",
        tag="names",
        licence=LICENCE,
        sha256="40877b949e6f2cd1877b0e70341839f15e8bf0e703b94f7b43f68382495eaba0",
        resource="zoo_transformer:weights/transformer-names.safetensors",
        size=593_120,
        classes=LANGUAGES,
        vocabulary="zoo.data.embedded.names:CHARACTERS",
        metrics={"accuracy": 0.7438, "macro_f1": 0.7258},
        data="names",
        recipe="zoo train transformer --threads 1; packed with --dtype float16",
    )
