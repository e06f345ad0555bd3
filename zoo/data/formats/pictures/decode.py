"""A picture file as uint8 [height, width, 3].  Stands alone (numpy, Pillow): bundles carry this code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


class Unreadable(ValueError):
    """A picture that cannot be read; the message names the file and says what it looks like instead."""


def read_picture(file: Path | BinaryIO, name: str = "") -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Upright RGB levels: EXIF orientation applied, 16 bits scaled to 8, transparency put on white, first frame."""
    name = name or str(file)
    try:
        with Image.open(file) as opened:
            opened.load()
            return np.array(_colour(ImageOps.exif_transpose(opened), name))
    except (Unreadable, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:  # Pillow's decoders raise whatever they like on damaged files
        raise Unreadable(f"{name} {decode_error(file, error)}") from error


def _colour(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "F":
        raise Unreadable(f"{name} holds floating-point numbers; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        levels = np.asarray(image, np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise Unreadable(f"{name} holds numbers outside 0..65535; save it with 8 or 16 bits")
        image = Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB")


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
        return "is a HEIC picture, which Pillow cannot read; convert it to JPEG or PNG"
    if isinstance(error, UnidentifiedImageError):
        return f"is not a picture that Pillow knows (it starts with {start[:8]!r})"
    return f"is damaged: {str(error) or type(error).__name__}"
