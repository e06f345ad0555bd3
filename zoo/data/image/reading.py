"""Pictures of a card's samples, wherever they lie: files, the embedded pack, a published dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, Split
from zoo.api.errors import BadFile
from zoo.api.problem import Problem
from zoo.api.task import Port
from zoo.data.formats.embedded import DIGITS, TURNED
from zoo.data.formats.pictures.decode import WHITE, read_picture, white_level
from zoo.data.formats.pictures.decoded import DecodedPictures
from zoo.data.formats.samples import Sample

CHANGED: Final = "it changed since the data were checked; start again"
Pixels = npt.NDArray[np.uint8]
Read = Callable[[Sample], Pixels]
S = TypeVar("S")

IMAGE: Final = Port(name="image", dtype="uint8", shape=("height", "width", 3), doc="upright RGB levels")
"""The input of every pipeline on pictures."""


def read_input(path: Path, *, white: int = WHITE) -> dict[str, Pixels]:
    """A picture file as `image` uint8 [height, width, 3]; BadFile names it and says what it looks like instead.

    Args:
        path: A picture file.
        white: The largest level of pictures of 16 bits.

    Returns:
        Upright RGB levels by the name of the graph's input.

    Raises:
        BadFile: The file is no picture.

    Examples:
        >>> zoo.read_input(Path("seven.png"))["image"].shape[2]
        3
    """
    try:
        return {"image": read_picture(path, white=white)}
    except ValueError as error:
        raise BadFile(str(error)) from error
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror or error}") from error


def reader(card: DataCard) -> Read:
    """A function from a sample to uint8 [height, width, 3]; safe to call from several threads."""
    if card.source.format == DIGITS:
        return _read_digit
    if card.source.format == TURNED:
        return _read_turned
    if card.source.format == "torchvision":
        return _named_reader(card)
    return PictureFiles(files_root(card), white_level(card.facts), card.decoded)


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """Reads the pictures of samples from files below a folder; what it gives depends on their contents alone."""

    root: Path
    white: int
    kept: DecodedPictures | None = None
    """What the check has decoded, and nobody has read yet."""

    def __call__(self, sample: Sample) -> Pixels:
        """uint8 [height, width, 3]; BadFile where it is no longer the file that was checked."""
        checked = self.checked(sample)
        return self.decoded(self.content(sample), sample) if checked is None else checked

    def checked(self, sample: Sample) -> Pixels | None:
        """The picture as the check has decoded it; None where that is not kept."""
        return self.kept.take(sample.content) if self.kept is not None and sample.content else None

    def content(self, sample: Sample) -> bytes:
        """The bytes of the file, those that were checked; BadFile otherwise."""
        path = self.root / sample.name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadFile(f"{error}", hint=CHANGED) from error
        if sample.content and hashlib.sha256(data).hexdigest() != sample.content:
            self.decoded(data, sample)  # which says what the file is instead, where it is no picture any more
            raise BadFile(f"{path} holds another picture than when it was checked", hint=CHANGED)
        return data

    def decoded(self, data: bytes, sample: Sample) -> Pixels:
        """The picture in these bytes of its file."""
        try:
            return read_picture(BytesIO(data), str(self.root / sample.name), white=self.white)
        except (ValueError, OSError) as error:
            raise BadFile(f"{error}", hint=CHANGED) from error


def read_as(card: DataCard, problem: Problem) -> DataCard:
    """The card of data whose pictures are read as those of a problem were, whatever their own range."""
    facts = {name: value for name, value in card.facts.items() if name != "white_level"}
    own = problem.facts.get("white_level")
    return replace(card, facts=facts if own is None else {**facts, "white_level": own})


def files_root(card: DataCard) -> Path:
    """The folder below which the samples of a card lie."""
    root = card.root or card.source.location
    if root is None:
        raise ValueError(f"a source of format {card.source.format} has no location")
    return root


def unchanged(read: Callable[[S], Pixels]) -> Callable[[S], Pixels]:
    """The same function for files that were checked before; BadFile where one can no longer be read."""

    def read_again(sample: S) -> Pixels:
        try:
            return read(sample)
        except (ValueError, OSError) as error:
            raise BadFile(f"{error}", hint=CHANGED) from error

    return read_again


def stacked(card: DataCard, split: Split) -> Pixels | None:
    """All pictures of a split at once, uint8 [n, h, w] or [n, h, w, 3]; None where they do not lie in one array."""
    samples = card.splits[split]
    if card.source.format == DIGITS:
        from zoo.data.embedded import digits  # noqa: PLC0415  only for the embedded digits

        return digits.load().split(split)[0][[sample.index for sample in samples]]
    if card.source.format == TURNED:
        return np.stack([_turned(sample) for sample in samples])
    if card.source.format == "torchvision":
        from zoo.data.image.torchvision_datasets import open_part  # noqa: PLC0415  imports torch and torchvision

        # validation that was held out lies in the train part, and its samples say so
        data = np.asarray(getattr(open_part(card.source, _split(samples[0])), "data", ()))
        if data.dtype == np.uint8 and (data.ndim == 3 or (data.ndim == 4 and data.shape[-1] == 3)):
            return cast(Pixels, data[[sample.index for sample in samples]])
    return None


def _read_digit(sample: Sample) -> Pixels:
    from zoo.data.embedded import digits  # noqa: PLC0415  only for the embedded digits

    grey = digits.load().split(_split(sample))[0][sample.index]
    return np.repeat(grey[..., None], 3, axis=2)


def _read_turned(sample: Sample) -> Pixels:
    return np.repeat(_turned(sample)[..., None], 3, axis=2)


def _turned(sample: Sample) -> Pixels:
    """A digit turned and mirrored as the last part of the sample's name says, uint8 [28, 28]."""
    from zoo.data.embedded import digits  # noqa: PLC0415  only for the embedded digits

    return digits.turned(digits.load().split(_split(sample))[0][sample.index], int(sample.name.rpartition("/")[2]))


def _named_reader(card: DataCard) -> Read:
    from zoo.data.image.torchvision_datasets import open_part  # noqa: PLC0415  imports torch and torchvision

    parts: dict[str, Any] = {}

    def read(sample: Sample) -> Pixels:
        split = _split(sample)
        if split not in parts:
            parts[split] = open_part(card.source, split)
        return np.array(parts[split][sample.index][0].convert("RGB"))

    return read


def _split(sample: Sample) -> Split:
    return cast(Split, sample.name.partition("/")[0])
