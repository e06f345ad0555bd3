"""Looking into one picture file before anybody trains on it.  Torch-free."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import PIL
from PIL import Image

from zoo.api.problem import Json
from zoo.data.formats.class_folders.checks import Kind
from zoo.data.formats.inspection import Facts
from zoo.data.formats.pictures.decode import WHITE, read_picture
from zoo.data.formats.pictures.decoded import DecodedPictures

MAX_ASPECT_RATIO: Final = 100
"""A longer and narrower picture shows nothing after resizing, and resizing it may take any amount of memory."""
ORIENTATION: Final = 0x0112
"""The EXIF tag that says how a picture is to be turned; 1 is upright."""
COMMON_SHARE: Final = 0.9
"""Of the pictures that do not exceed the common size."""
SIDEWAYS: Final = range(5, 9)
"""The orientations of a quarter turn; 2 to 4 leave width and height as they are."""
TRAITS: Final = {
    "deep": "{count} pictures have 16 bits a channel; they are scaled to 8",
    "clear": "{count} pictures have transparent parts; they are put on white",
    "moving": "{count} pictures are animated; the first frame is taken",
    "turned": "{count} pictures carry an EXIF orientation; they are turned upright",
    "cmyk": "{count} pictures are CMYK; they are converted to RGB",
}


def inspect_picture(path: Path, *, kept: DecodedPictures | None = None) -> Facts:
    """Upright size, channels, hash and traits of a picture that decodes whole; ValueError when it does not.

    The picture goes to `kept`, unless what its levels mean depends on the other ones.
    """
    data = path.read_bytes()
    levels = read_picture(BytesIO(data), str(path))
    height, width = levels.shape[:2]
    if max(height, width) > MAX_ASPECT_RATIO * min(height, width):
        raise ValueError(f"{path} is {width} x {height} pixels, more than {MAX_ASPECT_RATIO} times longer than wide")
    with Image.open(BytesIO(data)) as image:
        traits = _traits(image)
        grey = image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I")
        peak: dict[str, Json] = {"peak": int(np.asarray(image, np.int64).max())} if "deep" in traits else {}
    digest = hashlib.sha256(data).hexdigest()
    if kept is not None and "deep" not in traits:
        kept.keep(digest, levels)
    return {
        **peak,
        "sha256": digest,
        "height": height,
        "width": width,
        "channels": 1 if grey else 3,
        "traits": traits,
    }


def lies_on_its_side(path: Path) -> bool:
    """Whether the file's own EXIF orientation swaps width and height when the picture is read upright."""
    with Image.open(path) as image:
        return image.getexif().get(ORIENTATION, 1) in SIDEWAYS


def _traits(image: Image.Image) -> list[Json]:
    holds = {
        "deep": image.mode.startswith("I"),
        "clear": image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info,
        "moving": getattr(image, "n_frames", 1) > 1,
        "turned": image.getexif().get(ORIENTATION, 1) != 1,
        "cmyk": image.mode == "CMYK",
    }
    return [name for name, present in holds.items() if present]


def summarise(facts: Iterable[Facts]) -> dict[str, Json]:
    """Channels (1 when every picture is grey), the range of sizes, and the size that nine in ten do not exceed.

    Of pictures of 16 bits the level of white as well: cameras write 10, 12 or 14 bits into such files, which would be
    nearly black if all bits counted.
    """
    heights, widths, channels, peak = Counter[int](), Counter[int](), {1}, 0
    for file in facts:
        peak = max(peak, _number(file.get("peak", 0)))
        heights[_number(file["height"])] += 1
        widths[_number(file["width"])] += 1
        channels.add(_number(file["channels"]))
    return {
        "channels": max(channels),
        "height": [min(heights), max(heights)],
        "width": [min(widths), max(widths)],
        "common_size": [_not_exceeded(heights), _not_exceeded(widths)],
        **({"white_level": white} if peak and (white := _white(peak)) < WHITE else {}),
    }


def _white(peak: int) -> int:
    """The largest level of the usual number of bits that holds the highest one."""
    return next(2**bits - 1 for bits in (8, 10, 12, 14, 16) if peak < 2**bits)


def _not_exceeded(counts: Counter[int]) -> int:
    """The smallest of the values that nine in ten do not exceed."""
    left = COMMON_SHARE * counts.total()
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return max(counts)


def _number(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a number of pixels")
    return value


PICTURES: Final = Kind(
    word="pictures",
    version=f"pictures 2, Pillow {PIL.__version__}",
    inspect=inspect_picture,
    traits=TRAITS,
    summarise=summarise,
    trait_kinds={"deep": "range"},
)


def keeping(kept: DecodedPictures) -> Kind:
    """Pictures that are looked into, and then kept for who reads them first."""
    return replace(PICTURES, inspect=partial(inspect_picture, kept=kept))
