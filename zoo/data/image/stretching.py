"""The image input of tasks that answer in places of the picture, from which nothing may be cropped away."""

from __future__ import annotations

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Problem


def stretched(problem: Problem) -> ImageInput:
    """The image input, refused where it would crop."""
    if problem.image.resize is not None:
        raise UsageError(
            f"the image input crops to {problem.image.size} after resizing to {problem.image.resize}",
            hint="an input in whose places answers lie stretches: leave `resize` away",
        )
    return problem.image
