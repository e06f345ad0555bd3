"""The verdict on a variant in single precision: the pipeline for pictures of one size, or for a batch of pictures.

It is held to the rule of the proof itself, not to a budget: answers are compared with PyTorch's in double precision.

verdict = judge_form(evidence, published={"variants/batch/pipeline.onnx": sha256, "pipeline.onnx": sha256, …})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from zoo.api.data import counted
from zoo.api.task import Signature
from zoo.bundle.judge.cases import Finding, some
from zoo.bundle.judge.evidence import Evidence, File, MutantResult
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.judge.variant_evidence import VariantGoldenEvidence
from zoo.bundle.judge.verdict import GATES, GateSpec, proved_words, refused_words

FormKind = Literal["fixed size", "batch"]
BATCH: Final = "batch"
"""The name of the variant for batches, and of its axis."""
FIXED: Final = "fixed-"
"""What the names of variants for one size begin with."""
FP32: Final = "fp32"
"""What such a variant is stored in."""
PIPELINE: Final = "pipeline.onnx"
MIN_BATCHES: Final = 3
MIN_MUTANTS: Final = 3
MIN_MUTATION_SCORE: Final = 0.95
NOT_MEASURED: Finding = (Status.INCONCLUSIVE, "not measured")
PROOF_GATES: Final[Mapping[FormKind, frozenset[str]]] = {
    # the metric on the evaluation data is that of the bundle's pipeline: pictures of one size are other pictures
    "fixed size": frozenset(gate.name for gate in GATES) - {"truth"},
    "batch": frozenset({"determinism", "conditioning", "pipeline", "graph"}),
}
"""The gates of the proof that a variant of a kind is put to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedForms:
    """Which of these variants are asked for."""

    fixed_sizes: tuple[tuple[int, int], ...] = ()
    """Height and width in pixels."""
    batch: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of the variants."""
        sizes = [f"{FIXED}{height}x{width}" for height, width in dict.fromkeys(self.fixed_sizes)]
        return (*sizes, *([BATCH] if self.batch else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class FormEvidence:
    """All that is known about one such variant."""

    name: str
    """fixed-480x640, or batch."""
    kind: FormKind
    method: str
    """How it was made, in words."""
    made_from: Mapping[str, str]
    """sha256 of the graphs of the bundle, by file name."""
    file: File | None = None
    """Its pipeline.onnx, by its name inside the bundle; None where none could be made."""
    refused: str = ""
    """Why none could be made, in a sentence."""
    signature: Signature | None = None
    """What its inputs and outputs must be."""
    inputs: Mapping[str, tuple[int | str | None, ...]] = field(default_factory=dict)
    """Shape of each input as the runtime declares it of the file."""
    dynamic: int | None = None
    """Values inside the graph whose shape depends on the inputs; None where nobody counted them."""
    values: int = 0
    """All values inside the graph."""
    batches: tuple[int, ...] = ()
    """Sizes of the batches whose answers were compared, picture by picture."""
    batch_failures: tuple[str, ...] = ()
    """A sentence for each batch that gave no answer for each of its pictures."""
    weights: int | None = None
    """Tensors that pipeline.onnx holds as well, bit for bit; of a batch."""
    other_weights: tuple[str, ...] = ()
    """Tensors that pipeline.onnx does not hold with these bytes, and large ones that are missing; of a batch."""
    proof: Evidence | None = None
    """The proof, executed on this file."""
    mutants: tuple[MutantResult, ...] = ()
    """Beside those of the proof: what only such a variant can get wrong."""
    golden: tuple[VariantGoldenEvidence, ...] = ()
    """Those that travel with the variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormVerdict:
    """The gates of such a variant and what follows from them."""

    status: Status
    gates: tuple[Gate, ...]

    @property
    def publishes(self) -> bool:
        """PASS and WARN do."""
        return self.status in (Status.PASS, Status.WARN)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.publishes:
            return proved_words(self.gates)
        return refused_words(self.status, self.gates)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormGate:
    """A gate of such a variant by name, with what it is there for."""

    name: str
    check: Callable[[FormEvidence], Finding]
    guards: str


def judge_form(evidence: FormEvidence, *, published: Mapping[str, str]) -> FormVerdict:
    """The verdict on the file about to be published beside the graphs of the bundle; all are in `published`."""
    checked = [_gate("subject", lambda measured: _subject(measured, published), evidence)]
    if evidence.file is not None:
        checked += [_gate(gate.name, gate.check, evidence) for gate in FORM_GATES]
        checked += _proof_gates(evidence)
    return FormVerdict(status=worst(*(gate.status for gate in checked)), gates=tuple(checked))


def _gate(name: str, check: Callable[[FormEvidence], Finding], evidence: FormEvidence) -> Gate:
    try:
        status, detail = check(evidence)
    except Exception as error:  # evidence that a gate cannot even read must not pass
        status, detail = Status.FAIL, f"the evidence cannot be read: {type(error).__name__}: {error}"
    return Gate(name=name, status=status, detail=detail)


def _proof_gates(evidence: FormEvidence) -> list[Gate]:
    proof = evidence.proof
    if proof is None:
        return [Gate(name="pipeline", status=NOT_MEASURED[0], detail=NOT_MEASURED[1])]
    wanted = PROOF_GATES[evidence.kind]
    return [_of_proof(spec, proof) for spec in GATES if spec.name in wanted]


