"""Test inputs of detectors: scenes, crowds, empty pictures, odd sizes, colours and noise.  Torch-free."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain, cycle, islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, Split
from zoo.api.problem import ImageInput, Problem
from zoo.api.task import Case, Item, Purpose
from zoo.data.formats.detection.layouts import SCENES
from zoo.data.formats.detection.objects import ObjectSample
from zoo.data.image.cases import rescaled_cases, synthetic_contents
from zoo.data.image.reading import Pixels
from zoo.tasks.bases.pictures import PictureData
from zoo.tasks.bases.scenes import resized, tinted
from zoo.tasks.object_detection.facts import max_detections

SEED: Final = 20_20


def cases(
    card: DataCard | None, data: PictureData, problem: Problem, purpose: Purpose, *, limit: int
) -> Iterator[Case]:
    """At most `limit` cases for a purpose; deterministic."""
    if purpose == Purpose.MODEL:
        cases = _model_cases(problem.image)
    elif purpose == Purpose.PIPELINE:
        cases = _raw_cases(card or data.embedded_card(), data, limit=max_detections(problem))
    elif purpose == Purpose.GOLDEN:
        cases = _golden(card, data, problem.image)
    else:
        cases = _items(card, data) if card is not None else iter(())
    return islice(cases, limit)


def _held_out(card: DataCard) -> tuple[Split, list[ObjectSample]]:
    split: Split = "test" if "test" in card.splits else "validation"
    return split, list(card.splits[split])


def _items(card: DataCard, data: PictureData) -> Iterator[Case]:
    """The evaluation split with its truth, in pixels of each picture."""
    split, samples = _held_out(card)
    read = data.reader(card)
    for sample in samples:
        yield Case(
            name=sample.name,
            kind="realistic",
            inputs={"image": read(sample)},
            truth={
                "boxes": np.array(sample.boxes, np.float32).reshape(-1, 4),
                "labels": np.array(sample.labels, np.int64),
                "ignored": np.array([box for box, _ in sample.ignored], np.float32).reshape(-1, 4),
                "ignored_labels": np.array([label for _, label in sample.ignored], np.int64),
            },
            origin=f"{card.source.request.source}, {split} {sample.name.removeprefix(f'{split}/')}",
            item=Item(card=card, split=split, sample=sample),
        )


def _raw_cases(card: DataCard, data: PictureData, *, limit: int) -> Iterator[Case]:
    """Raw pictures of many sizes; the third holds more objects than the answer may, the fourth none."""
    _, samples = _held_out(card)
    read = data.reader(card)
    full = sorted(samples, key=lambda sample: -len(sample.labels))
    origin = card.source.request.source

    def case(name: str, kind: str, image: Pixels, source: str = origin, *, gates: bool = True) -> Case:
        return Case(name=name, kind=kind, inputs={"image": image}, origin=source, gates=gates)

    yield case("scene", "realistic", read(full[0]))
    yield case("tinted scene", "realistic", tinted(resized(read(full[1]), 150, 211)))
    yield case("crowd", "crowd", tinted(_crowd(full, read, limit)))
    yield case("nothing", "empty", _nothing(83, 59), "synthetic")
    yield case("tall", "realistic", tinted(resized(read(full[2]), 233, 71)))
    noise = np.random.RandomState(SEED).randint(0, 256, (120, 160, 3)).astype(np.uint8)
    yield case("noise", "uniform", noise, "synthetic", gates=False)


def _golden(card: DataCard | None, data: PictureData, image: ImageInput) -> Iterator[Case]:
    """A shrunk and an enlarged scene, an empty picture, and three evaluation items.

    Without data the scenes are embedded and synthetic ones; many, from which to choose.
    """
    black = Case(name="black", kind="empty", inputs={"image": _nothing(61, 97)}, origin="synthetic")
    if card is None:
        scenes = rescaled_cases(_scenes(data, image), image)
        yield from chain(islice(scenes, 2), [black], scenes)
        return
    yield from rescaled_cases(islice(_items(card, data), 2), image)
    yield black
    yield from islice(_items(card, data), 3)


def _scenes(data: PictureData, image: ImageInput) -> Iterator[Case]:
    """Embedded scenes with many digits, tinted, and synthetic ones, by turns; without end."""
    embedded = data.embedded_card()
    read = data.reader(embedded)
    full = sorted(_held_out(embedded)[1], key=lambda sample: -len(sample.labels))
    for sample, made in zip(cycle(full), synthetic_contents(image), strict=False):
        for _ in range(2):  # one to be shrunk, one to be enlarged
            origin = f"embedded {SCENES}, tinted"
            yield Case(name="scene", kind="realistic", inputs={"image": tinted(read(sample))}, origin=origin)
        yield made
        yield made


def _nothing(height: int, width: int) -> Pixels:
    return np.zeros((height, width, 3), np.uint8)


def _crowd(samples: list[ObjectSample], read: Callable[[ObjectSample], Pixels], limit: int) -> Pixels:
    """A quarter more objects than `limit`, cropped and put on a grid, each filling its cell."""
    side = math.ceil(math.sqrt(1.25 * limit))
    height, width = (5 * edge // 4 for edge in read(samples[0]).shape[:2])
    whole = np.zeros((height, width, 3), np.uint8)
    cells = ((row, column) for row in range(side) for column in range(side))
    for (row, column), crop in zip(cells, _objects(samples, read), strict=False):
        factor = min(height / side / crop.shape[0], width / side / crop.shape[1])
        shown = resized(crop, max(1, int(crop.shape[0] * factor) - 1), max(1, int(crop.shape[1] * factor) - 1))
        top, left = row * height // side, column * width // side
        whole[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return whole


def _objects(samples: list[ObjectSample], read: Callable[[ObjectSample], Pixels]) -> Iterator[Pixels]:
    """The contents of all boxes, endlessly."""
    for sample in cycle(sample for sample in samples if sample.labels):
        image = read(sample)
        for left, top, right, bottom in sample.boxes:
            crop = image[int(top) : max(int(top) + 1, round(bottom)), int(left) : max(int(left) + 1, round(right))]
            if crop.size:
                yield crop


def _model_cases(image: ImageInput) -> Iterator[Case]:
    """Preprocessed inputs [1, channels, h, w]; uniform and smooth ones gate, the others only inform."""
    height, width = image.size
    random = np.random.RandomState(SEED)
    shape = (1, image.channels, height, width)
    rows, columns = np.arange(height)[:, None] / height, np.arange(width)[None] / width
    phases = np.arange(image.channels)[:, None, None]
    smooth = 0.5 + 0.25 * np.sin(9 * rows + phases) + 0.25 * np.cos(7 * columns - phases)
    squares = ((np.arange(height)[:, None] // 4 + np.arange(width)[None] // 4) % 2).astype(float)

    def case(kind: str, values: npt.NDArray[Any], *, gates: bool) -> Case:
        mean = np.reshape(np.broadcast_to(image.mean, image.channels), (1, -1, 1, 1))
        std = np.reshape(np.broadcast_to(image.std, image.channels), (1, -1, 1, 1))
        ready = ((np.broadcast_to(values, shape) - mean) / std).astype(np.float32)
        return Case(name=kind, kind=kind, inputs={"input": ready}, gates=gates, origin="synthetic")

    yield case("uniform", random.random_sample(shape), gates=True)
    yield case("smooth", smooth[None], gates=True)
    yield case("checkerboard", squares, gates=False)
    yield case("zeros", np.zeros(shape), gates=False)
    yield case("ones", np.ones(shape), gates=False)
