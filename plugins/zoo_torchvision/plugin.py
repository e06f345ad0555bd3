"""All image classifiers of torchvision with all their published weights, read from cards.json, its detectors and its
segmentation networks; torch-free."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from zoo import ImageInput, ModelSpec, TrainerSpec, WeightsSpec, hookimpl
from zoo_torchvision.detection.specs import detectors, trainers
from zoo_torchvision.families import family_name, family_of
from zoo_torchvision.located import located_weights
from zoo_torchvision.not_available import listed_only
from zoo_torchvision.segmentation.specs import own_weights, segmenters

ALIASES = {"resnet18": ("resnet",), "vgg11_bn": ("vgg",), "inception_v3": ("inception",)}
CODE_LICENCE = "BSD-3-Clause"
WEIGHTS_LICENCE = (
    'none stated; torchvision: they "may have their own licenses or terms and conditions derived from the dataset used '
    'for training", and ImageNet is for non-commercial research'
)
SWAG_LICENCE = "CC-BY-NC-4.0"

OPTIONAL = {
    "googlenet@imagenet1k_v1": ("aux1.", "aux2."),
    "inception_v3@imagenet1k_v1": ("AuxLogits.",),
    "vgg16@imagenet1k_features": ("classifier.",),
}
"""Prefixes that a file and the network need not share: auxiliary heads, dense layers left empty."""
REMAPS = {"vgg16@imagenet1k_features": "zoo_torchvision.weights:features"} | {
    f"densenet{depth}@imagenet1k_v1": "zoo_torchvision.weights:densenet" for depth in (121, 161, 169, 201)
}


@hookimpl
def zoo_models() -> list[ModelSpec]:
    """One model for each card, a small VGG, the detectors, the segmenters, and what is only listed."""
    classifiers = [_model(card) for card in _cards()]
    vgg = next(model for model in classifiers if model.name == "vgg11_bn")
    return [*classifiers, _small(vgg), *detectors(), *segmenters(), *listed_only()]


@hookimpl
def zoo_trainers() -> list[TrainerSpec]:
    """How the detectors learn; classifiers and segmenters learn as everybody's do."""
    return list(trainers())


@hookimpl
def zoo_weights() -> list[WeightsSpec]:
    """Every set of weights of each card, those of the detectors and segmenters, and zoo's own."""
    return [
        *(_weights(card, weights) for card in _cards() for weights in card["weights"]),
        *located_weights(),
        *own_weights(),
    ]


@cache
def _cards() -> list[dict[str, Any]]:
    cards: list[dict[str, Any]] = json.loads(Path(__file__).with_name("cards.json").read_text(encoding="utf-8"))[
        "models"
    ]
    return cards


def _model(card: dict[str, Any]) -> ModelSpec:
    name, family = card["name"], family_of(card["name"])
    return ModelSpec(
        name=name,
        task="image-classification",
        builder=f"zoo_torchvision.model:{name}",
        trainer="classification",
        input=_input(card, card["input"]),
        needs=tuple(card["needs"]),
        head=tuple(card["head"]),
        recipes=family.recipes,
        family=family_name(name),
        aliases=ALIASES.get(name, ()),
        summary=family.summary,
        paper=family.paper,
        licence=CODE_LICENCE,
        parameters=card["parameters"],
        gflops=card["gflops"],
    )


def _small(vgg: ModelSpec) -> ModelSpec:
    """vgg11_bn with narrow dense layers: of its 133 million parameters 124 million sit in the published ones."""
    name = "vgg11_bn_small"
    family = family_of(name)
    return replace(
        vgg,
        name=name,
        builder=f"zoo_torchvision.model:{name}",
        recipes=family.recipes,
        aliases=(),
        summary=family.summary,
        parameters=22_847_208,
        gflops=None,
    )


def _weights(card: dict[str, Any], weights: dict[str, Any]) -> WeightsSpec:
    name = f"{card['name']}@{weights['tag']}"
    return WeightsSpec(
        model=card["name"],
        tag=weights["tag"],
        licence=SWAG_LICENCE if "SWAG" in weights["licence"] else WEIGHTS_LICENCE,
        sha256=weights["sha256"],
        url=weights["url"],
        size=weights["size"],
        input=_input(card, weights["input"]),
        classes="zoo_torchvision.imagenet:CLASSES" if weights["labelled"] else (),
        optional=OPTIONAL.get(name, ()),
        metrics=weights["metrics"],
        data="ImageNet-1K validation",
        remap=REMAPS.get(name),
        recipe=weights["recipe"],
    )


def _input(card: dict[str, Any], values: dict[str, Any]) -> ImageInput:
    return ImageInput(
        size=tuple(values["size"]),
        resize=values["resize"],
        interpolation=values["interpolation"],
        mean=tuple(values["mean"]),
        std=tuple(values["std"]),
        min_size=card["min_size"],
        multiple=_step(card["name"]),
        fixed_size="image_size" in card["needs"] and card["name"] != "inception_v3",
    )


def _step(name: str) -> int:
    """What height and width must be multiples of: the patches of a ViT, the windows of MaxViT."""
    if name.startswith("vit_"):
        return int(name.rpartition("_")[2])
    return 224 if name.startswith("maxvit") else 1
