"""What was measured, as plain frozen facts that `zoo.runs.serialization` writes and reads.

None (or an empty tuple of cases) means that nobody measured it, which no gate takes for a pass.  Numbers that are not
finite are None as well, because JSON has none.  The measurer fills these in; only the judge draws conclusions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from zoo.api.task import Agreement

SCHEMA = 2

RANGE = "range"
"""The kind of the cases that are there for their size alone."""

VALUES = "values"
"""The kind of the cases whose inputs are beyond the usual values; they gate where PyTorch is well conditioned."""

BOUNDARY = "boundary"
"""The kind of the cases of the postprocess alone, made-up outputs of the model on both sides of what it decides by."""

BEYOND = frozenset({VALUES, BOUNDARY})
"""The kinds that say nothing about the usual noise."""

Compare = Literal["rule", "equal", "choice", "levels", "agreement"]
"""How one output is judged: by the parity rule (floats), element by element (integers and booleans), in grey levels
(uint8 pictures, at most one level off and rarely), or by the task's agreement alone (detections, in any order)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where the measuring was done."""

    zoo: str
    python: str
    platform: str
    cpu: str
    """As in "AMD EPYC 9R14, AVX512, 2 cores"."""
    onnxruntime: str
    numpy: str
    provider: str
    """ONNX Runtime's execution provider, "CPUExecutionProvider"."""
    threads: int
    sandbox: str
    """What limits the runtime's process here, in words; on macOS and Windows the time limit only."""
    onnx: str | None = None
    torch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of the subject, by its name inside the bundle."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the evidence is about; the judge refuses evidence about other bytes than those to be published."""

    model: str
    """Full name, "torchvision/resnet18"; the file's name for a file that zoo did not make."""
    task: str
    files: tuple[File, ...]
    weights: str
    """Where the parameters come from: "run runs/…/step-470", "resnet18@imagenet1k_v1", "random weights"."""
    weights_sha256: str
    """Digest over the exported module's state, names and bytes."""
    trained: bool = True
    """False for an architecture with random weights."""
    scope: Literal["bundle", "file"] = "bundle"
    """file: a single .onnx that zoo did not make; it has no lineage and need not carry labels."""


