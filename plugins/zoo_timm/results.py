"""What timm's own tables say: `results/` of its repository, which the installed package does not have.

Accuracy on ImageNet's validation pictures by set of weights, multiply-adds and activations by architecture.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCURACY = "results-imagenet.csv"
COSTS = "benchmark-infer-*.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The tables by name and by the side of the pictures; a name with its tag is "resnet10t.c3_in1k"."""

    accuracy: dict[tuple[str, int], dict[str, float]]
    """top1 and top5, in 0..1."""
    costs: dict[tuple[str, int], dict[str, float]]
    """gmacs and macts: billions of multiply-adds, millions of activations; of an architecture, without tag."""


def read_results(folder: Path) -> Results:
    """The tables of a folder."""
    accuracy = {
        (row["model"], int(row["img_size"])): {
            "top1": round(float(row["top1"]) / 100, 5),
            "top5": round(float(row["top5"]) / 100, 5),
        }
        for row in _rows(folder / ACCURACY)
    }
    costs = {
        (row["model"].partition(".")[0], int(row["infer_img_size"])): {
            "gmacs": float(row["infer_gmacs"]),
            "macts": float(row["infer_macts"]),
        }
        for path in sorted(folder.glob(COSTS))
        for row in _rows(path)
        if row.get("infer_gmacs")
    }
    return Results(accuracy=accuracy, costs=costs)


def stored_results(cards: list[dict[str, Any]]) -> Results:
    """The same numbers from cards that were written before."""
    accuracy = {
        (f"{card['name']}.{weights['tag']}".rstrip("."), _side(card, weights)): weights["metrics"]
        for card in cards
        for weights in card["weights"]
        if "metrics" in weights
    }
    costs = {
        (card["name"], _side(card, {})): {"gmacs": card["gmacs"], "macts": card["macts"]}
        for card in cards
        if "gmacs" in card
    }
    return Results(accuracy=accuracy, costs=costs)


def _side(card: dict[str, Any], weights: dict[str, Any]) -> int:
    size: list[int] = weights.get("input", {}).get("size", card["input"]["size"])
    return size[0]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
