"""What everything about class maps shares.  Torch-free."""

from __future__ import annotations

from typing import Final

from zoo.api.problem import Problem

MAX_UINT8_CLASSES: Final = 255
"""Up to so many classes an answer is uint8, as a mask with its 255 is; above, int64."""


def answer_dtype(problem: Problem) -> str:
    """numpy's name of the type of `classes`."""
    return "uint8" if len(problem.classes) <= MAX_UINT8_CLASSES else "int64"
