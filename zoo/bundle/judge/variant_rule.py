"""The rule for less precision: a variant is held to a budget of the task's metric, not to PyTorch's rounding.

verdict = judge_variant(evidence, published={"variants/int8/model.onnx": sha256, …, "model.onnx": sha256, …})
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zoo.api.data import counted
from zoo.bundle.judge.cases import Finding, combined, some
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.judge.variant_evidence import Candidate, MetricDrop, OutputFidelity, VariantEvidence
from zoo.bundle.judge.verdict import refused_words

MAX_DROP_OF_SHARES = 0.01
MAX_DROP_OF_OTHERS = 0.01
"""As a share of fp32's own value."""
MIN_ITEMS = 100
"""On fewer evaluation items a loss of 1 % may not show at all."""
MIN_RESAMPLES = 100
INTERVAL = 0.95
MAX_EXECUTION_ERROR = 0.5
"""What the runtime's arithmetic may add, as a share of what the precision costs."""
MIN_SQNR_DB = 3.0
"""Below, the error is about as large as the signal."""
FLOAT_NOISE = 1e-5
"""Of an output's scale: single precision in another order."""
SMALLER, FASTER, SLOWER = 0.9, 0.95, 1.1
MIN_PAIRS, SURE = 15, 0.75
"""Pairs of runs, and the share of them that must say the same as their median."""
MIN_MUTATION_SCORE = 0.95
MIN_MUTANTS = 8
KILLING = ("weights", "execution", "sizes")
"""The gates that look at what the graph computes, and so reject mutants."""
ONCE = ("gain", "mutation score")
"""The gates that are measured where the variant is made, and nowhere else."""

