"""The inputs of a model, and the frozen facts about task and data that it is built for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from zoo.api.errors import UsageError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What a model is fed.  A plugin may bring one of its own: a frozen dataclass of plain values that extends this.

    It is written into runs and bundles by the name of its class, "zoo_pairs.inputs:PairInput", and read again only
    where the package of an installed plugin holds that class.

    Examples:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, slots=True, kw_only=True)
        ... class PairInput(zoo.Input):
        ...     size: int = 8
        >>> PairInput().size
        8
    """

    def describe(self) -> str:
        """What a model takes, in a word or two, as `zoo list` prints it: "3x224x224"."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{name} {'x'.join(map(str, v)) if isinstance(v, tuple) else v}" for name, v in values)

    def resized(self, size: tuple[int, int]) -> Input:
        """The same for pictures of another height and width; UsageError where that cannot be."""
        raise UsageError(f"input_size is {size[0]}x{size[1]}, but this model takes no images")

    @property
    def picture_side(self) -> int:
        """The shorter side of the pictures that go in, in pixels; 0 where none do."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput(Input):
    """Images: how an image of any size becomes the float32 [batch, channels, height, width] a model takes.

    Values are scaled to 0..1, then `(value - mean) / std` per channel.

    Examples:
        >>> zoo.ImageInput(size=(224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)).channels
        3
    """

    size: tuple[int, int]
    """Height and width that the model takes, in pixels."""
    channels: int = 3
    """One (grey) or three (colour)."""
    resize: int | None = None
    """Shorter side after resizing, before the centre crop to `size`; None stretches straight to `size`."""
    stretch: bool = False
    """With `resize`: both sides become that long, whatever the shape of the picture, not only the shorter one."""
    crop_rounding: Literal["even", "down"] = "even"
    """Where the crop begins when the spare pixels are an odd number: at the even of the two middles, as torchvision
    crops, or at the first, as transformers does."""
    interpolation: Interpolation = "bilinear"
    """As Pillow resizes."""
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    """Subtracted from each channel, of values in 0..1; a single number is for all channels."""
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    """The divisor of each channel after that."""
    min_size: int = 1
    """The smallest height and width the architecture accepts."""
    multiple: int = 1
    """Height and width must be multiples of this, for architectures that downsample and upsample."""
    fixed_size: bool = False
    """True when the architecture's parameters depend on `size` (a ViT's positions, a dense autoencoder)."""
    any_channels: bool = False
    """True when the architecture can be built for the channels of the data; `channels` is then the default."""
    noise: int = 0
    """Length of the noise vector (unit normal) that the model takes beside each image; zeros give its mean output."""
    embedding: int = 0
    """Length of the output vector of models that embed; 0 for all others."""

    def demand(self, size: tuple[int, int]) -> str:
        """The requirement that a height and width do not meet, as in "at least 32 pixels"; empty when they meet all."""
        if min(size) < self.min_size:
            return f"at least {self.min_size} pixels"
        return f"multiples of {self.multiple} pixels" if any(side % self.multiple for side in size) else ""

    def nearest(self, size: tuple[int, int]) -> tuple[int, int]:
        """The closest height and width that the architecture accepts."""
        least = -(-self.min_size // self.multiple)
        height, width = (max(round(side / self.multiple), least) * self.multiple for side in size)
        return height, width

    def describe(self) -> str:
        """3x224x224: channels, height, width."""
        return "x".join(str(side) for side in (self.channels, *self.size))

    def resized(self, size: tuple[int, int]) -> ImageInput:
        """The same at another size, without a crop margin; UsageError with the nearest size that the model takes."""
        if demand := self.demand(size):
            raise UsageError(
                f"input_size is {size[0]}x{size[1]}, but this model needs {demand}",
                hint=f"say --set recipe.input_size={','.join(map(str, self.nearest(size)))}",
            )
        return replace(self, size=size, resize=None)  # a crop margin belongs to the size the authors trained at

    @property
    def picture_side(self) -> int:
        """The shorter side, in pixels."""
        return min(self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenInput(Input):
    """Text: token ids int64 [batch, length] with their lengths int64 [batch].

    Examples:
        >>> zoo.TokenInput(max_length=128, unit="character").max_length
        128
    """

    max_length: int = 512
    """The longest sequence the architecture accepts, in tokens; longer texts are cut there."""
    unit: Literal["character", "token", "wordpiece", "subword"] = "character"
    """The unit of tokenisation; "token" is a word with the space before it, or a sign; "wordpiece" as in BERT;
    "subword" as a tokenizer.json of the library tokenizers says, which comes with weights."""
    vocabulary_limit: int = 20_000
    """The largest vocabulary; the rarest tokens beyond it become unknown."""
    chunk: int = 64
    """Tokens of a language model's training chunk; its state is carried to the next chunk."""
    embedding: int = 0
    """Length of the output vector of models that embed; 0 for all others."""

    def describe(self) -> str:
        """512 characters."""
        return f"{self.max_length} {self.unit}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentInput(Input):
    """Latents: float32 [batch, size] drawn from a unit normal, for generative models.

    Examples:
        >>> zoo.LatentInput(size=64).size
        64
    """

    size: int
    """Length of the latent vector of a sample."""
    picture: ImageInput | None = None
    """Of generated images: size, channels, and the normalisation (mean, std) of the raw output."""

    def describe(self) -> str:
        """latent 100."""
        return f"latent {self.size}"

    def resized(self, size: tuple[int, int]) -> LatentInput:
        """The same for pictures of another size."""
        if self.picture is None:
            Input.resized(self, size)
        return replace(self, picture=self.picture and self.picture.resized(size))


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInput(Input):
    """Sound: mu-law codes (ITU-T G.711) int64 [batch, length] of a mono signal.

    Examples:
        >>> zoo.AudioInput(sample_rate=8000).levels
        256
    """

    sample_rate: int = 16_000
    """Samples per second."""
    levels: int = 256
    """The number of codes."""
    any_rate: bool = False
    """True when the architecture takes sounds of any rate; `sample_rate` is then the default."""
    chunk: int = 1_000
    """Samples of a training chunk; the model's state is carried to the next chunk."""

    def describe(self) -> str:
        """16000 Hz."""
        return "any rate" if self.any_rate else f"{self.sample_rate} Hz"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInput(Input):
    """Rows of numbers: float32 [batch, features], each feature with mean 0 and standard deviation 1.

    Examples:
        >>> zoo.TableInput(features=13).features
        13
    """

    features: int = 0
    """How many numbers a row has; 0 where the architecture takes as many as the data have."""

    def describe(self) -> str:
        """4 numbers."""
        return f"{self.features} numbers" if self.features else "numbers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The facts of a task and its data that a model is built for; written into every run and bundle.

    Examples:
        >>> image = zoo.ImageInput(size=(28, 28), channels=1)
        >>> problem = zoo.Problem(task="image-classification", input=image, classes=("cat", "dog"))
        >>> problem.fact("num_classes")
        2
    """

    task: str
    """The task's name."""
    input: Input
    """The input of the model, at the size it is built for."""
    classes: tuple[str, ...] = ()
    """Class names in index order; empty where the task has none."""
    vocabulary: tuple[str, ...] = ()
    """Tokens in index order; empty where the task has none."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Further facts of the task that a builder may need, by name."""

    @property
    def image(self) -> ImageInput:
        """The input images, or the generated images; UsageError for tasks without images."""
        image = self.input.picture if isinstance(self.input, LatentInput) else self.input
        if not isinstance(image, ImageInput):
            raise UsageError(f"the task {self.task} takes no images: its input is a {type(self.input).__name__}")
        return image

    @property
    def latent_size(self) -> int:
        """Length of the noise or latent vector that the model takes; UsageError where it takes none."""
        size = {LatentInput: "size", ImageInput: "noise"}.get(type(self.input))
        if size is None:
            raise UsageError(f"the task {self.task} takes no noise: its input is a {type(self.input).__name__}")
        return int(getattr(self.input, size))

    def fact(self, name: str) -> object:
        """The value of one fact, by the name that `ModelSpec.needs` uses; UsageError for an unknown name."""
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
        """The keyword arguments for a builder that needs these facts; copies, so that the builder may change them."""
        return {name: deepcopy(self.fact(name)) for name in needs}
