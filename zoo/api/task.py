"""The protocol of a task: what goes in and out, the data, the comparison of two answers, the showing.

A Task object is torch-free.  The methods marked [torch] import torch inside; everything else is numpy,
because it also serves where torch is not installed.  What only some tasks can do is in `zoo.api.task_options`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.problem import Input, Json, Problem
from zoo.api.recipe import Augment
from zoo.api.specs import Monitor as Monitor  # noqa: PLC0414  a part of this protocol, told by trainers too
from zoo.api.specs import Reference

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL.Image import Image
    from torch import nn

    Arrays = Mapping[str, np.ndarray[Any, Any]]

Batch = dict[str, Any]
"""Tensors by name, and whatever else a dataset gives; what trainers and metrics pass around."""

MARGIN = "margin"
"""The name under which the proof adds to a reference how sure it is: see `Task.finish`."""

Progress = Callable[[int, int], None]
"""Called with (done, total)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One named input or output of a graph."""

    name: str
    """As the graph has it."""
    dtype: str
    """numpy's name: float32, int64, uint8."""
    shape: tuple[int | str, ...]
    """A string names a dynamic axis: ("batch", 3, 224, 224)."""
    doc: str = ""
    """What it holds, for people."""
    feeds: str = ""
    """Of an output that is state: the input it is fed to in the next step.  Zeros are fed in the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The inputs and outputs of one graph, in order."""

    inputs: tuple[Port, ...]
    """In the order of the graph."""
    outputs: tuple[Port, ...]
    """In the order of the graph."""

    @property
    def feedback(self) -> dict[str, str]:
        """Input name to the output of the step before that it is fed; empty for a graph without state."""
        return {port.feeds: port.name for port in self.outputs if port.feeds}

    @property
    def state(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        """The inputs and the outputs that are state; a pipeline hands them through untouched."""
        fed = self.feedback
        return tuple(port for port in self.inputs if port.name in fed), tuple(p for p in self.outputs if p.feeds)

    def initial_state(self, batch: int = 1) -> dict[str, np.ndarray[Any, Any]]:
        """The zeros that a sequence begins with, by input name."""
        import numpy as np  # noqa: PLC0415  listing tasks needs no numpy

        inputs, _ = self.state
        shapes = {port: [size if isinstance(size, int) else batch for size in port.shape] for port in inputs}
        return {port.name: np.zeros(shape, port.dtype) for port, shape in shapes.items()}


class Purpose(StrEnum):
    """What cases are wanted for."""

    PIPELINE = "pipeline"
    """Raw inputs of pipeline.onnx, realistic and hostile: odd sizes and shapes, grey, colour, alpha, EXIF."""
    MODEL = "model"
    """Ready inputs of model.onnx: uniform and smooth ones that gate, and extreme ones that inform."""
    EVALUATION = "evaluation"
    """Items of the evaluation data with their truth, as raw inputs of pipeline.onnx."""
    GOLDEN = "golden"
    """The few that travel with the bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Where the data hold a case, so that it can be had as training has it: `Task.dataset` of this sample alone."""

    card: DataCard
    split: Split
    sample: Any
    """One of the card's own, of that split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input with its story."""

    name: str
    """Unique among the cases of a purpose."""
    kind: str
    """As in realistic, uniform, smooth, zeros, checkerboard, exif."""
    inputs: Arrays
    """By port name; inputs of model.onnx carry their batch axis, those of pipeline.onnx are one item."""
    gates: bool = True
    """False for a case that only informs (far outside what the model was made for)."""
    truth: Any = None
    """What the data say the answer is, in the task's own form."""
    origin: str = ""
    """Where it comes from: "embedded digits, test 17", "photos/cat/3.jpg", "synthetic"."""
    item: Item | None = None
    """Of an evaluation item: what the dataset would make of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How two sets of answers to the same items compare, the way a user of the task would compare them."""

    items: int
    """How many were compared."""
    agreeing: int
    """Items with the same answer."""
    undecided: int
    """Items whose reference answer lies inside its own margin, and the candidate's with it: either is right."""
    unknown: int = 0
    """Of these, those where too many answers would be right to say whether the candidate's is one of them."""
    reference_metrics: Mapping[str, float] = field(default_factory=dict)
    """What the reference reaches on the items whose truth is known."""
    candidate_metrics: Mapping[str, float] = field(default_factory=dict)
    """The same of the candidate."""
    disagreements: tuple[str, ...] = ()
    """A sentence per disagreement outside the margin, the worst first, a dozen at most."""

    @property
    def holds(self) -> bool:
        """Every answer outside its margin agrees."""
        return self.items > 0 and self.agreeing + self.undecided == self.items


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One kind of sabotage that the proof must notice, or the reason why it cannot exist for this task."""

    name: str
    """The generic kinds are weight, scale, bias, classes, normalisation, channels, resize, batch and training."""
    applies: bool = True
    """False where this task cannot have it."""
    reason: str = ""
    """Why it does not apply; shown in the report."""
    edit: Reference | None = None
    """(onnx.ModelProto, seed) -> edited copy; for a task's own kinds."""


GENERIC_CONTROLS: Final = (
    "weight",
    "scale",
    "bias",
    "classes",
    "normalisation",
    "channels",
    "resize",
    "batch",
    "training",
)
"""The kinds of sabotage that every proof is put to, unless the task says why one cannot exist."""


def generic_controls(absent: Mapping[str, str]) -> tuple[Control, ...]:
    """A control of every generic kind; those in `absent` do not apply, for the reason given."""
    kinds = GENERIC_CONTROLS
    return tuple(Control(name=kind, applies=kind not in absent, reason=absent.get(kind, "")) for kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer made readable."""

    text: str
    """One line, or a few."""
    record: Mapping[str, Json]
    """The same for machines."""
    picture: Image | None = None
    """The answer drawn, where it can be."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What else `--save` keeps, by the suffix of its file: ".npy"."""


class Metrics(Protocol):
    """Counts over a whole split; synchronised over processes when computed. [torch]"""

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Add one batch: what `Trainer.predict` returned and what the dataset gave."""

    def compute(self) -> dict[str, float]:
        """The metrics by name; the monitor's is among them."""

    def pictures(self, folder: Path) -> list[Path]:
        """Draw what this task's people look at (confusion matrix, worst mistakes, …) as PNG files."""


class Dataset(Protocol):
    """One split, read batch by batch by index. [torch]"""

    def __len__(self) -> int:
        """Number of items."""

    def batch(self, indices: Sequence[int]) -> Batch:
        """Collated items; images are uint8 [batch, channels, height, width], already resized, not normalised."""

    def ready(self, batch: Batch) -> Batch:
        """The batch as the model takes it (images normalised float32); runs on the batch's device."""


class Task(Protocol):
    """One kind of work.  Frozen facts in, new values out; a Task keeps no state."""

    name: str
    """As its `TaskSpec` has it."""
    monitor: Monitor
    """What the best checkpoint is chosen by."""
    runner: Reference
    """The numpy module shipped in bundles as task.py: "zoo.tasks.image_classification.runner:read".  With the modules
    that it imports from zoo, which `zoo_export.bundle.runner_source` puts before it, it needs only numpy and Pillow.
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
        """Which sabotages this task's proof is put to."""

    # --- people ---
    def read(self, path: Path, problem: Problem) -> Arrays:
        """One raw file as the inputs of pipeline.onnx, without state; BadFile when it cannot be read."""

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """An answer as text, record and picture; at most `limit` of what the task ranks (classes, boxes)."""