NOT_MEASURED: Finding = (Status.INCONCLUSIVE, "not measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantGate:
    """A gate of a variant by name, with what it is there for."""

    name: str
    check: Callable[[VariantEvidence], Finding]
    guards: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantVerdict:
    """The gates of a variant and what follows from them."""

    status: Status
    gates: tuple[Gate, ...]
    claims: tuple[str, ...] = ()
    """What it may call itself: "smaller", "faster"."""

    @property
    def publishes(self) -> bool:
        """PASS and WARN do."""
        return self.status in (Status.PASS, Status.WARN)

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        if self.publishes:
            return f"within its budget, {' and '.join(self.claims)}"
        return refused_words(self.status, self.gates)


def allowed_drop(metric: MetricDrop, max_drop: float | None) -> float:
    """How far the metric may fall: as asked for; else 0.01 of a share, and 1 % of fp32's value of anything else."""
    if max_drop is not None:
        return max_drop
    is_share = metric.mode == "max" and 0 <= metric.baseline <= 1 and 0 <= metric.value <= 1
    return MAX_DROP_OF_SHARES if is_share else MAX_DROP_OF_OTHERS * abs(metric.baseline)


def upper_drop(metric: MetricDrop) -> float:
    """The upper end of the interval of the drop; infinite where a resample has no number."""
    drops = sorted(drop if math.isfinite(drop) else math.inf for drop in metric.resampled)
    if not drops:
        return math.inf
    quantile = (1 + INTERVAL) / 2
    return drops[min(math.ceil(quantile * len(drops)) - 1, len(drops) - 1)]


def within_budget(metric: MetricDrop, max_drop: float | None) -> bool:
    """Whether the metric falls by no more than allowed, surely."""
    return upper_drop(metric) <= allowed_drop(metric, max_drop) + 1e-12


def loses_too_much(evidence: VariantEvidence) -> bool:
    """Whether what the precision costs is in the way: of the variant, or of a candidate that would be worth having.

    Where all smaller and faster candidates miss the budget, the variant is one that keeps it and gains nothing.
    """
    metric = evidence.metric
    if metric is None:
        return False
    if not within_budget(metric, evidence.max_drop):
        return True
    if _gain(evidence)[0] != Status.FAIL:
        return False
    allowed = allowed_drop(metric, evidence.max_drop)
    gaining = [c for c in evidence.candidates if (c.bytes or math.inf) <= SMALLER * evidence.baseline_bytes]
    return any(c.upper_drop is not None and c.upper_drop > allowed for c in gaining)


def best(candidates: Mapping[Candidate, bool]) -> Candidate | None:
    """The candidate to publish, of those given with whether they keep the budget: the fastest, then the smallest."""
    keeping = [candidate for candidate, keeps in candidates.items() if keeps and not candidate.refused]
    return min(keeping, key=lambda c: (c.ratio or math.inf, c.bytes or math.inf), default=None)


def judge_variant(evidence: VariantEvidence, *, published: Mapping[str, str]) -> VariantVerdict:
    """The verdict on the graphs of a variant about to be published beside the fp32 ones; both are in `published`."""
    gates = [_gate("subject", lambda measured: _subject(measured, published), evidence)]
    gates += [_gate(gate.name, gate.check, evidence) for gate in VARIANT_GATES]
    return VariantVerdict(
        status=worst(*(gate.status for gate in gates)), gates=tuple(gates), claims=tuple(_claims(evidence))
    )


def judge_measured(evidence: VariantEvidence) -> tuple[Gate, ...]:
    """The gates on what the graphs give, for a variant that is measured again: neither latency nor mutants."""
    return tuple(_gate(gate.name, gate.check, evidence) for gate in VARIANT_GATES if gate.name not in ONCE)


def killing_variant_gates(evidence: VariantEvidence) -> tuple[str, ...]:
    """Names of the gates that fail on a mutant of the variant's graph."""
    checked = [_gate(gate.name, gate.check, evidence) for gate in VARIANT_GATES if gate.name in KILLING]
    return tuple(gate.name for gate in checked if gate.status == Status.FAIL)


def _gate(name: str, check: Callable[[VariantEvidence], Finding], evidence: VariantEvidence) -> Gate:
    try:
        status, detail = check(evidence)
    except Exception as error:  # evidence that a gate cannot even read must not pass
        status, detail = Status.FAIL, f"the evidence cannot be read: {type(error).__name__}: {error}"
    return Gate(name=name, status=status, detail=detail, seconds=round(evidence.seconds.get(name, 0.0), 3))


def _subject(evidence: VariantEvidence, published: Mapping[str, str]) -> Finding:
    """The evidence is about these very bytes, made from the fp32 graphs beside them."""
    files = {file.name: file.sha256 for file in evidence.files}
    folder = f"variants/{evidence.name}/"
    if not files:
        reasons = [f"{candidate.name}: {candidate.refused}" for candidate in evidence.candidates]
        return Status.FAIL, some(reasons) if reasons else f"the model holds nothing that {evidence.bits} can store"
    if set(files) != {folder + "model.onnx", folder + "pipeline.onnx"}:
        return Status.FAIL, f"measured {', '.join(sorted(files)) or 'nothing'}, a variant has two graphs"
    if not evidence.made_from:
        return Status.FAIL, "what it was made from is not told"
    for name, digest in {**files, **evidence.made_from}.items():
        if published.get(name) != digest:
            return Status.FAIL, f"{name}: the bytes measured are not the bytes to be published"
    return Status.PASS, f"{evidence.method}; made from the proved fp32 graphs"


def _metric(evidence: VariantEvidence) -> Finding:
    metric = evidence.metric
    if metric is None:
        return Status.INCONCLUSIVE, evidence.no_metric or NOT_MEASURED[1]
    if metric.items < MIN_ITEMS:
        words = f"{metric.items} evaluation items say too little about a loss, {MIN_ITEMS} are needed"
        return Status.INCONCLUSIVE, words
    if len(metric.resampled) < MIN_RESAMPLES:
        return Status.INCONCLUSIVE, f"{len(metric.resampled)} resamples, {MIN_RESAMPLES} are needed"
    if not (math.isfinite(metric.baseline) and math.isfinite(metric.value)):
        return Status.FAIL, f"{metric.name} is no number"
    allowed, upper = allowed_drop(metric, evidence.max_drop), upper_drop(metric)
    words = (
        f"{metric.name} {metric.baseline:.4g} in fp32, {metric.value:.4g} here on {counted(metric.items, 'item')}: "
        f"worse by at most {upper:.4g} with {(1 + INTERVAL) / 2:.1%} confidence, {allowed:.4g} is allowed"
    )
    keeps = within_budget(metric, evidence.max_drop)
    return (Status.PASS if keeps else Status.FAIL), words + (_more_items(metric, allowed) * (not keeps))


def _more_items(metric: MetricDrop, allowed: float) -> str:
    """What to do where the interval alone refuses; else empty."""
    enough = enough_items(metric, allowed)
    if enough is None:
        return ""
    return f"; worse by {_fall(metric):.4g} itself, and about {enough:,} evaluation items could show that (--evaluate)"


def enough_items(metric: MetricDrop, allowed: float) -> int | None:
    """How many evaluation items would pass the same drop; None where that is too large itself, or has no interval.

    The interval narrows with the root of the number of items.
    """
    fall = _fall(metric)
    width, room = upper_drop(metric) - fall, allowed - fall
    if not math.isfinite(width) or room <= 0 or width <= room:
        return None
    return _two_digits(math.ceil(metric.items * (width / room) ** 2))


def _fall(metric: MetricDrop) -> float:
    return (metric.baseline - metric.value) * (1 if metric.mode == "max" else -1)


def _two_digits(number: int) -> int:
    """Rounded up to two significant digits: it is an estimate."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return math.ceil(number / unit) * unit


def _agreement(evidence: VariantEvidence) -> Finding:
    """How many answers stay the same; the budget is the metric's, so that this only informs."""
    compared = evidence.agreement
    if compared is None or compared.items <= 0:
        return NOT_MEASURED
    decided = compared.items - compared.undecided
    if min(compared.agreeing, compared.undecided) < 0 or compared.agreeing > decided:
        return Status.FAIL, f"{compared.agreeing} agreeing and {compared.undecided} undecided do not add up"
    share = f" ({compared.agreeing / decided:.2%})" if decided else ""
    return Status.PASS, f"{compared.agreeing} of {decided} answers outside their margin are fp32's{share}"


def _fidelity(evidence: VariantEvidence) -> Finding:
    """Outputs resemble those of fp32 at all: a metric on an easy task can be blind."""
    return combined(_resembles(output) for output in evidence.outputs) if evidence.outputs else NOT_MEASURED


def _resembles(output: OutputFidelity) -> Finding:
    if output.inputs < 2 or output.precision_error is None:
        return Status.INCONCLUSIVE, f"{output.name}: not measured"
    if output.sqnr_db is None:
        return Status.PASS, f"{output.name} as in fp32"
    status = Status.PASS if output.sqnr_db >= MIN_SQNR_DB else Status.FAIL
    return status, f"{output.name} {output.sqnr_db:.1f} dB above its error (centred SQNR)"


def _execution(evidence: VariantEvidence) -> Finding:
    """The runtime's integer arithmetic gives what the same graph gives in float arithmetic; saturation would show."""
    if not evidence.outputs:
        return NOT_MEASURED
    if evidence.saturates:
        return Status.FAIL, "products of unsigned and signed bytes saturate on this machine (it has no VNNI)"
    return combined(_executed(output) for output in evidence.outputs)


def _executed(output: OutputFidelity) -> Finding:
    precision, execution = output.precision_error, output.execution_error
    if precision is None or execution is None:
        return Status.FAIL, f"{output.name}: an error is no number"
    limit = MAX_EXECUTION_ERROR * precision + FLOAT_NOISE * output.scale
    words = f"{output.name} is off by {execution:.3g} from float arithmetic, the precision costs {precision:.3g}"
    return (Status.PASS if 0 <= execution <= limit else Status.FAIL), words


def _weights(evidence: VariantEvidence) -> Finding:
    found = evidence.weights
    if found is None or found.total <= 0:
        return NOT_MEASURED
    for one, more, names in (
        ("is not that of model.onnx", "are not those of model.onnx", found.different),
        ("stands for none of its own", "stand for none of its own", found.extra),
    ):
        if names:
            return Status.FAIL, f"{counted(len(names), f'tensor {one}', f'tensors {more}')}: {some(names)}"
    if found.equal + found.quantised != found.total:
        return Status.FAIL, f"{found.equal} equal and {found.quantised} converted do not make {found.total}"
    if not found.quantised:
        return Status.FAIL, "no weight was converted: it holds nothing that this precision can store"
    words = f"{found.quantised} of {found.total} tensors within half a step of those of model.onnx"
    return Status.PASS, words + (f", {found.equal} kept in float bit for bit" if found.equal else "")


def _determinism(evidence: VariantEvidence) -> Finding:
    if evidence.repeats_equal is None:
        return NOT_MEASURED
    words = "equal bits" if evidence.repeats_equal else "other bits"
    return (Status.PASS if evidence.repeats_equal else Status.FAIL), f"{words} in two sessions"


def _sizes(evidence: VariantEvidence) -> Finding:
    if evidence.size_failures:
        return Status.FAIL, some(evidence.size_failures)
    if not evidence.sizes:
        return NOT_MEASURED
    return Status.PASS, f"{counted(len(evidence.sizes), 'case')} of other batches and shapes: {some(evidence.sizes)}"


def _gain(evidence: VariantEvidence) -> Finding:
    """Smaller or faster where it was measured, and not slower."""
    if evidence.latency is None or len(evidence.latency.ratios) < MIN_PAIRS or not evidence.baseline_bytes:
        return NOT_MEASURED
    latency, claims = evidence.latency, list(_claims(evidence))
    words = (
        f"{evidence.bytes / evidence.baseline_bytes:.2f} of fp32's bytes, {statistics.median(latency.ratios):.2f} of "
        f"its latency ({latency.milliseconds:.3g} ms for {latency.baseline_milliseconds:.3g} ms)"
    )
    if _share(latency.ratios, lambda ratio: ratio > 1) >= SURE and statistics.median(latency.ratios) > SLOWER:
        return Status.FAIL, f"slower on this machine: {words}"
    if not claims:
        return Status.FAIL, f"neither smaller nor faster on this machine: {words}"
    return Status.PASS, f"{' and '.join(claims)}: {words}"


def _claims(evidence: VariantEvidence) -> list[str]:
    claims = []
    if 0 < evidence.bytes <= SMALLER * evidence.baseline_bytes:
        claims.append("smaller")
    ratios = evidence.latency.ratios if evidence.latency is not None else ()
    if len(ratios) >= MIN_PAIRS and statistics.median(ratios) <= FASTER and _share(ratios, lambda r: r < 1) >= SURE:
        claims.append("faster")
    return claims


def _share(ratios: tuple[float, ...], holds: Callable[[float], bool]) -> float:
    return sum(map(holds, ratios)) / len(ratios)


def _mutation_score(evidence: VariantEvidence) -> Finding:
    applied = [mutant for mutant in evidence.mutants if mutant.applied and not mutant.equivalence]
    if len(applied) < MIN_MUTANTS:
        return (
            Status.INCONCLUSIVE,
            f"{counted(len(applied), 'mutant was', 'mutants were')} tried, {MIN_MUTANTS} are needed",
        )
    killed = [mutant for mutant in applied if set(mutant.killed_by) & set(KILLING)]
    survivors = [f"{mutant.name} ({mutant.detail})" for mutant in applied if mutant not in killed]
    words = f"{len(killed)} of {len(applied)} mutants rejected" + (f"; survived: {some(survivors)}" * bool(survivors))
    return (Status.PASS if len(killed) >= MIN_MUTATION_SCORE * len(applied) else Status.INCONCLUSIVE), words


VARIANT_GATES = (
    VariantGate(name="metric", check=_metric, guards="The task's metric falls by so much at most, surely."),
    VariantGate(name="agreement", check=_agreement, guards="How many answers a user would see changed."),
    VariantGate(name="fidelity", check=_fidelity, guards="On an easy task a ruined model still answers right."),
    VariantGate(name="execution", check=_execution, guards="Integer kernels that saturate or round wrongly."),
    VariantGate(name="weights", check=_weights, guards="A wrong scale, zero point or channel order."),
    VariantGate(name="determinism", check=_determinism, guards="Answers that cannot be reproduced."),
    VariantGate(name="sizes", check=_sizes, guards="A conversion that freezes the batch or a shape."),
    VariantGate(name="gain", check=_gain, guards="A variant that is neither smaller nor faster, or slower."),
    VariantGate(name="mutation score", check=_mutation_score, guards="Checks that would pass a mutant of the variant."),
)
