"""What a model wants to be fed, and the frozen facts that data give it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal

from zoo.api.errors import UsageError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """Pictures: how an image of any size becomes the float32 [batch, channels, height, width] a model takes.

    Values are scaled to 0..1, then `(value - mean) / std` per channel.
    """

    size: tuple[int, int]
    """Height and width that the model takes, in pixels."""
    channels: int = 3
    """One (grey) or three (colour)."""
    resize: int | None = None
    """Shorter side after resizing, before the centre crop to `size`; None stretches straight to `size`."""
    interpolation: Interpolation = "bilinear"
    """As Pillow resizes."""
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    """Taken off each channel, of values in 0..1; one number serves all channels."""
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    """What each channel is divided by then."""
    min_size: int = 1
    """The smallest height and width the architecture accepts."""
    multiple: int = 1
    """Height and width must be multiples of this, for architectures that halve a picture and put it together again."""
    fixed_size: bool = False
    """True when the architecture's parameters depend on `size` (a ViT's positions, a dense autoencoder)."""
    any_channels: bool = False
    """True when the architecture is built for as many channels as the data have; `channels` is then the default."""
    noise: int = 0
    """Numbers from a unit normal that the model takes beside each picture; zeros give its mean answer."""
    embedding: int = 0
    """Numbers of the vector that the model answers with, for models that answer with one."""

    def demand(self, size: tuple[int, int]) -> str:
        """What the architecture asks of a height and width and these lack, "at least 32 pixels"; empty when they do."""
        if min(size) < self.min_size:
            return f"at least {self.min_size} pixels"
        return f"multiples of {self.multiple} pixels" if any(side % self.multiple for side in size) else ""

    def nearest(self, size: tuple[int, int]) -> tuple[int, int]:
        """The height and width next to these that the architecture accepts."""
        least = -(-self.min_size // self.multiple)
        height, width = (max(round(side / self.multiple), least) * self.multiple for side in size)
        return height, width


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInput:
    """Text: int64 [batch, length] token numbers with their lengths."""

    max_length: int = 512
    """The longest sequence the architecture accepts, in tokens; longer texts are cut there."""
    unit: Literal["character", "token", "wordpiece"] = "character"
    """What a text is cut into; a token is a word with the space before it, or a sign; a word piece is BERT's."""
    vocabulary_limit: int = 20_000
    """The most different tokens; the rarest beyond it are unknown."""
    chunk: int = 64
    """Tokens that a language model learns from at a time, its state carried on to the next."""
    embedding: int = 0
    """Numbers that a text becomes, for models that embed; 0 for all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentInput:
    """Noise: float32 [batch, size] drawn from a unit normal, for models that make something of it."""

    size: int
    """How many numbers a sample takes."""
    picture: ImageInput | None = None
    """What is made, for models of pictures: its size and channels, and the space (mean, std) the raw output lies in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInput:
    """Sound: int64 [batch, length] mu-law codes of a mono signal."""

    sample_rate: int = 16_000
    """Samples a second."""
    levels: int = 256
    """Different codes of a sample."""
    any_rate: bool = False
    """True when the architecture suits sounds of any rate; `sample_rate` is then the default."""
    chunk: int = 1_000
    """Samples that a model learns from at a time, its state carried on to the next."""


Input = ImageInput | TokenInput | LatentInput | AudioInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The facts of a task and its data that a model is built for; written into every run and bundle."""

    task: str
    """The task's name."""
    input: Input
    """What the model is fed, at the size it is built for."""
    classes: tuple[str, ...] = ()
    """Class names in index order; empty where the task has none."""
    vocabulary: tuple[str, ...] = ()
    """Tokens in index order; empty where the task has none."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """What else the task knows and a builder may need, by name."""

    @property
    def image(self) -> ImageInput:
        """The pictures that go in, or that are made of noise, for tasks on pictures."""
        image = self.input.picture if isinstance(self.input, LatentInput) else self.input
        if not isinstance(image, ImageInput):
            raise UsageError(f"the task {self.task} takes no images: its input is a {type(self.input).__name__}")
        return image

    @property
    def latent_size(self) -> int:
        """How many numbers of noise the model takes, for models that take any."""
        size = {LatentInput: "size", ImageInput: "noise"}.get(type(self.input))
        if size is None:
            raise UsageError(f"the task {self.task} takes no noise: its input is a {type(self.input).__name__}")
        return int(getattr(self.input, size))

    def fact(self, name: str) -> object:
        """The value of one fact, by the name that `ModelSpec.needs` uses."""
        own: dict[str, Callable[[], object]] = {
            "num_classes": lambda: len(self.classes),
            "vocabulary_size": lambda: len(self.vocabulary),
            "image_size": lambda: self.image.size,
            "channels": lambda: self.image.channels,
            "latent_size": lambda: self.latent_size,
        }
        if name in own:
            return own[name]()
        if hasattr(self.input, name):
            return getattr(self.input, name)
        if name in self.facts:
            return self.facts[name]
        known = sorted({*own, *self.facts})
        raise UsageError(f"the problem of task {self.task} has no fact {name!r}; it has {', '.join(known)}")

    def keywords(self, needs: Iterable[str]) -> dict[str, object]:
        """The keyword arguments for a builder that needs these facts; copies, which it may change as it likes."""
        return {name: deepcopy(self.fact(name)) for name in needs}
