"""Variations of a model's problem that its spec says it can be built for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean

from zoo.api.problem import ImageInput, Input, LatentInput, Problem
from zoo.api.specs import ModelSpec

SMALL_VOCABULARY = 12


def variants(problem: Problem, spec: ModelSpec) -> Iterator[tuple[str, Problem]]:
    """The problem itself, then others: numbers of classes and tokens, sizes, channels, lengths of latents."""
    yield "as it is", problem
    if "num_classes" in spec.needs:
        for count in (2, 7):
            yield f"{count} classes", replace(problem, classes=tuple(f"class {index}" for index in range(count)))
    if "vocabulary_size" in spec.needs and len(problem.vocabulary) > SMALL_VOCABULARY:
        yield f"{SMALL_VOCABULARY} tokens", replace(problem, vocabulary=problem.vocabulary[:SMALL_VOCABULARY])
    if isinstance(problem.input, LatentInput) and "latent_size" in spec.needs:
        size = problem.input.size // 2 + 1
        yield f"{size} numbers of noise", replace(problem, input=replace(problem.input, size=size))
    image = _picture(problem.input)
    if image is None:
        return
    if not image.fixed_size or "image_size" in spec.needs:
        for height, width in _sizes(image):
            resized = replace(image, size=(height, width), resize=None)
            yield f"{height}x{width} pixels", _with_picture(problem, resized)
    if image.any_channels and "channels" in spec.needs:
        count = 1 if image.channels == 3 else 3
        mean, std = ((fmean(values),) * count for values in (image.mean, image.std))
        yield f"{count} channels", _with_picture(problem, replace(image, channels=count, mean=mean, std=std))


def _picture(input: Input) -> ImageInput | None:
    picture = input.picture if isinstance(input, LatentInput) else input
    return picture if isinstance(picture, ImageInput) else None


def _with_picture(problem: Problem, picture: ImageInput) -> Problem:
    if isinstance(problem.input, LatentInput):
        return replace(problem, input=replace(problem.input, picture=picture))
    return replace(problem, input=picture)


def _sizes(image: ImageInput) -> Iterator[tuple[int, int]]:
    """A smaller square, where the architecture takes one, and a rectangle."""
    height, width = image.size
    smaller = image.nearest((3 * min(height, width) // 4,) * 2)
    if smaller != image.size:
        yield smaller
    yield image.nearest((7 * height // 8, 5 * width // 4))
