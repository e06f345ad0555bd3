"""The specs of the catalogue's models, from its cards; torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from zoo import Augment, ExportSpec, ImageInput, ModelSpec, Recipe, TokenInput
from zoo_huggingface.cards import Card, cards

LICENCE: Final = "Apache-2.0"
PHOTOS: Final = Augment(shift=0.1, scale=0.2, flip=True, color=0.2)
WITH_BATCH_NORM: Final = {
    "default": Recipe(
        epochs=16, batch_size=64, lr=2e-3, schedule="onecycle", warmup=0.15, label_smoothing=0.1, ema=0.999,
        augment=PHOTOS, items=300,
    ),
    "finetune": Recipe(
        epochs=15, batch_size=32, lr=1e-3, backbone_lr=0.1, warmup=0.1, label_smoothing=0.1, augment=PHOTOS, items=300
    ),
}  # fmt: skip
WITHOUT: Final = {
    "default": replace(WITH_BATCH_NORM["default"], lr=3e-4, weight_decay=0.05, warmup=0.25, clip=1.0),
    "finetune": replace(WITH_BATCH_NORM["finetune"], lr=3e-4, weight_decay=0.05, clip=1.0),
}
SCENES: Final = Recipe(
    epochs=40, batch_size=16, lr=3e-4, backbone_lr=0.1, weight_decay=1e-4, warmup=0.1, clip=0.1,
    augment=Augment(shift=0.1, scale=0.2, flip=True, color=0.2), items=1_000,
)  # fmt: skip
"""Carion et al. 2020, at a batch that one machine holds."""
TEXTS: Final = Recipe(epochs=20, batch_size=64, lr=1e-4, weight_decay=0.01, warmup=0.1, clip=1.0, items=12_000)
FINE_TUNING: Final = Recipe(epochs=3, batch_size=32, lr=5e-5, weight_decay=0.01, warmup=0.1, clip=1.0, items=5_000)
"""Devlin et al. 2019, appendix A.3."""
DETECTION_EXPORT: Final = ExportSpec(declared_arithmetic=("boxes", "scores", "labels"))
NOT_EXPORTABLE: Final = {"d_fine": "its exported file computes no finite boxes where PyTorch does"}
"""By family of the detectors; those of texts stand on their cards."""
ABOUT: Final = {
    "image-classification": "a classifier of pictures",
    "object-detection": "a detector",
    "semantic-segmentation": "a segmenter",
    "text-classification": "an encoder of texts, with a head on its first token,",
}


def catalogue() -> Iterator[ModelSpec]:
    """A model for each card."""
    for card in cards().values():
        yield text_model(card) if card["task"] == "text-classification" else picture_model(card)


def _common(card: Card) -> Mapping[str, Any]:
    size = "in a size of our own, for small data" if card["name"].endswith("_micro") else "in a published size"
    return {
        "name": card["name"],
        "task": card["task"],
        "family": card["family"].replace("-", "_"),
        "extra": "huggingface",
        "yields": 2,
        "summary": f"{ABOUT[card['task']]} of transformers' family {card['family']}, {size}",
        "licence": LICENCE,
        "parameters": card["parameters"],
        "head": tuple(card["head"]),
    }


def text_model(card: Card) -> ModelSpec:
    """An encoder with a head."""
    limit = 800 if card["name"].endswith("_micro") else 30_522
    return ModelSpec(
        **_common(card),
        builder=f"zoo_huggingface.model:{card['name']}",
        trainer="text-classification",
        needs=("vocabulary_size", "num_classes"),
        input=TokenInput(max_length=card["max_length"], unit="wordpiece", vocabulary_limit=limit),
        recipes={"default": TEXTS, "finetune": FINE_TUNING},
        sources="zoo_huggingface.sources:text_encoder",
        not_available=card["not_available"],
        export=ExportSpec(not_exportable=card["not_exportable"]),
    )


def picture_model(card: Card) -> ModelSpec:
    """A network for pictures."""
    task = card["task"]
    scenes = {"default": SCENES, "finetune": SCENES}
    return ModelSpec(
        **_common(card),
        builder=f"zoo_huggingface.pictures:{card['name']}",
        trainer={"image-classification": "classification", "semantic-segmentation": "segmentation"}.get(task, "detr"),
        needs=("num_classes", "image_size") if card["sized"] else ("num_classes",),
        input=image_input(card),
        adapter="zoo_huggingface.detection:DetectorAdapter" if task == "object-detection" else None,
        recipes=(WITH_BATCH_NORM if card["batch_norm"] else WITHOUT) if task == "image-classification" else scenes,
        sources="zoo_huggingface.sources:picture_network",
        export=replace(DETECTION_EXPORT, not_exportable=NOT_EXPORTABLE.get(card["family"], ""))
        if task == "object-detection"
        else ExportSpec(),
    )


def image_input(card: Card) -> ImageInput:
    """How pictures become the input of a card's network."""
    values = card["input"]
    return ImageInput(
        size=tuple(values["size"]),
        resize=values["resize"],
        crop_rounding="down",
        interpolation=values["interpolation"],
        mean=tuple(values["mean"]),
        std=tuple(values["std"]),
        min_size=32,
        multiple=card["multiple"],
    )
