"""What a task, its metrics or its dataset may be besides: small protocols, each of one method more.

`isinstance` asks for them, so offering the method is all that it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Problem
from zoo.api.specs import Reference
from zoo.api.task import Dataset, Shown

if TYPE_CHECKING:
    import torch

    from zoo.api.task import Arrays


# --- a task ---


@runtime_checkable
class Responding(Protocol):
    """A task whose answer takes many runs of the graph, as writing a text does."""

    settings: Mapping[str, float]
    """What a user may choose about an answer (length, temperature), with the defaults."""

    def respond(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        """The answer to the inputs of one item, the state among them; `feedback` is that of the signature."""


@runtime_checkable
class ReadsText(Protocol):
    """A task whose raw input may be given in words instead of a file."""

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The inputs of pipeline.onnx, without state; BadFile when they cannot be made from this text."""


@runtime_checkable
class Unprompted(Protocol):
    """A task that reads texts and answers where nothing is given at all, as writing a sound does."""

    def beginnings(self, problem: Problem) -> Sequence[str]:
        """The texts to answer then, one answer each: every class."""


@runtime_checkable
class Comparing(Protocol):
    """A task whose answers are there to be compared with each other, as those to two faces are."""

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        """What follows from two answers or more: of two the pair, of more at most `limit` matches of each."""


@runtime_checkable
class Calibrated(Protocol):
    """A task whose answers rest on a number that the validation data gave, as a threshold."""

    def calibrated(self, problem: Problem, metrics: Mapping[str, float]) -> Problem:
        """The problem with that number among its facts; as it is where the validation metrics lack it."""


@runtime_checkable
class TellsPostprocess(Protocol):
    """A task that tells its postprocessing as data, so that a bundle can name its steps and thresholds."""

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:
        """The steps of `Task.finish`, in order, with the numbers that the module itself is built with."""


@runtime_checkable
class ChoosesRunner(Protocol):
    """A task whose bundles need different code for different problems: text cut in this way or in that."""

    def runner_for(self, problem: Problem) -> Reference:
        """As `Task.runner`, for bundles of this problem."""


# --- its metrics ---


@runtime_checkable
class Developing(Protocol):
    """Metrics with a picture that is worth having after every epoch, to see how it develops.  [torch]"""

    def epoch_picture(self, path: Path) -> Path:
        """Draw it as a PNG file."""


# --- its dataset ---


@runtime_checkable
class Ordered(Protocol):
    """A dataset that says how an epoch goes through it: by length, or on and on through a text.  [torch]

    Datasets without this are shuffled.
    """

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """Indices, as many as there are items at most; every `batch_size` in a row are one batch."""


@runtime_checkable
class Adjustable(Protocol):
    """A dataset that the trainer's options change, as how many pictures of an identity make a batch.  [torch]"""

    def adjusted(self, options: Mapping[str, float | int | str | bool]) -> Dataset:
        """The same split by these options."""
