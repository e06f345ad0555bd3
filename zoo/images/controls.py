"""The sabotages that a proof of a model on pictures is put to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from zoo.task import Control

KINDS: Final = ("weight", "scale", "bias", "classes", "normalisation", "channels", "resize", "batch", "training")


def picture_controls(absent: Mapping[str, str]) -> tuple[Control, ...]:
    """Every generic kind; those in `absent` do not apply, for the reason given."""
    return tuple(Control(name=kind, applies=kind not in absent, reason=absent.get(kind, "")) for kind in KINDS)
