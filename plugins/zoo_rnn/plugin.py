"""Recurrent networks for text: classifiers `rnn`, `gru`, `lstm`, and language models `rnn_lm`, `gru_lm`, `lstm_lm`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import ExportSpec, ModelSpec, Recipe, TokenInput, WeightsSpec, hookimpl

ZOO_API = 2

ELMAN = "Elman, Finding structure in time, Cognitive Science 14, 1990"
CHO = "Cho et al., Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078"
HOCHREITER = "Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 9, 1997"
ZAREMBA = "Zaremba et al., Recurrent neural network regularization, arXiv:1409.2329"

CHARACTERS = TokenInput(max_length=4096)
WORDS = TokenInput(max_length=4096, unit="token", vocabulary_limit=10_000, chunk=35)

COUNTED = {"parameters": "the card counts the published vocabulary, which the embedded names do not fill"}
LICENCE = "Apache-2.0; learnt from CLDR names under Unicode-3.0"
LANGUAGES = (
    *("cs", "da", "de", "en", "es", "fi", "fr", "hr", "hu", "id"),
    *("it", "lt", "nl", "pl", "pt", "ro", "sv", "sw", "tr", "vi"),
)
"""The classes of the embedded names."""
APPROXIMATE = (
    "ONNX Runtime computes the gates of GRU and LSTM with polynomials for sigmoid and tanh, two to five times as far "
    "off as PyTorch's; on a dozen values that alone can exceed the rule"
)
EXPORT = ExportSpec(
    waivers={"logits": APPROXIMATE, "probabilities": APPROXIMATE},
    waiver_bounds={"logits": 2e-6, "probabilities": 5e-6},
)
"""A relative error of 2e-6 is 20 ulps; the weakest mutant of a proof differs by 500 times that."""

NAMED = 12_000
"""About how many texts the recipes of classifiers are meant for: the embedded names."""
NAMES = Recipe(
    epochs=8, batch_size=64, lr=4e-3, weight_decay=0.05, betas=(0.9, 0.99), schedule="onecycle", warmup=0.1, clip=1.0
)
LARGE = Recipe(epochs=20, batch_size=64, lr=1e-3, weight_decay=0.05, schedule="onecycle", warmup=0.1, clip=1.0)
WRITING = Recipe(
    epochs=9, batch_size=16, lr=6e-3, weight_decay=0.05, betas=(0.9, 0.99), schedule="onecycle", warmup=0.1, clip=1.0
)
GATED_WRITING = replace(WRITING, epochs=7)
PLAIN_WRITING = replace(WRITING, epochs=20, lr=4e-3)
LARGE_WRITING = Recipe(epochs=30, batch_size=20, lr=1e-3, weight_decay=0.05, schedule="cosine", clip=5.0)


def _classifier(name: str, paper: str, parameters: int, *, recipe: Recipe = NAMES, summary: str = "") -> ModelSpec:
    return ModelSpec(
        name=name,
        task="text-classification",
        builder=f"zoo_rnn.model:{name}",
        trainer="text-classification",
        needs=("vocabulary_size", "num_classes"),
        input=CHARACTERS,
        head=("head.",),
        recipes={"names": recipe, "default": replace(recipe, items=NAMED)},
        summary=summary,
        paper=paper,
        licence="Apache-2.0",
        parameters=parameters,
        export=EXPORT,
    )


def _writer(
    name: str,
    paper: str,
    parameters: int,
    *,
    recipe: Recipe = WRITING,
    input: TokenInput = CHARACTERS,
    summary: str = "",
) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="text-generation",
        builder=f"zoo_rnn.model:{name}",
        trainer="language-model",
        needs=("vocabulary_size",),
        input=input,
        head=("head.",),
        recipes={"names": recipe, "default": recipe},
        summary=summary,
        paper=paper,
        licence="Apache-2.0",
        parameters=parameters,
        conformance=COUNTED if input is WORDS else {},
        export=EXPORT,
    )


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """Five classifiers and five language models."""
    yield _classifier("rnn", ELMAN, 44_804, summary="a plain recurrent layer, read both ways")
    yield _classifier("gru", CHO, 100_868, summary="gated recurrent units, read both ways")
    yield _classifier("gru_large", CHO, 7_179_540, recipe=LARGE, summary="two layers of 512 gated units each way")
    yield _classifier("lstm", HOCHREITER, 128_900, summary="long short-term memory, read both ways")
    yield _classifier(
        "lstm_large", HOCHREITER, 9_542_932, recipe=LARGE, summary="two layers of 512 memory cells each way"
    )
    yield _writer(
        "rnn_lm", ELMAN, 143_422, recipe=PLAIN_WRITING, summary="writes character by character with 256 plain units"
    )
    yield _writer(
        "gru_lm", CHO, 308_286, recipe=GATED_WRITING, summary="writes character by character with 256 gated units"
    )
    yield _writer("lstm_lm", HOCHREITER, 390_718, summary="writes character by character with 256 memory cells")
    medium, large = "two layers of 650 memory cells, for words", "two layers of 1,500 memory cells, for words"
    yield _writer("lstm_lm_medium", ZAREMBA, 19_780_400, recipe=LARGE_WRITING, input=WORDS, summary=medium)
    yield _writer("lstm_lm_large", ZAREMBA, 66_034_000, recipe=LARGE_WRITING, input=WORDS, summary=large)


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Trained on the embedded names by zoo itself; the metrics are of the names held out for testing."""
    yield WeightsSpec(
        model="gru",
        tag="names",
        licence=LICENCE,
        sha256="3b69613ca008e99333436113fc206818cc4fcc3d09a22f15564db1f845cde199",
        resource="zoo_rnn:weights/gru-names.safetensors",
        size=404_520,
        classes=LANGUAGES,
        vocabulary="zoo.data.embedded.names:CHARACTERS",
        metrics={"accuracy": 0.8058, "macro_f1": 0.7947},
        data="names",
        recipe="zoo train gru --threads 1",
    )
    yield WeightsSpec(
        model="gru_lm",
        tag="names",
        licence=LICENCE,
        sha256="f23c5c50deb07c7364ecab8dd934be2b48b89bde6a8823cf992157c8bfe9e4b7",
        resource="zoo_rnn:weights/gru_lm-names.safetensors",
        size=620_632,
        vocabulary="zoo.data.embedded.names:LINES",
        metrics={"bits_per_character": 2.5397, "perplexity": 5.8148},
        data="names",
        recipe="zoo train gru_lm --epochs 9 --threads 1; packed with --dtype float16",
    )
