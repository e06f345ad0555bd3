"""The weights of networks that say where things are, as published.json lists them; torch-free."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from zoo import WeightsSpec

LICENCE = (
    'none stated; torchvision: they "may have their own licenses or terms and conditions derived from the dataset used '
    "for training\"; COCO's annotations are CC-BY-4.0, its pictures belong to their takers"
)
FIXED = "; measured there with the pictures' own proportions, at 800 to 1333 pixels where the size is not fixed"
WITHOUT_EPS = ("fasterrcnn_resnet50_fpn", "retinanet_resnet50_fpn")
"""Trained with an eps of zero in batch normalisation."""
BACKGROUND_IS_A_CLASS = ("retinanet_resnet50_fpn", "retinanet_resnet50_fpn_v2", "fcos_resnet50_fpn")
"""Detectors that score each class for itself and count the background, which they never find, among them."""
VOC: tuple[str, ...]
COCO: tuple[str, ...]
OBJECTS: tuple[str, ...]


@cache
def _published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
    return found


def __getattr__(name: str) -> tuple[str, ...]:
    """VOC and COCO are class names with the background, OBJECTS are COCO's without; read when somebody asks."""
    kinds = {"VOC": ("voc", 0), "COCO": ("coco", 0), "OBJECTS": ("coco", 1)}
    if name not in kinds:
        raise AttributeError(f"{__name__} has no {name!r}")
    kind, first = kinds[name]
    return tuple(_published()["classes"][kind][first:])


def located_weights() -> Iterator[WeightsSpec]:
    """Every set of weights of the detectors and segmentation networks."""
    for card in _published()["models"]:
        for weights in card["weights"]:
            yield _weights(card, weights)


def _weights(card: dict[str, Any], weights: dict[str, Any]) -> WeightsSpec:
    name, detector = card["name"], card["classes"] == "coco"
    objects = "COCO" if name in BACKGROUND_IS_A_CLASS else "OBJECTS"
    return WeightsSpec(
        model=name,
        tag=weights["tag"],
        licence=LICENCE,
        sha256=weights["sha256"],
        url=weights["url"],
        size=weights["size"],
        classes=f"zoo_torchvision.located:{objects if detector else 'VOC'}",
        metrics=weights["metrics"],
        data=weights["data"] + (FIXED if detector else ""),
        remap=f"zoo_torchvision.weights:{'inside_without_eps' if name in WITHOUT_EPS else 'inside'}",
        recipe=weights["recipe"],
    )
