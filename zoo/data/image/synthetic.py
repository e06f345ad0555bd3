"""Synthetic pictures: edges, gradients, texture and colour, the same on every machine."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from zoo.data.formats.pictures.decode import read_picture

Pixels = npt.NDArray[np.uint8]
MAX_DETAIL = 96
"""Pixels of the longer side of what a large picture shows."""


def scene(height: int, width: int, *, seed: int) -> Pixels:
    """A colour gradient with shapes and a little texture, uint8 [height, width, 3]."""
    random = np.random.default_rng(seed)
    low, high = random.integers(0, 256, (2, 3))
    ramp = (np.linspace(0, 1, height)[:, None] + np.linspace(0, 1, width)[None]) / 2
    picture = Image.fromarray((low + ramp[..., None] * (high - low)).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for number in range(6):
        x, y = random.uniform(0, 0.8, 2) * (width, height)
        right, bottom = (x, y) + random.uniform(0.1, 0.5, 2) * (width, height)
        colour = tuple(int(level) for level in random.integers(0, 256, 3))
        shape = draw.ellipse if number % 2 else draw.rectangle
        shape((int(x), int(y), int(right), int(bottom)), fill=colour)
    texture = random.integers(-12, 13, (height, width, 3))
    return np.clip(np.asarray(picture) + texture, 0, 255).astype(np.uint8)


def smooth(height: int, width: int, *, seed: int) -> Pixels:
    """Slow waves of colour without an edge, uint8 [height, width, 3]."""
    random = np.random.default_rng(seed)
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    across, down, phase = random.uniform(0.5, 1.5, (3, 3))
    waves = 0.5 + 0.5 * np.sin(2 * np.pi * (across * x + down * y + phase))
    return np.asarray(np.round(waves * 255), dtype=np.uint8)


def noise(height: int, width: int, *, seed: int) -> Pixels:
    """Uniform random levels, uint8 [height, width, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def grey(height: int, width: int, *, seed: int) -> Pixels:
    """A grey file as reading gives it: three equal channels."""
    return _through_a_file(Image.fromarray(scene(height, width, seed=seed)).convert("L"))


def transparent(height: int, width: int, *, seed: int) -> Pixels:
    """A file with an alpha channel as reading gives it: put on white."""
    picture = Image.fromarray(scene(height, width, seed=seed))
    picture.putalpha(Image.fromarray(smooth(height, width, seed=seed)[..., 0]))
    return _through_a_file(picture)


def turned(height: int, width: int, *, seed: int) -> Pixels:
    """A file that its EXIF entry says lies on its side, as reading gives it: [width, height, 3]."""
    return _through_a_file(Image.fromarray(scene(height, width, seed=seed)), orientation=6)


def to_be_shrunk(content: Pixels, size: tuple[int, int]) -> Pixels:
    """The content three or four times as large as `size`, under fine stripes, uint8 [height, width, 3].

    For a large `size` it is only twice as wide: a segmenter has twenty numbers for each of its pixels.
    Shrinking averages the stripes away; without antialiasing they become coarse ones.  Each pixel of the content is
    repeated, so that the picture packs into a few kB.
    """
    coarse = -(-max(size) // MAX_DETAIL)
    down, across = (4, 4) if size[0] * size[1] <= 240**2 else (3, 3 if size[0] * size[1] <= 480**2 else 2)
    near = _resized(content, -(-size[0] // coarse), -(-size[1] * 6 // (5 * coarse)))
    whole = near.repeat(coarse * down, axis=0).repeat(coarse * across, axis=1)
    large = whole[1:, 2:].astype(np.int16)  # by no whole number
    rows, columns = np.indices(large.shape[:2])
    stripes = np.where((rows + 2 * columns) % 3 == 0, -32, 16)
    return np.clip(large + stripes[..., None], 0, 255).astype(np.uint8)


def to_be_enlarged(content: Pixels, size: tuple[int, int]) -> Pixels:
    """The content at less than half of `size`, uint8 [height, width, 3]."""
    return _resized(content, size[0] // 3 + 1, size[1] * 2 // 5 + 1)


def _resized(content: Pixels, height: int, width: int) -> Pixels:
    return np.asarray(Image.fromarray(content).resize((width, height), Image.Resampling.BICUBIC))


def _through_a_file(picture: Image.Image, *, orientation: int = 1) -> Pixels:
    exif = Image.Exif()
    exif[0x0112] = orientation
    memory = BytesIO()
    picture.save(memory, "png", exif=exif)
    return read_picture(memory)
