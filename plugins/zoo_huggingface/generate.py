"""Writes cards.json from `architectures` and `text_architectures`: `python -m zoo_huggingface.generate`.

It holds what the installed library builds from them.  The plugin reads this file instead of the library, so that
listing models imports nothing heavy.  A test compares it with the installed library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoConfig

from zoo_huggingface.architectures import CLASSIFIERS, PREPARED, Config
from zoo_huggingface.cards import CARDS
from zoo_huggingface.model import SPECIAL, Classifier
from zoo_huggingface.pictures import KINDS
from zoo_huggingface.scene_architectures import DETECTORS, SEGMENTERS
from zoo_huggingface.text_architectures import ENCODERS, NOT_AVAILABLE, NOT_EXPORTABLE

TASKS: Final = {
    "image-classification": CLASSIFIERS,
    "object-detection": DETECTORS,
    "semantic-segmentation": SEGMENTERS,
    "text-classification": ENCODERS,
}
CLASSES: Final = {
    "image-classification": 1000,
    "object-detection": 91,
    "semantic-segmentation": 150,
    "text-classification": 20,
}
"""The published networks' numbers; of text the embedded names'."""
MICRO_CLASSES: Final = {"object-detection": 10, "semantic-segmentation": 11, "image-classification": 10}
"""Of the sizes of our own: those of the embedded data."""
VOCABULARY: Final = 30_522
MICRO_VOCABULARY: Final = 800
USUAL_SIDE, MICRO_SIDE = 224, 64
MULTIPLES: Final = {"pvt": 32, "pvt_v2": 32, "hiera": 32, "levit": 32, "swiftformer": 32, "cvt": 16, "mobilevit": 32}
RESIZABLE: Final = ("dinov2", "dinov2_with_registers")
"""They interpolate their positions; their pictures have other sizes than the positions were learnt at."""


def main() -> None:
    """Write the file."""
    CARDS.write_text(as_text([card(task, family, name) for task, family, name in names()]), encoding="utf-8")
    print(f"wrote {CARDS} with transformers {version('transformers')}")


def as_text(cards: list[dict[str, Any]]) -> str:
    """JSON with one line for each model, so that changes read well."""
    return '{"models": [\n' + ",\n".join(json.dumps(card) for card in cards) + "\n]}\n"


def names() -> list[tuple[str, str, str]]:
    """Task, family and name of every model."""
    return [
        (task, family, name) for task, families in TASKS.items() for family, sizes in families.items() for name in sizes
    ]


def card(task: str, family: str, name: str) -> dict[str, Any]:
    """One model."""
    config = TASKS[task][family][name]
    if task == "text-classification":
        return _text_card(family, name, config)
    prepared = config.get("prepared") or PREPARED[family]
    config = {key: value for key, value in config.items() if key != "prepared"}
    if prepared.get("bgr"):
        config = {**config, "bgr": True}
    micro = name.endswith("_micro")
    classes = MICRO_CLASSES[task] if micro else CLASSES[task]
    model, other = (_on_meta(task, family, config, num_classes=number) for number in (classes, classes + 3))
    own = _sized(task, family, config)
    size = prepared.get("size") or (
        own if own and family not in RESIZABLE else [MICRO_SIDE if micro else USUAL_SIDE] * 2
    )
    return {
        "name": name,
        "task": task,
        "family": family,
        "config": config,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "head": _head(model, other),
        "sized": bool(own) and family not in RESIZABLE,
        "multiple": MULTIPLES.get(family) or _patch(model),
        "batch_norm": any(isinstance(module, nn.BatchNorm2d) for module in model.modules()),
        "input": _input(prepared, size, task),
    }


def _text_card(family: str, name: str, config: Config) -> dict[str, Any]:
    micro = name.endswith("_micro")
    size = MICRO_VOCABULARY if micro else VOCABULARY
    facts: dict[str, Any] = {"parameters": None}
    if family not in NOT_AVAILABLE:
        with torch.device("meta"):
            model = Classifier({"model_type": family, **SPECIAL, **config, "vocab_size": size}, num_classes=20)
        facts = {"parameters": sum(parameter.numel() for parameter in model.parameters())}
    return {
        "name": name,
        "task": "text-classification",
        "family": family,
        "config": dict(config),
        **facts,
        "head": ["head."],
        "max_length": 128 if micro else 512,
        "not_available": NOT_AVAILABLE.get(family, ""),
        "not_exportable": NOT_EXPORTABLE.get(family, ""),
    }


def _on_meta(task: str, family: str, config: Config, *, num_classes: int) -> nn.Module:
    """The network without memory."""
    with torch.device("meta"):
        return KINDS[task]({"model_type": family, **config}, num_classes=num_classes)


def _head(model: nn.Module, other: nn.Module) -> list[str]:
    """The layers whose parameters have another shape for another number of classes."""
    shapes = {name: tensor.shape for name, tensor in other.state_dict().items()}
    changed = [name for name, tensor in model.state_dict().items() if tensor.shape != shapes[name]]
    return sorted({f"{name.rpartition('.')[0]}." for name in changed})


def _sized(task: str, family: str, config: Config) -> list[int]:
    """Height and width that a configuration names; empty where it names none."""
    names = {key: value for key, value in config.items() if key not in ("bgr", "prepared")}
    size = getattr(AutoConfig.for_model(family, **names), "image_size", None)
    if size is None or (task == "semantic-segmentation" and family == "segformer"):
        return []
    return [size, size] if isinstance(size, int) else list(size)


def _patch(model: nn.Module) -> int:
    """Pixels that height and width must be multiples of; 1 where patches say nothing."""
    config: Any = getattr(model, "network").config  # noqa: B009  only pictures' networks have one
    size = getattr(config, "patch_size", 1)
    return size if isinstance(size, int) else 1


def _input(prepared: Mapping[str, Any], size: list[int], task: str) -> dict[str, Any]:
    crop = prepared["crop"] if task == "image-classification" else None
    return {
        "size": size,
        "resize": None if crop is None else int(min(size) / crop),
        "interpolation": prepared["interpolation"],
        "mean": prepared["mean"],
        "std": prepared["std"],
    }


if __name__ == "__main__":
    main()
