"""Datasets that torchvision downloads by name, as data: which parts each has and how it is asked for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from zoo.api.data import Split
from zoo.api.problem import Json


@dataclass(frozen=True, slots=True)
class NamedDataset:
    """Keywords of the constructor of `torchvision.datasets.NAME` for each split it offers."""

    parts: Mapping[Split, Mapping[str, Json]] = field(
        default_factory=lambda: {"train": {"train": True}, "test": {"train": False}}
    )


def _splits(**names: str) -> NamedDataset:
    known: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}
    return NamedDataset({known[key]: {"split": name} for key, name in names.items()})


NAMED: Final[Mapping[str, NamedDataset]] = {
    "CIFAR10": NamedDataset(),
    "CIFAR100": NamedDataset(),
    "Country211": _splits(train="train", validation="valid", test="test"),
    "DTD": _splits(train="train", validation="val", test="test"),
    "EMNIST": NamedDataset(
        {"train": {"split": "balanced", "train": True}, "test": {"split": "balanced", "train": False}}
    ),
    "FGVCAircraft": _splits(train="train", validation="val", test="test"),
    "FashionMNIST": NamedDataset(),
    "Flowers102": _splits(train="train", validation="val", test="test"),
    "Food101": _splits(train="train", test="test"),
    "GTSRB": _splits(train="train", test="test"),
    "Imagenette": _splits(train="train", test="val"),
    "KMNIST": NamedDataset(),
    "MNIST": NamedDataset(),
    "OxfordIIITPet": _splits(train="trainval", test="test"),
    "RenderedSST2": _splits(train="train", validation="val", test="test"),
    "STL10": _splits(train="train", test="test"),
    "SVHN": _splits(train="train", test="test"),
}
