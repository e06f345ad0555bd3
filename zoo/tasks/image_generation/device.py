"""Drawing latents and showing pictures; with the code it imports, the task.py of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

COUNT = 64
"""Pictures that are generated from a seed."""
COLUMNS = 8


def read(path: Path, problem: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx: `latent` float32 [n, size], 64 rows drawn from a seed, or those of an .npy file."""
    size = int(problem["input"]["size"])
    if path.name.isdecimal() and not path.exists():
        return {"latent": draw(int(path.name), COUNT, size)}
    if path.suffix != ".npy":
        raise ValueError(f"{path} is neither a seed, as in 7, nor an .npy file of latents")
    latent = np.load(path, allow_pickle=False)
    if latent.ndim != 2 or latent.shape[1] != size or not latent.shape[0] or latent.dtype.kind not in "fiu":
        raise ValueError(f"{path} holds {latent.dtype} {list(latent.shape)}; latents are float32 [n, {size}]")
    return {"latent": latent.astype(np.float32)}


def draw(seed: int, count: int, size: int) -> np.ndarray[Any, Any]:
    """float32 [count, size] from a unit normal, the same for a seed everywhere."""
    return np.random.default_rng(seed).standard_normal((count, size), np.float32)


def png(image: np.ndarray[Any, Any]) -> bytes:
    """One picture, uint8 [height, width, 1 or 3], as the bytes of a PNG file."""
    memory = BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(memory, "png")
    return memory.getvalue()


def picture(answer: Mapping[str, np.ndarray[Any, Any]]) -> Image.Image:
    """All pictures side by side in rows of eight."""
    images = answer["images"]
    count, height, width, channels = images.shape
    columns = min(COLUMNS, count)
    sheet = np.zeros((-(-count // columns) * height, columns * width, channels), np.uint8)
    for index, image in enumerate(images):
        top, left = index // columns * height, index % columns * width
        sheet[top : top + height, left : left + width] = image
    return Image.fromarray(sheet[..., 0] if channels == 1 else sheet)


def show(answer: Mapping[str, np.ndarray[Any, Any]], problem: Mapping[str, Any]) -> str:  # noqa: ARG001  every task's
    """One line: how many pictures, their size and levels."""
    images = answer["images"]
    count, height, width, channels = images.shape
    kind = "grey" if channels == 1 else "colour"
    levels = f"levels {images.min()} to {images.max()}, mean {images.mean():.1f}"
    return f"{count} {kind} pictures of {height} x {width}, {levels}"
