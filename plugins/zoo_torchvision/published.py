"""What published.json says, from the installed torchvision: its detectors and segmentation networks with their weights.

`zoo_torchvision.generate` writes the file; the plugin reads it instead of torchvision.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torchvision
from torchvision.models import get_model_weights

from zoo_torchvision.detection.specs import CARDS as DETECTORS
from zoo_torchvision.segmentation.specs import CARDS as SEGMENTERS

FILE = Path(__file__).with_name("published.json")
UNUSED = "N/A"
"""What torchvision calls the ten numbers that COCO left out; names of classes are unique, so the number is added."""
METRICS = {"box_map": "map", "miou": "miou", "pixel_acc": "pixel_accuracy"}


def document() -> dict[str, Any]:
    """Everything in published.json."""
    names = [card.name for card in (*DETECTORS, *SEGMENTERS) if not card.name.endswith("_tiny")]
    return {
        "torchvision": torchvision.__version__.partition("+")[0],
        "classes": {"voc": classes("fcn_resnet50"), "coco": classes("ssd300_vgg16")},
        "models": [card(name) for name in sorted(names)],
    }


def as_text(document: dict[str, Any]) -> str:
    """JSON with a line for each model, so that changes read well."""
    models = ",\n".join(json.dumps(model) for model in document["models"])
    head = {key: value for key, value in document.items() if key != "models"}
    return f'{json.dumps(head)[:-1]}, "models": [\n{models}\n]}}\n'


def classes(name: str) -> list[str]:
    """The class names of a model's weights, in index order, the background first."""
    names = get_model_weights(name).DEFAULT.meta["categories"]
    return [f"{name} {index}" if name == UNUSED else name for index, name in enumerate(names)]


def card(name: str) -> dict[str, Any]:
    """One architecture with its weights."""
    weights = get_model_weights(name)
    return {
        "name": name,
        "parameters": weights.DEFAULT.meta["num_params"],
        "gflops": weights.DEFAULT.meta["_ops"],
        "classes": {21: "voc", 91: "coco"}[len(classes(name))],
        "weights": [_weights(entry) for entry in weights if entry.meta["categories"]],
    }


def _weights(weights: Any) -> dict[str, Any]:
    (measured,) = weights.meta["_metrics"].items()
    data, values = measured
    return {
        "tag": weights.name.lower(),
        "url": weights.url,
        "sha256": re.fullmatch(r".*-([0-9a-f]{8,64})\.pth", weights.url)[1],  # type: ignore[index]
        "size": round(weights.meta["_file_size"] * 2**20),
        "data": data,
        "metrics": {METRICS[key]: round(value / 100, 5) for key, value in values.items()},
        "recipe": weights.meta["recipe"],
    }
