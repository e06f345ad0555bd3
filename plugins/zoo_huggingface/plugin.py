"""Encoders of the library transformers for text: BERT and its kin, new and small or as they were published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import ImageInput, ModelSpec, Recipe, TokenInput, TrainerSpec, WeightsSpec, hookimpl
from zoo_huggingface.cards import heads
from zoo_huggingface.catalogue import DETECTION_EXPORT, SCENES, WITHOUT, catalogue

ZOO_API = 2

DEVLIN = "Devlin et al., BERT, arXiv:1810.04805"
SANH = "Sanh et al., DistilBERT, arXiv:1910.01108"
REIMERS = "Reimers and Gurevych, Sentence-BERT, arXiv:1908.10084"

TINY = TokenInput(max_length=128, unit="wordpiece", vocabulary_limit=800)
FULL = TokenInput(max_length=512, unit="wordpiece", vocabulary_limit=30_522)

NAMED = 12_000
"""About how many texts the recipes of classifiers are meant for: the embedded names."""
NAMES = Recipe(
    epochs=6, batch_size=64, lr=3e-3, weight_decay=0.05, betas=(0.9, 0.99), schedule="onecycle", warmup=0.15, clip=1.0
)
LARGE = Recipe(epochs=20, batch_size=64, lr=1e-4, weight_decay=0.01, warmup=0.1, clip=1.0)
# Devlin et al. 2019, appendix A.3
FINE_TUNING = Recipe(epochs=3, batch_size=32, lr=5e-5, weight_decay=0.01, warmup=0.1, clip=1.0, items=5_000)

LANGUAGES = (
    *("cs", "da", "de", "en", "es", "fi", "fr", "hr", "hu", "id"),
    *("it", "lt", "nl", "pl", "pt", "ro", "sv", "sw", "tr", "vi"),
)
"""The classes of the embedded names."""

TEXT_HEADS = tuple(f"network.{name}." for name in ("classifier", "pre_classifier", "score", "pooler", "head", "dense"))
"""What heads of the library's classifiers of texts are called."""
WHICHEVER = "its architecture is that of the encoder in a folder or on the hub"


def _classifier(name: str, summary: str, *, paper: str, parameters: int, input: TokenInput = FULL) -> ModelSpec:
    recipe = NAMES if input is TINY else LARGE
    return ModelSpec(
        name=name,
        task="text-classification",
        builder=f"zoo_huggingface.model:{name}",
        trainer="text-classification",
        needs=("vocabulary_size", "num_classes"),
        input=input,
        head=("head.",),
        recipes={"names": recipe, "default": replace(recipe, items=NAMED), "finetune": FINE_TUNING},
        aliases=("bert",) if input is TINY else (),
        extra="huggingface",
        sources="zoo_huggingface.sources:text_encoder",
        summary=summary,
        paper=paper,
        licence="Apache-2.0",
        parameters=parameters,
    )


