"""All architectures of timm, read from cards.json; torch-free and timm-free."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from zoo import ImageInput, ModelSpec, WeightsSpec, hookimpl
from zoo_timm.classes import SUBSETS, reference
from zoo_timm.families import recipes, summary

ZOO_API = 2

CODE_LICENCE = "Apache-2.0"
NO_LICENCE = "none stated by timm"


@hookimpl
def zoo_models() -> list[ModelSpec]:
    """One model for each architecture."""
    return [_model(card) for card in cards()]


@hookimpl
def zoo_weights() -> list[WeightsSpec]:
    """Every set of weights on the hub or at an address with a hash; those without classes are for fine-tuning."""
    return [
        _weights(card, weights)
        for card in cards()
        for weights in card["weights"]
        if "hub" in weights or "url" in weights
    ]


@cache
def cards() -> list[dict[str, Any]]:
    """What `generate.py` wrote."""
    document = json.loads(Path(__file__).with_name("cards.json").read_text(encoding="utf-8"))
    models: list[dict[str, Any]] = document["models"]
    return models


@cache
def sized_names() -> frozenset[str]:
    """The architectures whose parameters depend on the size of the pictures."""
    return frozenset(card["name"] for card in cards() if card["sized"])


def _model(card: dict[str, Any]) -> ModelSpec:
    return ModelSpec(
        name=card["name"],
        family=card["module"],
        task="image-classification",
        builder=f"zoo_timm.model:{card['name']}",
        features="zoo_timm.features:feature_maps",
        trainer="classification",
        input=_input(card, {}),
        needs=("num_classes", "image_size") if card["sized"] else ("num_classes",),
        head=tuple(card["head"]),
        recipes=recipes(card["module"], batch_norm=card["batch_norm"]),
        extra="timm",
        sources="zoo_timm.hub:find",
        yields=1,
        summary=summary(card["module"]),
        licence=CODE_LICENCE,
        parameters=card["parameters"],
        gflops=card["gmacs"],
    )


def _weights(card: dict[str, Any], weights: dict[str, Any]) -> WeightsSpec:
    return WeightsSpec(
        model=card["name"],
        tag=weights["tag"],
        licence=weights.get("licence", NO_LICENCE),
        sha256=weights.get("sha256", ""),
        url=weights.get("url", ""),
        hub=weights.get("hub", ""),
        input=_input(card, weights.get("input", {}), stretch=weights.get("crop") == "squash"),
        classes=reference(weights["classes"]),
        optional=() if weights["classes"] in SUBSETS else tuple(card["head"]),
        metrics=weights.get("metrics", {}),
        data="ImageNet-1K validation, by timm" if "metrics" in weights else "",
        recipe=weights.get("paper", ""),
    )


def _input(card: dict[str, Any], changed: dict[str, Any], *, stretch: bool = False) -> ImageInput:
    values = card["input"] | changed
    return ImageInput(
        size=tuple(values["size"]),
        resize=values["resize"],
        stretch=stretch and values["resize"] is not None,
        interpolation=values["interpolation"],
        mean=tuple(values["mean"]),
        std=tuple(values["std"]),
        min_size=card["min_size"] or 32,
        multiple=card["patch"],
        fixed_size=card["fixed"],
    )
