"""A picture file as uint8 [height, width, 3].  Stands alone (numpy, Pillow): bundles carry this code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


class Unreadable(ValueError):
    """A picture that cannot be read; the message names the file and says what it looks like instead."""


WHITE = 65_535
"""The level of white in a picture of 16 bits that uses all of them."""


def white_level(facts: Mapping[str, Any]) -> int:
    """The level of white in pictures of 16 bits, as the facts of a card or of a problem have it."""
    value = facts.get("white_level", WHITE)
    return value if isinstance(value, int) else WHITE


def read_picture(file: Path | BinaryIO, name: str = "", *, white: int = WHITE) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Upright RGB levels: EXIF orientation applied, transparency put on white, first frame.

    Of 16 bits, levels from 0 to `white` become 0 to 255.

    Args:
        file: A path, or an open file.
        name: What errors call it.
        white: The largest level of pictures of 16 bits.

    Returns:
        uint8 [height, width, 3].

    Raises:
        ValueError: The file is no picture, and what it is instead.

    Examples:
        >>> read_picture(Path("seven.png")).dtype
        dtype('uint8')
    """
    name = name or str(file)
    try:
        with _opened(file) as opened:
            opened.load()
            ImageOps.exif_transpose(opened, in_place=True)  # without it, every picture is copied
            return np.array(_colour(opened, name, white))
    except (Unreadable, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:  # Pillow's decoders raise whatever they like on damaged files
        raise Unreadable(f"{name} {decode_error(file, error)}") from error


def _opened(file: Path | BinaryIO) -> Image.Image:
    """The picture; one of HEIC by pillow-heif, where that is installed."""
    try:
        return Image.open(file)
    except UnidentifiedImageError as error:
        try:
            from pillow_heif import register_heif_opener  # noqa: PLC0415  only for pictures from phones
        except ImportError:
            raise error from None
        register_heif_opener()
        if not isinstance(file, Path):
            file.seek(0)
        return Image.open(file)


def _colour(image: Image.Image, name: str, white: int) -> Image.Image:
    if image.mode == "F":
        raise Unreadable(f"{name} holds floating-point numbers; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        levels = np.asarray(image, np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise Unreadable(f"{name} holds numbers outside 0..65535; save it with 8 or 16 bits")
        image = Image.fromarray(((np.minimum(levels, white) * 255 + white // 2) // white).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image if image.mode == "RGB" else image.convert("RGB")


def decode_error(file: Path | BinaryIO, error: Exception) -> str:
    """What is wrong with a picture that Pillow could not decode, to follow its name."""
    start = b""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            start = opened.read(64)
    else:
        file.seek(0)
        start = file.read(64)
    if not start:
        return "is empty (0 bytes)"
    if isinstance(error, Image.DecompressionBombError):
        return "has too many pixels to be decoded safely"
    if start.lstrip()[:1] == b"<":
        return f"looks like {'SVG' if b'<svg' in start else 'HTML'}, not like a picture"
    if start[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "is a HEIC picture: convert it to JPEG or PNG, or pip install 'edgezoo[heic]' (with libx265, GPL)"
    if isinstance(error, UnidentifiedImageError):
        return f"is not a picture that Pillow knows (it starts with {start[:8]!r})"
    return f"is damaged: {str(error) or type(error).__name__}"