def _of_proof(spec: GateSpec, proof: Evidence) -> Gate:
    try:
        status, detail = spec.check(proof)
    except Exception as error:  # evidence that a gate cannot even read must not pass
        status, detail = Status.FAIL, f"the evidence cannot be read: {type(error).__name__}: {error}"
    return Gate(name=spec.name, status=status, detail=detail)


def _subject(evidence: FormEvidence, published: Mapping[str, str]) -> Finding:
    """The evidence is about these very bytes, made from the graphs beside them."""
    file, proof = evidence.file, evidence.proof
    if file is None:
        return Status.FAIL, evidence.refused or "no such pipeline could be made"
    expected = f"variants/{evidence.name}/{PIPELINE}"
    if file.name != expected:
        return Status.FAIL, f"measured {file.name}, not {expected}"
    graph = None if proof is None else proof.graph(PIPELINE)
    if graph is None or graph.sha256 != file.sha256:
        return Status.FAIL, f"{file.name}: its proof is about other bytes"
    if not evidence.made_from:
        return Status.FAIL, "what it was made from is not told"
    for name, digest in {file.name: file.sha256, **evidence.made_from}.items():
        if published.get(name) != digest:
            return Status.FAIL, f"{name}: the bytes measured are not the bytes to be published"
    return Status.PASS, evidence.method


def _shape(evidence: FormEvidence) -> Finding:
    """Every input has the size, or the batch axis, that the variant is for."""
    signature = evidence.signature
    if signature is None or not evidence.inputs or evidence.dynamic is None:
        return NOT_MEASURED
    expected = {port.name: port.shape for port in signature.inputs}
    for name, shape in expected.items():
        actual = evidence.inputs.get(name)
        if actual is None or not _same_shape(shape, actual):
            words = "missing" if actual is None else str(list(actual))
            return Status.FAIL, f"its input {name} is {words}, not {list(shape)}"
    if evidence.kind == "fixed size":
        named = [f"{name} {list(shape)}" for name, shape in expected.items() if any(isinstance(n, str) for n in shape)]
        if named:
            return Status.FAIL, f"an input has no fixed size: {some(named)}"
    elif any(shape[:1] != (BATCH,) for shape in expected.values()):
        return Status.FAIL, "an input has no batch axis"
    shapes = "; ".join(f"{name} {list(shape)}" for name, shape in expected.items())
    return Status.PASS, f"{shapes}; {evidence.dynamic} of {evidence.values} values inside have a dynamic shape"


def _same_shape(expected: tuple[int | str, ...], actual: tuple[int | str | None, ...]) -> bool:
    pairs = zip(expected, actual, strict=False)
    return len(expected) == len(actual) and all(
        a == e if isinstance(e, int) else not isinstance(a, int) for e, a in pairs
    )


def _batches(evidence: FormEvidence) -> Finding:
    """Batches of several sizes gave an answer for each picture, each compared with PyTorch's for that picture."""
    if evidence.kind == "fixed size":
        return Status.PASS, "one picture at a time"
    if evidence.batch_failures:
        return Status.FAIL, some(evidence.batch_failures)
    if len(set(evidence.batches)) < MIN_BATCHES or max(evidence.batches) < MIN_BATCHES:
        return Status.INCONCLUSIVE, f"batches of {list(evidence.batches) or 'no size'} were tried"
    sizes = ", ".join(map(str, sorted(set(evidence.batches))))
    return Status.PASS, f"batches of {sizes}, each picture compared with PyTorch's answer to it alone"


def _weights(evidence: FormEvidence) -> Finding:
    """The weights are those of the proved pipeline, bit for bit."""
    if evidence.kind == "fixed size":
        return Status.PASS, "compared with the model itself (lineage)"
    if evidence.other_weights:
        return Status.FAIL, f"not those of {PIPELINE}: {some(evidence.other_weights)}"
    if not evidence.weights:
        return NOT_MEASURED
    return Status.PASS, f"{counted(evidence.weights, 'tensor')} as in {PIPELINE}, bit for bit"


def _mutants(evidence: FormEvidence) -> Finding:
    applied = [mutant for mutant in evidence.mutants if mutant.applied]
    if len(applied) < MIN_MUTANTS:
        return Status.INCONCLUSIVE, f"{counted(len(applied), 'mutant was', 'mutants were')} tried, not {MIN_MUTANTS}"
    survivors = [mutant.name for mutant in applied if not mutant.killed_by]
    words = f"{len(applied) - len(survivors)} of {len(applied)} rejected" + f"; survived: {some(survivors)}" * bool(
        survivors
    )
    holds = len(applied) - len(survivors) >= MIN_MUTATION_SCORE * len(applied)
    return (Status.PASS if holds else Status.INCONCLUSIVE), words


FORM_GATES = (
    FormGate(name="shape", check=_shape, guards="An input of another size, or one that is still dynamic."),
    FormGate(name="batches", check=_batches, guards="Answers in another order, left out, or mixed between pictures."),
    FormGate(name="weights", check=_weights, guards="Weights of another model."),
    FormGate(name="own mutants", check=_mutants, guards="Checks that would pass a mutant of this variant."),
)
