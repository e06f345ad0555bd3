"""How the answer of an embedding task is made, as data; the module in `postprocess.py` takes its number from here."""

from __future__ import annotations

from typing import Final

from zoo.api.postprocess import PostprocessKind, PostprocessStep

MIN_LENGTH: Final = 1e-12
"""A shorter vector has no direction; it is divided by this, and stays short instead of becoming NaN."""
STEPS: Final = (PostprocessStep(kind=PostprocessKind.UNIT_LENGTH, numbers={"min_length": MIN_LENGTH}),)
