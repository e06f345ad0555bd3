"""Optional abilities of a task, its metrics or its dataset: small protocols, each with one more method.

`isinstance` checks for them, so an object that has the method has the ability.
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
    """A task whose answer needs many runs of the graph, such as the generation of a text."""

    settings: Mapping[str, float]
    """The options of an answer (length, temperature), with their defaults."""

    def respond(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        """The answer to the inputs of one item, which include the state; `feedback` is that of the signature."""


@runtime_checkable
class ReadsText(Protocol):
    """A task whose raw input may be a text instead of a file."""

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The inputs of pipeline.onnx, without state; BadFile when they cannot be made from this text."""


@runtime_checkable
class Unprompted(Protocol):
    """A task that reads texts and can also answer without any input, such as the generation of sounds."""

    def beginnings(self, problem: Problem) -> Sequence[str]:
        """The texts to answer then, one answer for each: every class."""


@runtime_checkable
class Comparing(Protocol):
    """A task whose answers are compared with each other, as in face verification."""

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        """The comparison of two answers, or of more answers the `limit` best matches of each."""


@runtime_checkable
class Calibrated(Protocol):
    """A task whose answers depend on a number that was measured on the validation data, such as a threshold."""

    def calibrated(self, problem: Problem, metrics: Mapping[str, float]) -> Problem:
        """The problem with that number among its facts; unchanged where the validation metrics lack the number."""


@runtime_checkable
class TellsPostprocess(Protocol):
    """A task that tells its postprocessing as data, so that a bundle can name its steps and thresholds."""

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:
        """The steps of `Task.finish`, in order, with the numbers that the module itself is built with."""


@runtime_checkable
class ChoosesRunner(Protocol):
    """A task whose bundles need different code for different problems, such as different tokenisers."""

    def runner_for(self, problem: Problem) -> Reference:
        """The reference of the runner for bundles of this problem, as `Task.runner`."""


# --- its metrics ---


@runtime_checkable
class Developing(Protocol):
    """Metrics that draw a picture after every epoch, to show how the model develops.  [torch]"""

    def epoch_picture(self, path: Path) -> Path:
        """Draw the picture as a PNG file; returns its path."""


# --- its dataset ---


@runtime_checkable
class Ordered(Protocol):
    """A dataset with its own order of an epoch: by length, or along a text.  [torch]

    All other datasets are shuffled.
    """

    def order(self, batch_size: int, generator: torch.Generator) -> Sequence[int]:
        """Indices, at most as many as there are items; each `batch_size` of them in a row are one batch."""


@runtime_checkable
class Adjustable(Protocol):
    """A dataset that depends on the trainer's options, such as the images per identity in a batch.  [torch]"""

    def adjusted(self, options: Mapping[str, float | int | str | bool]) -> Dataset:
        """The same split with these options."""
