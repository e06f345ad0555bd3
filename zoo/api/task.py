"""The values that the parts of a task take and give: signatures, cases, agreement, controls, what is shown.

The parts themselves are in `zoo.api.parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from zoo.api.data import DataCard, Split
from zoo.api.problem import Json
from zoo.api.specs import Monitor as Monitor  # noqa: PLC0414  a part of this protocol, told by trainers too
from zoo.api.specs import Reference

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    Arrays = Mapping[str, np.ndarray[Any, Any]]

Batch = dict[str, Any]
"""Tensors by name, and whatever else a dataset gives; what trainers and metrics pass around."""

MARGIN = "margin"
"""The name under which the proof adds to a reference how sure it is: see `TaskGraphs.postprocess`."""

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
    """Where the data hold a case: `TaskTensors.dataset` of this sample alone gives it as training has it."""

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
