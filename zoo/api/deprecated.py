"""What plugins of API 1 may still use, each with a warning that says what to use instead."""

from __future__ import annotations

from collections.abc import Mapping

from zoo.api.errors import warn_deprecated
from zoo.api.task import Control, generic_controls


def picture_controls(absent: Mapping[str, str]) -> tuple[Control, ...]:
    """Deprecated: `generic_controls` gives the same."""
    warn_deprecated("zoo.picture_controls is deprecated and will be removed; zoo.generic_controls gives the same")
    return generic_controls(absent)
