"""The values that the parts of a task take and give: signatures, cases, agreement, controls, what is shown.

The parts themselves are in `zoo.api.parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from zoo.api.data import DataCard, Split
from zoo.api.problem import Json, Problem
from zoo.api.specs import Monitor as Monitor  # noqa: PLC0414  a part of this protocol, told by trainers too
from zoo.api.specs import Reference

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    Arrays = Mapping[str, np.ndarray[Any, Any]]

Batch = dict[str, Any]
"""Tensors by name, and whatever else a dataset adds; trainers and metrics take it."""

MARGIN = "margin"
"""The name under which the proof adds to a reference how sure it is: see `TaskGraphs.postprocess`."""

Progress = Callable[[int, int], None]
"""Called with (done, total)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One named input or output of a graph.

    Examples:
        >>> zoo.Port(name="logits", dtype="float32", shape=("batch", 10), doc="one score for each class").shape
        ('batch', 10)
    """

    name: str
    """Its name in the graph."""
    dtype: str
    """The numpy dtype by name: float32, int64, uint8."""
    shape: tuple[int | str, ...]
    """A string names a dynamic axis: ("batch", 3, 224, 224)."""
    doc: str = ""
    """What it contains, in a sentence."""
    feeds: str = ""
    """For an output that is state: the input that takes it in the next step.  In the first step the input is zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The inputs and outputs of one graph, in order.

    Examples:
        >>> state = zoo.Port(name="h", dtype="float32", shape=("batch", 4))
        >>> following = zoo.Port(name="h_out", dtype="float32", shape=("batch", 4), feeds="h")
        >>> signature = zoo.Signature(inputs=(state,), outputs=(following,))
        >>> signature.feedback, signature.initial_state()["h"].shape
        ({'h': 'h_out'}, (1, 4))
    """

    inputs: tuple[Port, ...]
    """In the order of the graph."""
    outputs: tuple[Port, ...]
    """In the order of the graph."""

    @property
    def feedback(self) -> dict[str, str]:
        """For each input that is state, the output of the step before; empty for a graph without state."""
        return {port.feeds: port.name for port in self.outputs if port.feeds}

    @property
    def state(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        """The inputs and the outputs that are state; a pipeline passes them through unchanged."""
        feedback = self.feedback
        return tuple(port for port in self.inputs if port.name in feedback), tuple(p for p in self.outputs if p.feeds)

    def initial_state(self, batch: int = 1) -> dict[str, np.ndarray[Any, Any]]:
        """The initial state of a sequence, which is zeros, by input name."""
        import numpy as np  # noqa: PLC0415  listing tasks needs no numpy

        inputs, _ = self.state
        shapes = {port: [size if isinstance(size, int) else batch for size in port.shape] for port in inputs}
        return {port.name: np.zeros(shape, port.dtype) for port, shape in shapes.items()}


class Purpose(StrEnum):
    """What cases are used for.

    Examples:
        >>> [purpose.value for purpose in zoo.Purpose]
        ['pipeline', 'model', 'evaluation', 'golden']
    """

    PIPELINE = "pipeline"
    """Raw inputs of pipeline.onnx, realistic and hostile: odd sizes and shapes, grey, colour, alpha, EXIF."""
    MODEL = "model"
    """Preprocessed inputs of model.onnx: uniform and smooth ones that gate, and extreme ones that only inform."""
    EVALUATION = "evaluation"
    """Items of the evaluation data with their truth, as raw inputs of pipeline.onnx."""
    GOLDEN = "golden"
    """The few that the bundle contains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Where the data hold a case: `TaskTensors.dataset` of this sample alone gives it as training has it."""

    card: DataCard
    split: Split
    sample: Any
    """A sample of the card in that split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input, with its kind, origin and truth.

    Examples:
        >>> picture = np.zeros((28, 28, 3), np.uint8)
        >>> zoo.Case(name="all black", kind="zeros", inputs={"image": picture}).gates
        True
    """

    name: str
    """Unique among the cases of a purpose."""
    kind: str
    """realistic, uniform, smooth, zeros, checkerboard, exif, …"""
    inputs: Arrays
    """By port name; inputs of model.onnx carry their batch axis, those of pipeline.onnx are one item."""
    gates: bool = True
    """False for a case that only informs: its input is far outside what the model was made for."""
    truth: Any = None
    """The true answer according to the data, in the task's own form."""
    origin: str = ""
    """Its source: "embedded digits, test 17", "photos/cat/3.jpg", "synthetic"."""
    item: Item | None = None
    """For an evaluation item: its sample in the data."""
    real: Any = None
    """For an evaluation item that has no true answer: something of the data, to measure all answers together with."""
    continues: bool = False
    """For an evaluation item of a sequence: it goes on where the case before ends, whose state may be carried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryCase:
    """Outputs of a model, made up for the postprocess alone: they lie just on either side of what it decides by.

    Examples:
        >>> scores = np.float32([[0.049, 0.051]])
        >>> zoo.BoundaryCase(name="score beside the threshold", outputs={"scores": scores}).raw
        {}
    """

    name: str
    """Unique among those of a task: "score beside the threshold"."""
    outputs: Arrays
    """By port name of model.onnx, with their batch axis; those that the postprocess does not read may be missing."""
    raw: Arrays = field(default_factory=dict)
    """The raw inputs that the postprocess reads beside them, by port name of pipeline.onnx."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two sets of answers to the same items agree, in the terms of the task.

    Examples:
        >>> zoo.Agreement(items=10, agreeing=9, undecided=1).holds
        True
    """

    items: int
    """The number of items compared."""
    agreeing: int
    """Items with equal answers."""
    undecided: int
    """Items whose reference and candidate differ only within the margin of the reference: either is right."""
    unknown: int = 0
    """Of `undecided`, those where too many answers would be right to tell whether the candidate's is among them."""
    reference_metrics: Mapping[str, float] = field(default_factory=dict)
    """The metrics of the reference on the items whose truth is known."""
    candidate_metrics: Mapping[str, float] = field(default_factory=dict)
    """The metrics of the candidate on the same items."""
    disagreements: tuple[str, ...] = ()
    """A sentence for each disagreement outside the margin, the worst first, at most twelve."""

    @property
    def holds(self) -> bool:
        """True when there are items and all agree or are undecided."""
        return self.items > 0 and self.agreeing + self.undecided == self.items


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One kind of mutation that the proof must reject, or the reason why it cannot exist for this task.

    Examples:
        >>> zoo.Control(name="channels", applies=False, reason="the pictures are grey").applies
        False
    """

    name: str
    """The generic kinds are weight, scale, bias, classes, normalisation, channels, resize, batch and training."""
    applies: bool = True
    """False where the mutation cannot exist for this task."""
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
"""The kinds of mutation of every proof, unless the task says why one cannot exist."""


def generic_controls(absent: Mapping[str, str]) -> tuple[Control, ...]:
    """A control of every generic kind; those in `absent` do not apply, for the reason given.

    Args:
        absent: The reason for each kind that cannot exist for a task.

    Returns:
        One control for each of the nine generic kinds.

    Examples:
        >>> controls = zoo.generic_controls({"channels": "the pictures are grey"})
        >>> [control.name for control in controls if not control.applies]
        ['channels']
    """
    kinds = GENERIC_CONTROLS
    return tuple(Control(name=kind, applies=kind not in absent, reason=absent.get(kind, "")) for kind in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer in a readable form.

    Examples:
        >>> zoo.Shown(text="cat 97 %", record={"class": "cat", "probability": 0.97}).picture is None
        True
    """

    text: str
    """One or a few lines."""
    record: Mapping[str, Json]
    """The same as JSON."""
    picture: Image | None = None
    """A drawing of the answer; None where there is none."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Further files that `--save` writes, by their suffix, as in ".npy"."""
    rows: Sequence[Mapping[str, Json]] | None = None
    """Rows of a table: one for each thing found, as each box; None where the record is the only row."""


