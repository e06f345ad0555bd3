"""What was measured of a variant: the same model in fewer bits, beside the fp32 graphs that it was made from.

Plain frozen facts, as those of `evidence`; None means that nobody measured it, which no gate takes for a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from zoo.api.runtime import RuntimePrecision
from zoo.api.task import Agreement
from zoo.bundle.judge.evidence import File, MutantResult

Bits = Literal["int8", "fp16", "int4"]
"""What a variant's weights are stored in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDrop:
    """The task's metric of the variant's answers beside that of the fp32 pipeline's, on the same evaluation items."""

    name: str
    mode: Literal["max", "min"]
    """Whether the larger or the smaller value is better."""
    items: int
    baseline: float
    """Of the fp32 pipeline."""
    value: float
    """Of the variant."""
    resampled: tuple[float, ...]
    """The drop on resampled items, the same ones for both (a paired bootstrap); positive is worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFidelity:
    """One float output of model.onnx over held-out inputs."""

    name: str
    inputs: int
    sqnr_db: float | None
    """Of the variant against fp32, 10 log10(sum signal^2 / sum error^2), the signal without its mean; None where the
    two are equal or the signal is constant."""
    precision_error: float | None
    """rms of what the precision costs: the graph in float arithmetic, unoptimised, against fp32."""
    execution_error: float | None
    """rms of what the runtime's integer arithmetic adds: the graph as it runs against the same in float arithmetic."""
    scale: float
    """rms of the fp32 output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightFidelity:
    """The weights of the variant against those of the proved model.onnx."""

    total: int
    """Float weights of model.onnx."""
    equal: int
    """Kept in float, bit for bit."""
    quantised: int
    """Within half a step of the proved weight, element by element."""
    different: tuple[str, ...] = ()
    """Further off, or not in the variant."""
    extra: tuple[str, ...] = ()
    """Large tensors of the variant that stand for no weight of model.onnx."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Runs of the fp32 pipeline and of the variant's in one process on this machine, in blocks that take turns.

    Of each block the fastest run counts: what else the machine does makes runs slower, never faster.
    """

    milliseconds: float
    """Of the variant: the median of its blocks."""
    baseline_milliseconds: float
    ratios: tuple[float, ...]
    """Variant / fp32, a pair of blocks each."""
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way that was tried."""

    name: str
    """As in "static, U8S8, per channel, minmax"."""
    refused: str = ""
    """Why it was left out, in a sentence; empty for one that was measured."""
    metric: float | None = None
    upper_drop: float | None = None
    """The upper end of the bootstrap interval of the metric's drop."""
    bytes: int | None = None
    ratio: float | None = None
    """Latency against fp32; None where it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSensitivity:
    """What one node costs where it alone is converted."""

    node: str
    op: str
    sqnr_db: float | None
    """Of the model's outputs, the worst of them; None where nothing changes."""
    in_float: bool = False
    """The search kept it in float."""
    module: str = ""
    """The module of the model that it is of, as layer1.0.conv1; empty where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToleratedOutput:
    """How near a device must come to one golden answer of the variant."""

    name: str
    compare: str
    rms: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantGoldenEvidence:
    """One golden case of the variant, as the export made it."""

    case: str
    graph: str
    file: str
    sha256: str
    """Of the file."""
    outputs: tuple[ToleratedOutput, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantEvidence:
    """All that is known about one variant."""

    name: str
    bits: Bits | RuntimePrecision
    """What weights are stored in, and what another runtime computes in."""
    method: str
    """How it was made, in words."""
    files: tuple[File, ...]
    """Its two graphs, by their names inside the bundle."""
    made_from: Mapping[str, str]
    """sha256 of the fp32 graphs, by file name."""
    calibration: str = ""
    """What it was calibrated with: "128 items of the train split of digits, seed 0"; empty where nothing was needed."""
    max_drop: float | None = None
    """What the user allows the metric to fall by; None for the default."""
    metric: MetricDrop | None = None
    no_metric: str = ""
    """Why there is no metric, in a sentence."""
    agreement: Agreement | None = None
    """The task's comparison with the answers of the fp32 pipeline; `holds` is not asked for, the share is shown."""
    outputs: tuple[OutputFidelity, ...] = ()
    weights: WeightFidelity | None = None
    repeats_equal: bool | None = None
    """The same input gave the same bits in two sessions."""
    sizes: tuple[str, ...] = ()
    """The cases of other shapes and batches at which the variant gave outputs of the right shape."""
    size_failures: tuple[str, ...] = ()
    bytes: int = 0
    """Of its pipeline.onnx."""
    baseline_bytes: int = 0
    latency: Latency | None = None
    saturates: bool | None = None
    """Whether products of unsigned and signed bytes saturate on this machine; None where the variant has none."""
    candidates: tuple[Candidate, ...] = ()
    sensitivity: tuple[NodeSensitivity, ...] = ()
    """The most sensitive nodes first; empty where no search was needed."""
    mutants: tuple[MutantResult, ...] = ()
    golden: tuple[VariantGoldenEvidence, ...] = ()
    """Those that travel with the variant."""
    seconds: Mapping[str, float] = field(default_factory=dict)
