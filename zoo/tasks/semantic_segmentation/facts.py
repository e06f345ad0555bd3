"""What everything about class maps shares.  Torch-free."""

from __future__ import annotations

from typing import Final

from zoo.api.problem import Problem

IGNORE: Final = 255
"""The value in a mask of pixels whose class is left open."""
FITS: Final = 255
"""Up to so many classes an answer is uint8, as a mask with its 255 is; above, int64."""


def answer_dtype(problem: Problem) -> str:
    """numpy's name of the type of `classes`."""
    return "uint8" if len(problem.classes) <= FITS else "int64"
