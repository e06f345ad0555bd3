"""Inputs for measuring models on pictures: raw ones for pipeline.onnx, ready ones for model.onnx.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, count, cycle, islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.problem import ImageInput
from zoo.api.task import Case, Item, Purpose
from zoo.data.formats.embedded import DIGITS, TURNED, digits_card
from zoo.data.formats.masks.layouts import SCENES
from zoo.data.formats.splits import place
from zoo.data.image import synthetic
from zoo.data.image.pillow import fitted, normalised
from zoo.data.image.reading import Pixels, reader

Truth = Callable[[Any, Pixels], Any]
"""What the data say the answer is, from a sample and its pixels; None where they say nothing."""
Read = Callable[[Any], Pixels]
"""A sample's picture, uint8 [height, width, 3]."""

TINT: Final = np.array([1.0, 0.7, 0.45])
GOLDEN_ITEMS: Final = 3
GOLDEN_PIXELS: Final = 1_000_000
"""Larger pictures are not packed into bundles."""


def picture_cases(
    card: DataCard | None,
    image: ImageInput,
    purpose: Purpose,
    *,
    truth: Truth,
    limit: int,
    embedded: bool = False,
    read: Read | None = None,
) -> Iterator[Case]:
    """At most `limit` cases; with `embedded`, those of the embedded digits where there is no card.

    A task with data of its own gives `read`; its samples need a `name`.

    Args:
        card: The data; None for synthetic and embedded pictures alone.
        image: The model's input.
        purpose: What the cases are for.
        truth: A sample to its true answer.
        limit: The most cases.
        embedded: Take embedded digits where there is no card.
        read: A sample to its picture, uint8 [height, width, 3].

    Returns:
        Cases: for a pipeline `image` uint8 [height, width, 3], for a model float32 [1, channels, height, width].

    Examples:
        >>> image = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.13,), std=(0.31,))
        >>> case, *_ = zoo.picture_cases(None, image, zoo.Purpose.MODEL, truth=str, limit=3)
        >>> case.inputs["input"].shape
        (1, 1, 28, 28)
    """
    if card is None and embedded:
        card = digits_card(DataSource(request=DataRequest(source=DIGITS), format=DIGITS))
    data = _Pictures(card=card, truth=truth, read=read or (reader(card) if card else None))
    by_purpose = {
        Purpose.PIPELINE: lambda: _pipeline(data, image),
        Purpose.MODEL: lambda: _model(data, image),
        Purpose.EVALUATION: lambda: _items(data),
        Purpose.GOLDEN: lambda: _golden(data, image),
    }
    return islice(by_purpose[purpose](), limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pictures:
    """The data's own pictures, if there are any."""

    card: DataCard | None
    truth: Truth
    read: Read | None


NONE: Final = _Pictures(card=None, truth=lambda _sample, _pixels: None, read=None)


def _items(data: _Pictures) -> Iterator[Case]:
    """Items of the test split, or of validation where there is none, in the order of their hashes."""
    card, read = data.card, data.read
    if card is None or read is None:
        return
    split: Split = "test" if card.splits.get("test") else "validation"
    prefix = f"embedded {card.source.format}, " if card.source.format in (DIGITS, TURNED, SCENES) else ""
    for sample in sorted(card.splits[split], key=lambda sample: place(sample.name)):
        pixels = read(sample)
        yield Case(
            name=sample.name.replace("/", "-"),
            kind="realistic",
            inputs={"image": pixels},
            truth=data.truth(sample, pixels),
            origin=prefix + sample.name,
            item=Item(card=card, split=split, sample=sample),
        )


def _raw(name: str, pixels: Pixels, *, kind: str = "realistic", gates: bool = True) -> Case:
    return Case(name=name, kind=kind, inputs={"image": pixels}, gates=gates, origin="synthetic")


def _pipeline(data: _Pictures, image: ImageInput) -> Iterator[Case]:
    """Two colour pictures of other sizes than the model's, one of the data's own, then pictures as files give them.

    The first six cover every kind.
    """
    side = image.resize or max(image.size)
    own = _items(data)
    yield _raw("landscape", synthetic.scene(side * 4 // 3 + 1, side * 19 // 10 + 3, seed=1))
    yield _raw("portrait", synthetic.scene(side * 21 // 10 + 1, side * 9 // 10 + 2, seed=2))
    yield from islice(own, 1)
    yield _raw("transparent", synthetic.transparent(side // 3 + 2, side // 2 + 1, seed=5), kind="alpha, upscaled")
    yield _raw("turned", synthetic.turned(side + 3, side * 3 // 2, seed=6), kind="exif")
    yield _raw("strip", synthetic.grey(side // 3 + 4, side * 3 + 5, seed=8), kind="grey, extreme aspect")
    yield _raw("exact", synthetic.scene(*image.size, seed=7), kind="exact size")
    yield from islice(own, 1)
    yield _raw("noise", synthetic.noise(side + 31, side + 17, seed=9), kind="noise", gates=False)


def _ready(name: str, levels: npt.NDArray[Any], image: ImageInput, *, kind: str, gates: bool = True) -> Case:
    return Case(name=name, kind=kind, inputs={"input": normalised(levels, image)}, gates=gates, origin="synthetic")


def _model(data: _Pictures, image: ImageInput) -> Iterator[Case]:
    """Realistic, uniform and smooth inputs gate; the others only inform."""
    height, width = image.size
    real = [
        Case(name=case.name, kind=case.kind, inputs={"input": normalised(fitted(case.inputs["image"], image), image)},
             truth=case.truth, origin=case.origin)
        for case in islice(_items(data), 3)
    ]  # fmt: skip

    def fit(pixels: Pixels) -> npt.NDArray[np.uint8]:
        return pixels[..., : image.channels]

    def scene_case(seed: int) -> Case:
        return _ready(f"scene-{seed}", fit(synthetic.scene(height, width, seed=seed)), image, kind="realistic")

    real += [scene_case(seed) for seed in range(3 - len(real))]
    for number, case in enumerate(real):
        yield case
        if number < 2:
            uniform = fit(synthetic.noise(height, width, seed=20 + number))
            yield _ready(f"uniform-{number}", uniform, image, kind="uniform")
            yield _ready(f"smooth-{number}", fit(synthetic.smooth(height, width, seed=number)), image, kind="smooth")
    shape = (1, image.channels, height, width)
    board = np.indices((height, width)).sum(0)[..., None] % 2 * np.full(image.channels, 255)
    yield _ready("checkerboard", board, image, kind="checkerboard", gates=False)
    loud = np.random.default_rng(30).normal(0, 10, shape)
    extremes = {"zeros": np.zeros(shape), "ones": np.ones(shape), "constant": np.full(shape, 2.64), "loud": loud}
    for name, values in extremes.items():
        inputs = {"input": values.astype(np.float32)}
        yield Case(name=name, kind=name, inputs=inputs, gates=False, origin="synthetic")


def rescaled_cases(contents: Iterable[Case], image: ImageInput) -> Iterator[Case]:
    """Raw cases that are strongly shrunk and enlarged on their way to the model, by turns, one of each content.

    Runtimes differ most in how they resize, and nothing tells them apart but a picture of another size.
    """
    size = image.size if image.resize is None else (image.resize, image.resize)
    for number, (case, kind) in enumerate(zip(contents, cycle(("shrunk", "enlarged")), strict=False)):
        change = synthetic.to_be_shrunk if kind == "shrunk" else synthetic.to_be_enlarged
        name = f"strongly {kind}" if number < 2 else f"strongly {kind}, {number // 2 + 1}"
        yield replace(_raw(name, change(_coloured(case.inputs["image"]), size), kind=kind), origin=case.origin)


def _coloured(pixels: Pixels) -> Pixels:
    """The picture; a grey one tinted, so that swapped channels are noticed."""
    if np.array_equal(pixels[..., 0], pixels[..., 2]):
        return np.asarray(pixels * TINT, dtype=np.uint8)
    return pixels


def _golden(data: _Pictures, image: ImageInput) -> Iterator[Case]:
    """A shrunk and an enlarged picture, and up to three of the data's own that are not too large.

    Without data there are many synthetic ones, shrunk and enlarged by turns, from which to choose.
    """
    few = islice(_items(data), 10 * GOLDEN_ITEMS)
    small = (case for case in few if case.inputs["image"].shape[0] * case.inputs["image"].shape[1] <= GOLDEN_PIXELS)
    items = list(islice(small, GOLDEN_ITEMS))
    yield from rescaled_cases(islice(chain(items, synthetic_contents(image)), 2 if items else None), image)
    yield from items


def synthetic_contents(image: ImageInput) -> Iterator[Case]:
    """Scenes of many colours and shapes, about as large as the model's input, without end."""
    side = image.resize or max(image.size)
    return (_raw(f"scene {seed}", synthetic.scene(side, side * 6 // 5, seed=seed)) for seed in count(11))
