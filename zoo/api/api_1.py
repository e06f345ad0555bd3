"""What API 1 called a task: one object with every method, and small protocols for what only some tasks can do.

For plugins that were written against it; `zoo.registry.api_1` makes a task of five parts (`zoo.api.parts`) of such an
object.  Nothing else in zoo uses these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Input, Problem
from zoo.api.recipe import Augment
from zoo.api.specs import Monitor, Reference
from zoo.api.task import Agreement, Batch, Case, Control, Dataset, Metrics, Progress, Purpose, Shown, Signature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays


class TaskApi1(Protocol):
    """One kind of work.  Frozen facts in, new values out; a Task keeps no state."""

    name: str
    """As its `TaskSpec` has it."""
    monitor: Monitor
    """What the best checkpoint is chosen by."""
    runner: Reference
    """The numpy module shipped in bundles as task.py: "zoo.tasks.image_classification.device:read".  With the modules
    that it imports from zoo, which `zoo.bundle.runtime.task_source` puts before it, it needs only numpy and Pillow.
    It offers read(path, problem) -> inputs of pipeline.onnx by name, which raises ValueError or OSError for a file it
    cannot read, show(answer, problem) -> text, and, where an answer takes many runs of the graph,
    respond(run, inputs, feedback, problem) -> answer; where answers are there to be compared,
    compare(names, answers, problem) -> text; where an answer is a file, keep(answer, problem) -> text, which writes
    it here, instead of show; `problem` is the manifest's, as plain JSON."""

    # --- data ---
    def detect(self, request: DataRequest) -> DataSource:
        """The layout of a source; DataError names the accepted layouts when none fits."""

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every sample looked at; DataError lists what is wrong, where and the fix."""

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The facts that a model for these data is built with."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] One split, resized for the problem's input."""

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """[torch] A changed copy of a training batch, before `Dataset.ready`."""

    # --- the two graphs ---
    def model_signature(self, problem: Problem) -> Signature:
        """Inputs and outputs of model.onnx, unless the model's adapter declares its own."""

    def pipeline_signature(self, problem: Problem) -> Signature:
        """Inputs and outputs of pipeline.onnx, as in the table of tasks."""

    def prepare(self, problem: Problem) -> nn.Module:
        """[torch] What pipeline.onnx begins with: inputs of the pipeline to inputs of the model (with batch axis)."""

    def finish(self, problem: Problem) -> nn.Module:
        """[torch] What pipeline.onnx ends with: outputs of the model to the answer.

        A module that needs raw inputs of the pipeline as well (a detector needs the size of the given picture)
        names them in an attribute `raw: tuple[str, ...]`; they follow the outputs of the model.

        Where the answer is a choice for each of many places (a class for every pixel), ties are judged by a method
        `margin` of the module: of the same inputs, float of the answer's shape, how far what was chosen stands above
        the next.  The file does not answer it; the proof asks PyTorch, leaves out places where the margin is within
        the noise, says how many they are, and gives it to `agreement` in the reference, named `zoo.api.task.MARGIN`.
        """

    # --- measuring ---
    def metrics(self, problem: Problem) -> Metrics:
        """[torch] Empty metrics, from a kept library."""

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """At most `limit` cases; deterministic; without a card only embedded and synthetic ones."""

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """Two answers per case compared; `noise` is the reference's own error per output, for the margins.

        Cases may come without their inputs, where there are too many to keep.
        """

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """Which mutations this task's proof is put to."""

    # --- people ---
    def read(self, path: Path, problem: Problem) -> Arrays:
        """One raw file as the inputs of pipeline.onnx, without state; BadFile when it cannot be read."""

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """An answer as text, record and picture; at most `limit` of what the task ranks (classes, boxes)."""


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
