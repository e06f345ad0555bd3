"""Pictures and arrays in memory as files of the kind that a task reads, so that one way of reading serves all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Input, LatentInput, TableInput

PICTURE = "uint8 [height, width, 3] (or [height, width], or [n, height, width, 3]) with levels 0 to 255"


def is_value(value: object) -> bool:
    """Whether something is a picture or an array: of numpy, or what numpy takes for one, as a tensor."""
    return isinstance(value, Image.Image | np.ndarray) or hasattr(value, "__array__")


def value_files(
    value: object, folder: Path, input: Input, *, columns: Sequence[str] = ()
) -> Iterator[tuple[str, Path]]:
    """The item's name and a file for each item of a value; UsageError for a value that the model is not fed.

    `columns` are those of a table.
    """
    if isinstance(value, Image.Image):
        if not isinstance(input, ImageInput):
            raise UsageError(f"this model takes no pictures: its input is {input.describe()}")
        yield "", _saved(value, folder / "picture")
        return
    array = _array(value)
    if isinstance(input, ImageInput):
        yield from _pictures(array, folder)
    elif isinstance(input, LatentInput):
        path = folder / "latents.npy"
        np.save(path, array, allow_pickle=False)
        yield "", path
    elif isinstance(input, TableInput):
        yield "", _table(array, folder / "rows.csv", columns)
    else:
        raise UsageError(f"this model takes no arrays: its input is {input.describe()}", hint="give a file or a text")


def _array(value: object) -> npt.NDArray[Any]:
    """A numpy array of any array, a tensor on another device among them."""
    tensor: Any = value
    for step in ("detach", "cpu"):
        tensor = getattr(tensor, step)() if callable(getattr(tensor, step, None)) else tensor
    try:
        return np.asarray(tensor)
    except Exception as error:
        raise UsageError(f"a {type(value).__name__} cannot be read as an array: {error}") from error


def _pictures(array: npt.NDArray[Any], folder: Path) -> Iterator[tuple[str, Path]]:
    if array.dtype != np.uint8:
        raise UsageError(f"a picture is {PICTURE}, and this array is {array.dtype}", hint="convert it to uint8")
    shape = list(array.shape)
    many = array.ndim == 4 or (array.ndim == 3 and shape[2] not in (1, 3, 4) and shape[0] not in (1, 3, 4))
    pictures = list(array) if many else [array]
    for index, picture in enumerate(pictures):
        levels = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
        if 0 in shape or levels.ndim not in (2, 3) or (levels.ndim == 3 and levels.shape[2] not in (3, 4)):
            first = picture.ndim == 3 and picture.shape[0] in (1, 3, 4)
            hint = "the channels come last: permute(1, 2, 0) or transpose(1, 2, 0)" if first else ""
            raise UsageError(f"a picture is {PICTURE}, and this array has the shape {shape}", hint=hint)
        name = f"picture {index + 1}" if many else ""
        yield name, _saved(Image.fromarray(np.ascontiguousarray(levels)), folder / f"picture-{index}")


def _saved(picture: Image.Image, path: Path) -> Path:
    """A file of the picture, nothing lost: PNG, or TIFF for the modes that PNG does not know."""
    kind = "png" if picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else "tiff"
    file = path.with_suffix(f".{kind}")
    try:
        turned = picture.getexif()  # which way up it is
        picture.save(file, exif=turned, compress_level=1) if kind == "png" else picture.save(file, exif=turned)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"a picture of mode {picture.mode} cannot be used: {error}", hint="convert it to RGB"
        ) from error
    return file


def _table(array: npt.NDArray[Any], path: Path, columns: Sequence[str]) -> Path:
    """The rows as a table with the columns that the model was trained on."""
    import csv  # noqa: PLC0415  only for arrays of tables

    rows = array[None] if array.ndim == 1 else array
    if rows.ndim != 2 or rows.shape[1] != len(columns) or rows.dtype.kind not in "fiu":
        raise UsageError(
            f"a row holds {len(columns)} numbers ({', '.join(columns)}), and this array is {array.dtype} "
            f"{list(array.shape)}"
        )
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *([repr(float(value)) for value in row] for row in rows)])
    return path