def _embedder(name: str, summary: str, *, parameters: int, input: TokenInput) -> ModelSpec:
    recipe = NAMES if input.max_length == TINY.max_length else LARGE
    return ModelSpec(
        name=name,
        task="text-embedding",
        builder=f"zoo_huggingface.model:{name}",
        trainer="contrastive",
        needs=("vocabulary_size",),
        input=input,
        recipes={"names": recipe, "default": replace(recipe, items=NAMED), "finetune": FINE_TUNING},
        aliases=("sentence_bert",) if recipe is NAMES else (),
        extra="huggingface",
        sources="zoo_huggingface.sources:text_encoder",
        summary=summary,
        paper=REIMERS,
        conformance={"overfits": "its loss has a floor: the logarithm of how many texts of a batch share a label"},
        licence="Apache-2.0",
        parameters=parameters,
    )


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """For classes and for embeddings: small and published sizes, and whichever encoder somebody has trained."""
    tiny = _classifier("bert_tiny", "BERT of 2 layers, 64 wide", paper=DEVLIN, parameters=127_828, input=TINY)
    yield tiny
    yield _classifier("bert_base", "BERT as published: 12 layers, 768 wide", paper=DEVLIN, parameters=108_907_028)
    yield _classifier("distilbert_base", "DistilBERT as published: 6 layers", paper=SANH, parameters=66_378_260)
    yield replace(
        tiny,
        name="encoder",
        builder="zoo_huggingface.model:encoder",
        needs=("architecture", "num_classes"),
        input=FULL,
        recipes={"finetune": FINE_TUNING},
        aliases=(),
        from_weights=WHICHEVER,
        summary="any encoder of transformers, with a new head",
        parameters=None,
    )
    small = _embedder(
        "sentence_bert_tiny",
        "the mean over a BERT of 2 layers, 64 wide",
        parameters=126_528,
        input=replace(TINY, embedding=64),
    )
    yield small
    yield _embedder(
        "sentence_bert_base",
        "the mean over BERT as published",
        parameters=108_891_648,
        input=replace(FULL, embedding=768),
    )
    yield replace(
        small,
        name="sentence_encoder",
        builder="zoo_huggingface.model:sentence_encoder",
        needs=("architecture",),
        input=FULL,
        recipes={"finetune": FINE_TUNING},
        aliases=(),
        from_weights=WHICHEVER,
        summary="the mean over any encoder of transformers, as MiniLM",
        parameters=None,
    )
    yield replace(
        tiny,
        name="text_classifier",
        builder="zoo_huggingface.model:text_classifier",
        needs=("architecture", "num_classes"),
        input=FULL,
        head=TEXT_HEADS,
        recipes={"finetune": FINE_TUNING},
        aliases=(),
        sources="zoo_huggingface.sources:find",
        from_weights="its architecture is that of the classifier in a folder or on the hub",
        summary="any classifier of texts of transformers, with its own head",
        parameters=None,
    )
    yield from _of_pictures()
    yield from catalogue()


def _of_pictures() -> Iterable[ModelSpec]:
    """Whatever network for pictures somebody has trained with transformers."""
    classifier = ModelSpec(
        name="image_classifier",
        task="image-classification",
        builder="zoo_huggingface.pictures:image_classifier",
        trainer="classification",
        needs=("architecture", "num_classes"),
        input=ImageInput(size=(224, 224)),
        head=heads(),
        recipes={"finetune": WITHOUT["finetune"]},
        extra="huggingface",
        sources="zoo_huggingface.sources:find",
        from_weights="its architecture is that of the network in a folder or on the hub",
        summary="any classifier of pictures of transformers",
        licence="Apache-2.0",
    )
    yield classifier
    yield replace(
        classifier,
        name="segmenter",
        task="semantic-segmentation",
        builder="zoo_huggingface.pictures:segmenter",
        trainer="segmentation",
        recipes={"finetune": SCENES},
        summary="any segmenter of transformers",
    )
    yield replace(
        classifier,
        name="detector",
        task="object-detection",
        builder="zoo_huggingface.pictures:detector",
        trainer="detr",
        adapter="zoo_huggingface.detection:DetectorAdapter",
        recipes={"finetune": SCENES},
        export=DETECTION_EXPORT,
        summary="any detector of transformers",
    )


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """How the detectors learn."""
    yield TrainerSpec(
        name="detr",
        task="object-detection",
        trainer="zoo_huggingface.detection:DetectionTrainer",
        extra="huggingface",
        summary="the losses that transformers brings: a Hungarian assignment, classes, boxes",
    )


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Trained on the embedded names by zoo itself; the metrics are of the names held out for testing."""
    yield WeightsSpec(
        model="bert_tiny",
        tag="names",
        licence="Apache-2.0; trained on CLDR names under Unicode-3.0",
        sha256="195402d81da3bc5dc1a8dc48974ab86fba33700c61c450e6a9ee9ab4a5d3e0cf",
        resource="zoo_huggingface:weights/bert_tiny-names.safetensors",
        size=263_264,
        classes=LANGUAGES,
        vocabulary="zoo_huggingface.names:PIECES",
        facts={
            "tokenizer": {
                "lowercase": False,
                "strip_accents": False,
                "chinese": True,
                "unknown": 1,
                "first": [2],
                "last": [3],
            }
        },
        metrics={"accuracy": 0.7693, "macro_f1": 0.7548},
        data="names",
        recipe="zoo train bert_tiny --threads 1; packed with --dtype float16",
    )
