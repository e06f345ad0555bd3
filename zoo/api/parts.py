"""A task of API 2: five parts, each with its own job, and the value that the rest of zoo works with.

A part is a class that its `TaskSpec` names by reference; it is created without arguments on first use and keeps no
state.  `TaskData` and `TaskAnswers` import no torch; `TaskTensors` and `TaskGraphs` may import it at the top of their
module.  Bases with defaults for pictures, texts and tables of numbers: `zoo.PictureData`, `zoo.TextData`,
`zoo.TableData`, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import UsageError
from zoo.api.formats import FormatSpec
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Input, Problem
from zoo.api.recipe import Augment
from zoo.api.specs import Monitor, Reference, TaskTags
from zoo.api.task import (
    Agreement,
    Batch,
    BoundaryCase,
    Case,
    Control,
    Dataset,
    Metrics,
    Port,
    Progress,
    Purpose,
    Shown,
    Signature,
)

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class FileItem:
    """One item of a file, as the inputs of pipeline.onnx.

    Examples:
        >>> zoo.FileItem(inputs={"features": np.zeros((1, 3), np.float32)}, name="row 1").unreadable
        ''
    """

    inputs: Arrays
    """By port name, without state."""
    name: str = ""
    """Which item of the file it is, "row 3"; empty where the file is the item."""
    unreadable: str = ""
    """Why this item of many cannot be read; its `inputs` are empty then, and the other items are answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """The inputs and outputs of both graphs of a bundle.

    Examples:
        >>> values = zoo.Port(name="values", dtype="float32", shape=("batch", 1))
        >>> graph = zoo.Signature(inputs=(zoo.IMAGE,), outputs=(values,))
        >>> zoo.Signatures(model=None, pipeline=graph).pipeline.inputs[0].name
        'image'
    """

    model: Signature | None
    """Of model.onnx, without state; None where only the model's adapter knows it and declares it."""
    pipeline: Signature
    """Of pipeline.onnx, without state."""


class TaskData(Protocol):
    """From what people bring to what zoo learns from.  Imports no torch.

    Examples:
        >>> data = zoo.Catalog.discover().make_task("image-classification").data
        >>> source = data.detect(zoo.DataRequest(source="digits"))
        >>> source.format
        'digits'
    """

    def detect(self, request: DataRequest) -> DataSource:
        """The format of a source, in under a second; DataError names the accepted formats when none fits."""

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every sample looked at; DataError lists what is wrong, where, and the fix."""

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The facts that a model for these data is built with; `task` is the task's name, `input` the model's."""

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """The items of a file; BadFile when it cannot be read.  More than one only with the tag `many_items`."""

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """With the tag `reads_text`: the inputs made from a text given in words; BadFile when that cannot be."""


@runtime_checkable
class ReadsFormats(Protocol):
    """A part `data` that reads formats of any plugin, as the bases for pictures and texts do.

    Examples:
        >>> isinstance(zoo.PictureData(), zoo.ReadsFormats)
        True
    """

    def with_formats(self, formats: Mapping[str, FormatSpec]) -> TaskData:
        """The same part that knows these formats, by the names that --format calls them."""


@runtime_checkable
class NotesInput(Protocol):
    """A part `data` that has something to say about data and a model's input together.

    Examples:
        >>> class Data(zoo.TextData):
        ...     def input_notes(self, card, input):
        ...         return ["every text fits"]
    """

    def input_notes(self, card: DataCard, input: Input) -> Sequence[str]:
        """Sentences on what the input does to the data: texts that are cut, sounds that are resampled."""