class Metrics(Protocol):
    """Metrics of a whole split, synchronised over all processes when they are computed. [torch]

    Examples:
        >>> class Count:
        ...     items = 0
        ...     def update(self, outputs, batch):
        ...         self.items += len(batch["label"])
        ...     def compute(self):
        ...         return {"items": float(self.items)}
        ...     def pictures(self, folder):
        ...         return []
    """

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Add one batch: what `Trainer.predict` returned and what the dataset gave."""

    def compute(self) -> dict[str, float]:
        """The metrics by name; the monitor's is among them."""

    def pictures(self, folder: Path) -> list[Path]:
        """Draw the usual pictures of the task (confusion matrix, worst mistakes, …) as PNG files."""


@runtime_checkable
class HasIntervals(Protocol):
    """Metrics that say how sure they are; the report shows it."""

    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """The 95 % interval of metrics by name; after `compute`, on every process."""


@runtime_checkable
class HasCalibration(Protocol):
    """Metrics of a classifier that say whether its probabilities can be believed; the report shows it."""

    def calibration_error(self) -> float:
        """The expected calibration error; after `compute`."""


@runtime_checkable
class ResampledMetrics(Protocol):
    """A part `answers` that measures many selections of the same items fast: the items' own share is computed once."""

    def resampled_metrics(
        self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem
    ) -> Callable[[Sequence[int]], Mapping[str, float]]:
        """A function of indices of items, each as often as it was drawn: what `metrics` gives for those items."""


class Dataset(Protocol):
    """One split, read in batches by index. [torch]

    Examples:
        >>> class Zeros:
        ...     def __len__(self):
        ...         return 4
        ...     def batch(self, indices):
        ...         return {"input": torch.zeros(len(indices), 1, 8, 8, dtype=torch.uint8)}
        ...     def ready(self, batch):
        ...         return {"input": batch["input"].float() / 255}
        >>> data = Zeros()
        >>> data.ready(data.batch([0, 1]))["input"].shape
        torch.Size([2, 1, 8, 8])
    """

    def __len__(self) -> int:
        """Number of items."""

    def batch(self, indices: Sequence[int]) -> Batch:
        """Collated items; images are uint8 [batch, channels, height, width], already resized, not normalised."""

    def ready(self, batch: Batch) -> Batch:
        """The batch as the model takes it (images normalised float32); runs on the batch's device."""
