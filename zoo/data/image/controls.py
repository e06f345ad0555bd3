"""The sabotages that a proof of a model on pictures is put to."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.api.task import Control, generic_controls


def picture_controls(absent: Mapping[str, str]) -> tuple[Control, ...]:
    """Every generic kind; those in `absent` do not apply, for the reason given."""
    return generic_controls(absent)