class TaskTensors(Protocol):
    """What training and evaluation need.  [torch]

    Examples:
        >>> tensors = zoo.Catalog.discover().make_task("image-classification").tensors
        >>> image = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.13,), std=(0.31,))
        >>> problem = zoo.Problem(task="image-classification", input=image, classes=("cat", "dog"))
        >>> metrics = tensors.metrics(problem)
        >>> metrics.update({"logits": torch.tensor([[1.0, 0.0]])}, {"label": torch.tensor([0])})
        >>> metrics.compute()["top1"]
        1.0
    """

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split, as the problem's input wants it.

        With the tag `ordered` it has `order(batch_size, generator)`, with `adjustable` it has `adjusted(options)`.
        """

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """A changed copy of a training batch, before `Dataset.ready`."""

    def metrics(self, problem: Problem) -> Metrics:
        """Empty metrics, from a kept library.  With the tag `epoch_figure` they have `epoch_picture(path)`."""


class TaskGraphs(Protocol):
    """What is exported beside the model.  [torch]

    Examples:
        >>> graphs = zoo.Catalog.discover().make_task("image-classification").graphs
        >>> image = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.13,), std=(0.31,))
        >>> problem = zoo.Problem(task="image-classification", input=image, classes=("cat", "dog"))
        >>> [port.name for port in graphs.signatures(problem).pipeline.outputs]
        ['probabilities']
    """

    def signatures(self, problem: Problem) -> Signatures:
        """Inputs and outputs of model.onnx and pipeline.onnx."""

    def preprocess(self, problem: Problem) -> nn.Module:
        """What pipeline.onnx begins with: inputs of the pipeline to inputs of the model (with batch axis)."""

    def postprocess(self, problem: Problem) -> nn.Module:
        """What pipeline.onnx ends with: outputs of the model to the answer.

        A module that needs raw inputs of the pipeline as well (a detector needs the size of the given picture)
        names them in an attribute `raw: tuple[str, ...]`; they follow the outputs of the model.

        With the tag `has_margin` the answer is a choice for each of many positions (a class for every pixel), and the
        module has a method `margin`: of the same inputs, float of the answer's shape, how far the chosen score stands
        above the next.  The file does not answer it; the proof asks PyTorch, leaves out positions where the margin is
        within the noise, says how many they are, and gives it to `agreement` as `zoo.api.task.MARGIN`.
        """

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:
        """The same as data, in order, with the numbers that the module is built with: what manifests hold."""


class TaskAnswers(Protocol):
    """Test inputs, and what is done with answers: compared, measured, shown.  Imports no torch.

    Examples:
        >>> task = zoo.Catalog.discover().make_task("image-classification")
        >>> image = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.13,), std=(0.31,))
        >>> problem = zoo.Problem(task=task.name, input=image, classes=("cat", "dog"))
        >>> case, *_ = task.answers.cases(None, problem, zoo.Purpose.PIPELINE, limit=1)
        >>> case.inputs["image"].dtype
        dtype('uint8')
    """

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

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:
        """What answers reach on the cases whose truth is known, with the names and units of `TaskTensors.metrics`.

        Empty where no truth is known, or where a single answer has no metric.  Cases may come without their inputs.
        """

    def boundary_cases(self, problem: Problem, outputs: Sequence[Port]) -> Sequence[BoundaryCase]:
        """With the tag `has_boundary`: made-up outputs of a model on both sides of every threshold and limit.

        `outputs` are the model's ports, with sizes for all axes; the batch has size 1.  PyTorch answers them in single
        and in double precision, and both must give the same boxes, classes or tokens: nothing may lie so near to a
        threshold that rounding decides.
        """

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """Which mutations this task's proof is put to."""

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """An answer as text, record and picture; at most `limit` of what the task ranks (classes, boxes)."""

    def generate(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        """With the tag `generative`: the answer to the inputs of one item (the state among them) by many runs.

        `feedback` is that of the signature: input name to the output of the run before that it is fed.
        """

    def prompts(self, problem: Problem) -> Sequence[str]:
        """With the tag `unconditional`: the texts to answer where nothing is given, one answer each."""

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        """With the tag `pairwise`: what follows from two answers or more; of more, at most `limit` matches of each."""

    def calibrate(self, problem: Problem, metrics: Mapping[str, float]) -> Problem:
        """With the tag `has_threshold`: the problem with the threshold that the validation metrics hold, if any."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One kind of work, as the rest of zoo uses it: `Catalog.make_task` gives it.  Each part is made on first use.

    Examples:
        >>> task = zoo.Catalog.discover().make_task("image-classification")
        >>> task.monitor.metric
        'top1'
    """

    name: str
    """As its `TaskSpec` has it."""
    monitor: Monitor
    """What the best checkpoint is chosen by."""
    tags: TaskTags
    """What only some tasks can do."""
    make_data: Callable[[], TaskData]
    """Gives the part `data`; the same for the others."""
    make_tensors: Callable[[], TaskTensors]
    """[torch]"""
    make_graphs: Callable[[], TaskGraphs]
    """[torch]"""
    make_answers: Callable[[], TaskAnswers]
    """Torch-free."""
    device: Callable[[Problem], Reference]
    """The numpy module that bundles of a problem carry as task.py: "zoo_keypoints.device:read"."""

    @cached_property
    def data(self) -> TaskData:
        """Formats, checks, facts, reading."""
        return self.make_data()

    @cached_property
    def tensors(self) -> TaskTensors:
        """Datasets and metrics.  [torch]"""
        return self.make_tensors()

    @cached_property
    def graphs(self) -> TaskGraphs:
        """Signatures, preprocessing and postprocessing.  [torch]"""
        return self.make_graphs()

    @cached_property
    def answers(self) -> TaskAnswers:
        """Cases, agreement, metrics, controls, showing."""
        return self.make_answers()

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The facts that a model of this task is built with, for these data."""
        return self.data.problem(self.name, card, input)

    def model_signature(self, problem: Problem) -> Signature:
        """Inputs and outputs of model.onnx, without state; UsageError where only the adapter knows them.  [torch]"""
        signature = self.graphs.signatures(problem).model
        if signature is None:
            raise UsageError(
                f"the task {self.name} does not know the outputs of a model: that is for the model's adapter to say",
                hint="give the adapter's module an attribute `signature`, as `zoo.detector_signature` makes one",
            )
        return signature


def declares(tag: bool | None, made: Any, method: str) -> bool:
    """Whether an object that a part made has a method: as the tag says; where it says None, as the object is."""
    return callable(getattr(made, method, None)) if tag is None else tag
