"""The catalogue, as `generate.py` wrote it into cards.json; torch-free and without the library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

CARDS: Final = Path(__file__).with_name("cards.json")
Card = Mapping[str, Any]


@cache
def cards() -> Mapping[str, Card]:
    """Every card by its name."""
    document = json.loads(CARDS.read_text(encoding="utf-8"))
    return {card["name"]: card for card in document["models"]}


@cache
def heads() -> tuple[str, ...]:
    """The prefixes of every head that a network for pictures of the library may have."""
    return tuple(sorted({prefix for card in cards().values() for prefix in card["head"] if prefix != "head."}))