Precision = Literal["float32", "float16", "bfloat16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the answers are measured against."""

    kind: Literal["fp64", "spread"]
    """fp64: the user's own eager model in double precision.  spread: where fp64 cannot run, the mean of the fp32
    backends, whose spread is then the noise."""
    backends: tuple[str, ...]
    """The fp32 runs whose smallest error is the noise: "default", "no-onednn", "channels-last"."""
    reason: str = ""
    """Why fp64 could not run."""
    precision: Precision = "float32"
    """The least precise floats that the model itself computes with: its own rounding is the noise."""
    discrepancies: tuple[str, ...] = ()
    """A sentence per known discrepancy between paths of PyTorch itself, as where the transformer's fast path and slow
    path disagree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Magnitude:
    """The size of an array or of an error: root mean square and largest absolute value; None is not finite."""

    rms: float | None
    max: float | None

    @classmethod
    def of(cls, rms: float, max: float) -> Magnitude:
        """The magnitude, with what is not finite as None."""
        return cls(rms=rms if math.isfinite(rms) else None, max=max if math.isfinite(max) else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputError:
    """One output of one case: how large it is, how far ONNX is off, how far PyTorch's own fp32 is off."""

    name: str
    compare: Compare
    dtype: str
    """What the file gave."""
    reference_dtype: str
    """What eager PyTorch gives in fp32."""
    shape: tuple[int, ...]
    reference_shape: tuple[int, ...]
    finite: bool
    """The file's answer has no NaN and no infinity."""
    reference_finite: bool
    scale: Magnitude | None = None
    """Of the reference; with compare "rule"."""
    onnx: Magnitude | None = None
    """|onnx - reference|; with compare "rule"."""
    torch: Magnitude | None = None
    """|fp32 - reference| of the best PyTorch backend; with compare "rule", and of the margin with "choice"."""
    torch_typical: Magnitude | None = None
    """The same of the middle backend: what PyTorch is off by where it is neither lucky nor unlucky."""
    sqnr_db: float | None = None
    """10 log10(sum reference^2 / sum error^2), centred per output; None when there is no error at all."""
    elements: int | None = None
    """Elements compared; with compare "equal", "choice" and "levels"."""
    differing: int | None = None
    """Elements that differ where fp32 and fp64 agree ("equal"), away from ties ("choice"), or at all ("levels")."""
    far: int | None = None
    """Elements more than one grey level off ("levels"), or that differ at all, ties included ("choice")."""
    undecided: int | None = None
    """Elements that are ties within ten times PyTorch's own noise; with compare "choice"."""
    noise_measured: bool = True
    """False where the reference is PyTorch's own fp32, which was near enough; `torch` is zero then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One prepared input against the training-time preprocessing, pictures in grey levels of 0..255.

    Of what is no picture every element that differs is far off.
    """

    against: str
    """Whose preprocessing: "training", "the dataset" where an item was had as training has it, or a publisher's own
    transform by name."""
    elements: int
    differing: int
    """Elements more than half a level off."""
    far: int
    """Elements more than one level off."""
    name: str = ""
    """Of the evaluation item; empty where the case has the name."""
    same_answer: bool = True
    """The task finds the model's answers to both the same, outside their margins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvidence:
    """One input and what came out of it.  `error` tells why nothing came out."""

    name: str
    kind: str
    """As in realistic, uniform, smooth, zeros, checkerboard, exif, rollout, split, range, values, boundary."""
    gates: bool
    inputs: Mapping[str, tuple[int, ...]]
    """Shape per input name."""
    outputs: tuple[OutputError, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    steps: int = 1
    """Of a roll-out with its state fed back."""
    error: str = ""
    """What the runtime said when it could not run this case."""
    reference_error: str = ""
    """What PyTorch said when it could not; the case is then inconclusive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Determinism:
    """The same inputs twice, under different seeds, bit for bit."""

    torch_equal: bool
    runtime_equal: bool
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOutput:
    """Does one output respond to the input at all."""

    name: str
    inputs: int
    """How many different inputs were looked at."""
    spread: float | None
    """Standard deviation across them, rms over elements, of the reference; 1 or 0 for answers that are not floats
    (they differ, they do not)."""
    noise: float | None
    """rms of PyTorch's own fp32 error over them."""
    onnx_spread: float | None
    """As `spread`, of the file's answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One declared dynamic axis, and the sizes at which the file was run and compared."""

    input: str
    index: int
    name: str
    tested: tuple[int, ...]
    example: int
    """The size at which it was exported."""
    failures: tuple[str, ...] = ()
    """A sentence per size that did not run, or gave another shape or answer."""
    maximum: int | None = None
    """The largest size that the model declares; None where it declares none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """All declared dynamic axes of a graph."""

    tested: tuple[Axis, ...]
    arithmetic: tuple[str, ...] = ()
    """Output dimensions computed from input dimensions, "features[2] = s53//4", that the model did not declare."""
    undeclared: tuple[str, ...] = ()
    """Axes whose place or dynamic nature in the file is not what the signature says, a sentence each."""
    static: str = ""
    """Why the graph has no dynamic axis, where it declares none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFacts:
    """What the file itself says."""

    opset: int
    opset_asked: int
    ir_version: int
    ops: Mapping[str, int]
    """How many nodes per op, "domain::Op" outside the default domain; functions and subgraphs included."""
    domains: tuple[str, ...]
    forbidden: tuple[str, ...] = ()
    """Ops that are not on the list of known ones."""
    random: tuple[str, ...] = ()
    """Nodes that draw random numbers or behave as in training: RandomNormal, live Dropout, BatchNormalization."""
    paths: tuple[str, ...] = ()
    """Local file paths found in names, documentation or metadata."""
    external: tuple[str, ...] = ()
    """Tensors stored outside the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEvidence:
    """Everything measured about one graph; `sha256` is that of the bytes the runtime loaded."""

    name: str
    """model.onnx, pipeline.onnx, or a foreign file's name."""
    sha256: str
    role: Literal["model", "pipeline"] = "model"
    cases: tuple[CaseEvidence, ...] = ()
    facts: GraphFacts | None = None
    determinism: Determinism | None = None
    liveness: tuple[LiveOutput, ...] = ()
    axes: Axes | None = None
    outputs: tuple[str, ...] = ()
    """The names the signature declares; every one of them must have been measured."""
    stateful: bool = False
    """Some outputs are fed back; roll-out and split cases are then required."""
    answers: Agreement | None = None
    """The task's comparison of the answers to these very cases; required where an output is judged by agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalMode:
    """How the module stood when it was exported and measured."""

    modules: int
    """How many were looked at."""
    training: tuple[str, ...] = ()
    """Module paths still in training mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """The exported module's state against the initialisers of the unoptimised graph."""

    total: int
    """Tensors of the module's state that are parameters or live buffers."""
    equal: int
    """Found under their name, bit for bit."""
    unused: tuple[str, ...] = ()
    """No output reaches them in eval mode."""
    tied: tuple[str, ...] = ()
    """Share their storage with another that is counted."""
    different: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    """Float initialisers above 1 KB that nothing explains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Class names, by the sha256 of their JSON list; a task without classes has the digest of an empty list."""

    classes: int
    expected_sha256: str
    """Of the checkpoint's problem."""
    files: Mapping[str, str | None]
    """Digest per file that carries the names, by file name; None where the file has none."""
    known: int = 0
    """Items whose true class is known and whose margin is clear in the reference."""
    known_right: int = 0
    """Of these, answered by the file with the same class *name* as the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """One mutant: a copy of this very bundle with one thing wrong, and what the gates said to it."""

    name: str
    """weight, scale, bias, classes, normalisation, channels, resize, batch, training, or a task's own."""
    applied: bool
    graph: str = ""
    detail: str = ""
    """What was changed, or why it does not apply."""
    killed_by: tuple[str, ...] = ()
    """Names of the gates that failed on the copy: `zoo.bundle.judge.verdict.killing_gates`."""
    ratio: float | None = None
    """The largest ratio of the rule on the copy, for the report."""
    equivalence: str = ""
    """The proof that the copy computes the same function ("both rows hold the same bytes"); empty without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenTolerance:
    """What the tolerance of one golden answer is made of; see `parity_rule.golden_tolerance`."""

    name: str
    """Of the output."""
    scale: Magnitude
    """Of the answer."""
    noise: Magnitude
    """PyTorch's own, on this case."""
    moved: Magnitude
    """How far the answers move where the preprocess rounds ties the other way, which a device may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenEvidence:
    """One golden case as the proof gave it."""

    case: str
    """The name of the case among those of the graph."""
    graph: str
    file: str
    sha256: str
    """Of the file."""
    outputs: tuple[GoldenTolerance, ...] = ()
    """Those that are compared within a tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An output that the rule cannot hold for, by the plugin's own word; every report shows it."""

    output: str
    reason: str
    bound: float
    """The largest rms(error) / rms(reference) that it may still have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What the answers of the pipeline reach against the data, beside the run's own metrics on the same items."""

    items: int
    """Items whose truth is known."""
    answers: Mapping[str, float] = field(default_factory=dict)
    """The metrics of the pipeline's answers, by name."""
    own: Mapping[str, float] = field(default_factory=dict)
    """The metrics that chose the checkpoint, measured on the raw head of the model."""
    undecided: int = 0
    """Items whose answer lies inside its margin: either answer is right, and the metric may count either."""
    rounded: bool = False
    """Some items differ by the rounding of a grey level between the dataset and the pipeline."""
    resized: bool = False
    """The answers have the size of the picture, and the run's own metrics are of the model's size."""
    stand_ins: tuple[str, ...] = ()
    """Metrics of the answers that zoo computed itself, because the task has none for answers."""
    reason: str = ""
    """Why nothing was compared, in a sentence; empty where it was."""
    needed: bool = True
    """False where there is no truth to compare with, and `reason` says what stands in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that one proof knows."""

    environment: Environment
    subject: Subject
    reference: Reference
    graphs: tuple[GraphEvidence, ...]
    eval_mode: EvalMode | None = None
    lineage: Lineage | None = None
    labels: Labels | None = None
    agreement: Agreement | None = None
    """Over the evaluation items."""
    skew: tuple[Prepared, ...] | None = None
    """Training-serving skew: evaluation items as the dataset feeds them to the model, against the preprocessing of
    the pipeline; empty where no item can be had from the dataset."""
    agreement_data: str = ""
    """Which items: "500 of 2,000, digits test"."""
    truth: Truth | None = None
    """None for a file alone."""
    advice: tuple[str, ...] = ()
    """Where answers are wrong: lines of the model's code that are often behind it, and what to write instead."""
    mutants: tuple[MutantResult, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    golden: tuple[GoldenEvidence, ...] = ()
    """Those that travel with the bundle; empty for a file alone."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Per part of the measuring, by gate name."""
    schema: int = SCHEMA

    def graph(self, name: str) -> GraphEvidence | None:
        """The evidence on one graph."""
        return next((graph for graph in self.graphs if graph.name == name), None)
