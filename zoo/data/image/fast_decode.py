"""JPEG files decoded by torchvision's kernel, whose levels are those of Pillow, in half the time.  [torch]

The kernel is a library beside torchvision's code and is loaded alone: importing torchvision takes two seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from zoo.data.formats.samples import Sample
from zoo.data.image.reading import PictureFiles, Pixels

START: Final = b"\xff\xd8\xff"
"""Of every JPEG file."""
UNCHANGED: Final = 0
"""Of torchvision's ImageReadMode: as many channels as the file has."""


@dataclass(frozen=True, slots=True)
class FastFiles:
    """Reads the same pictures as `files`: JPEG by the faster kernel, what that cannot decode by Pillow."""

    files: PictureFiles
    decode: Callable[..., Tensor] | None
    """None where this machine has no faster kernel."""
    least: int | None = None
    """Pixels that both sides must keep where JPEG is decoded at a part of its size; None decodes it whole."""

    def __call__(self, sample: Sample) -> Pixels:
        """uint8 [height, width, 3]; BadFile where it is no longer the file that was checked."""
        if self.least is None and (self.decode is None or is_exact()):
            checked = self.files.checked(sample)
            if checked is not None:
                return checked
        data = self.files.content(sample)
        if data.startswith(START) and self.least and (pixels := reduced(data, self.least)) is not None:
            return pixels
        if data.startswith(START) and self.decode:
            try:
                # Exif orientation is applied, as Pillow's side of zoo does
                levels = self.decode(torch.frombuffer(bytearray(data), dtype=torch.uint8), UNCHANGED, True)
            except RuntimeError:
                return self.files.decoded(data, sample)
            if len(levels) in (1, 3):  # four are CMYK
                whole: Pixels = levels.expand(3, -1, -1).permute(1, 2, 0).numpy()
                return whole
        return self.files.decoded(data, sample)


def fast_files(files: PictureFiles, *, least: int | None = None) -> PictureFiles | FastFiles:
    """What reads the files fastest on this machine; with `least`, JPEG at the smallest size that keeps these pixels."""
    decode = _kernel()
    return files if decode is None and least is None else FastFiles(files, decode, least)


@cache
def is_exact() -> bool:
    """Whether the faster kernel gives Pillow's very levels on this machine, so that it does not matter who decodes.

    Both libraries compute alike where both are libjpeg-turbo; others may differ by one level.
    """
    kernel, memory = _kernel(), BytesIO()
    levels = np.random.default_rng(0).integers(0, 256, (45, 67, 3), dtype=np.uint8)
    Image.fromarray(levels).save(memory, "jpeg", quality=80)
    if kernel is None:
        return False
    decoded = kernel(torch.frombuffer(bytearray(memory.getvalue()), dtype=torch.uint8), UNCHANGED, True)
    with Image.open(memory) as image:
        return np.array_equal(decoded.permute(1, 2, 0).numpy(), np.array(image))


def reduced(data: bytes, least: int) -> Pixels | None:
    """A JPEG file decoded at a half, a quarter or an eighth; None where that is too small, or it is no plain picture.

    The decoder leaves the high frequencies out, which takes a fraction of the time.
    """
    try:
        with Image.open(BytesIO(data)) as image:
            size = image.size
            image.draft(image.mode, (least, least))
            if image.size == size or image.mode not in ("L", "RGB"):
                return None
            ImageOps.exif_transpose(image, in_place=True)
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError):
        return None  # what is wrong with it is said by who decodes it whole


@cache
def _kernel() -> Callable[..., Any] | None:
    """torchvision's decode_jpeg; None where its library cannot be loaded."""
    spec = find_spec("torchvision")
    for folder in spec.submodule_search_locations or () if spec else ():
        for library in sorted(Path(folder).glob("image*.so")):
            try:
                torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
                return cast("Callable[..., Any]", torch.ops.image.decode_jpeg.default)
            except (OSError, RuntimeError, AttributeError):
                continue
    return None
