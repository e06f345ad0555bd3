"""The class of every pixel, from an index mask's file or from regions that are drawn.  Torch-free."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL
from PIL import Image

from zoo.api.problem import Json
from zoo.data.formats.detection.regions import drawn_region
from zoo.data.formats.inspection import Facts
from zoo.data.formats.masks.masks import PLAIN, Colour, MaskCoding, Shape
from zoo.data.formats.pictures.decode import decode_error

Pixels = npt.NDArray[np.uint8]

VERSION = f"index masks 3, Pillow {PIL.__version__}"
MASK_FIX = "save it as a PNG of one channel (mode P or L) whose pixels are class numbers, 255 where left open"
MOST_COLOURS = 256
"""Of a mask; a picture has more."""
_LOSSY = frozenset({"JPEG", "WEBP", "JPEG2000", "AVIF"})


def read_mask(path: Path, coding: MaskCoding = PLAIN) -> Pixels:
    """uint8 [height, width] of class numbers; ValueError says why a file is no mask."""
    levels, palette = _decoded(path.read_bytes(), path)
    if coding.colours:
        colours = levels if levels.ndim == 3 else palette[levels]
        return _by_colour(colours, coding.colours, path)
    if levels.ndim == 3:
        raise ValueError(f"{path} is a colour picture, and nothing says which class a colour is")
    table = np.arange(256, dtype=np.uint8)
    for level, label in coding.levels:
        table[level] = label
    return table[levels]


def _by_colour(pixels: Pixels, colours: Iterable[tuple[Colour, int]], path: Path) -> Pixels:
    packed = _packed(pixels)
    classes = np.zeros(packed.shape, np.uint8)
    known = np.zeros(packed.shape, bool)
    for colour, label in colours:
        here = packed == int(_packed(np.array(colour, np.uint8)))
        classes[here] = label
        known |= here
    if not known.all():
        row, column = np.argwhere(~known)[0]
        raise ValueError(f"{path} has the colour {tuple(pixels[row, column].tolist())}, which is no class")
    return classes


def _packed(pixels: Pixels) -> npt.NDArray[np.int32]:
    """One number a colour."""
    return pixels.astype(np.int32) @ np.array([65536, 256, 1], np.int32)


def inspect_mask(path: Path) -> Facts:
    """Size and hash of a mask; `values` are its class numbers, `palette` their colours, `colours` those of RGB."""
    data = path.read_bytes()
    levels, palette = _decoded(data, path)
    facts: dict[str, Json] = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "height": levels.shape[0],
        "width": levels.shape[1],
    }
    if levels.ndim == 3:
        colours, labels = np.unique(_packed(levels), return_inverse=True)
        packed = colours.tolist()
        facts["object_share"] = object_share(labels.reshape(levels.shape[:2])) if len(packed) <= MOST_COLOURS else None
        if len(packed) > MOST_COLOURS:
            raise ValueError(f"{path} is a colour picture (mode RGB, {len(packed):,} colours), not a mask")
        return {**facts, "values": [], "colours": [[n // 65536, n // 256 % 256, n % 256] for n in packed]}
    values = np.unique(levels).tolist()
    facts["object_share"] = object_share(levels)
    return {**facts, "values": values, "palette": palette[values].tolist() if len(palette) else []}


def object_share(labels: npt.NDArray[Any]) -> float | None:
    """The side of the smallest regions as a share of the mask's shorter side; None where all pixels are alike.

    A class of compact regions with the side s has an area of s * s and an outline of 4 * s for each; the class of most
    pixels is taken for the ground.
    """
    areas = np.bincount(labels.reshape(-1))
    outlines = np.zeros(len(areas), np.int64)
    for left, right in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        edge = left != right
        outlines += np.bincount(left[edge], minlength=len(areas)) + np.bincount(right[edge], minlength=len(areas))
    areas[areas.argmax()] = 0
    kinds = np.flatnonzero((areas > 0) & (outlines > 0))
    if not len(kinds):
        return None
    side = float((4 * areas[kinds] / outlines[kinds]).min())
    return float(round(min(side / min(labels.shape), 1.0), 5))


def _decoded(data: bytes, path: Path) -> tuple[Pixels, Pixels]:
    """Levels uint8 [height, width] with a palette [256, 3] or [0, 3], or colours uint8 [height, width, 3]."""
    memory = BytesIO(data)
    try:
        with Image.open(memory) as image:
            image.load()
            kind, mode, values = image.format, image.mode, np.array(image)
            colours = image.getpalette("RGB") if mode == "P" else None
    except Exception as error:  # Pillow's decoders raise whatever they like on damaged files
        raise ValueError(f"{path} {decode_error(memory, error)}") from error
    if kind in _LOSSY:
        raise ValueError(f"{path} is a {kind}, which changes class numbers when it is saved")
    palette = np.zeros((256 if colours else 0, 3), np.uint8)
    if colours:
        palette.reshape(-1)[: len(colours)] = colours[:768]
    if mode in ("RGB", "RGBA") and (mode == "RGB" or bool((values[..., 3] == 255).all())):
        values = values[..., :3]
        return (values[..., 0] if bool((values == values[..., :1]).all()) else values), palette
    if mode not in ("1", "L", "P") and not mode.startswith("I"):
        raise ValueError(f"{path} is a colour picture (mode {mode}), not an index mask")
    if int(values.max()) > 255 or int(values.min()) < 0:
        raise ValueError(f"{path} holds the class number {int(values.max())}; the largest is 254, and 255 is left open")
    return values.astype(np.uint8), palette


def drawn_mask(shapes: Iterable[Shape], height: int, width: int) -> Pixels:
    """Regions drawn one over the other as COCO's own code draws them, uint8 [height, width]; 0 where none is."""
    classes = np.zeros((height, width), np.uint8)
    for label, region in shapes:
        classes[drawn_region(json.loads(region), height, width)] = label
    return classes
