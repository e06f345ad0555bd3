"""The rule for less precision: a budget of the metric, sure at the upper end of its interval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from zoo.api.task import Agreement
from zoo.bundle.judge.evidence import File, MutantResult
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.variant_evidence import (
    Candidate,
    Latency,
    MetricDrop,
    OutputFidelity,
    VariantEvidence,
    WeightFidelity,
)
from zoo.bundle.judge.variant_rule import (
    VariantVerdict,
    allowed_drop,
    enough_items,
    judge_variant,
    killing_variant_gates,
    loses_too_much,
    upper_drop,
)

METRIC = MetricDrop(
    name="top1", mode="max", items=500, baseline=0.98, value=0.978, resampled=(0.0,) * 194 + (0.008,) * 6
)
OUTPUT = OutputFidelity(name="logits", inputs=32, sqnr_db=30.0, precision_error=0.1, execution_error=0.01, scale=3.0)
FILES = (
    File(name="variants/int8/model.onnx", sha256="a" * 64, bytes=9),
    File(name="variants/int8/pipeline.onnx", sha256="b" * 64, bytes=9),
)
PUBLISHED = {"model.onnx": "c" * 64, "variants/int8/model.onnx": "a" * 64, "variants/int8/pipeline.onnx": "b" * 64}
KILLED = tuple(MutantResult(name=f"m{n}", applied=True, killed_by=("weights",)) for n in range(20))
EVIDENCE = VariantEvidence(
    name="int8",
    bits="int8",
    method="static",
    files=FILES,
    made_from={"model.onnx": "c" * 64},
    metric=METRIC,
    agreement=Agreement(items=500, agreeing=490, undecided=5),
    outputs=(OUTPUT,),
    weights=WeightFidelity(total=4, equal=1, quantised=3),
    repeats_equal=True,
    sizes=("a batch of 3",),
    bytes=26,
    baseline_bytes=100,
    latency=Latency(milliseconds=0.7, baseline_milliseconds=1.0, ratios=(0.7,) * 16),
    saturates=False,
    mutants=KILLED,
)


def judged(**changes: Any) -> VariantVerdict:
    return judge_variant(replace(EVIDENCE, **changes), published=PUBLISHED)


def failing(verdict: VariantVerdict) -> list[str]:
    return [gate.name for gate in verdict.gates if gate.status != Status.PASS]


def test_a_variant_within_its_budget_says_what_was_measured() -> None:
    verdict = judged()
    assert (verdict.status, verdict.claims) == (Status.PASS, ("smaller", "faster"))
    assert verdict.sentence == "within its budget, smaller and faster"
    details = {gate.name: gate.detail for gate in verdict.gates}
    assert details["metric"] == (
        "top1 0.98 in fp32, 0.978 here on 500 items: worse by at most 0.008 with 97.5% confidence, 0.01 is allowed"
    )
    assert details["agreement"] == "490 of 495 answers outside their margin are fp32's (98.99%)"
    assert details["gain"] == "smaller and faster: 0.26 of fp32's bytes, 0.70 of its latency (0.7 ms for 1 ms)"


def test_the_upper_end_of_the_interval_counts() -> None:
    """Of 200 resamples the 195th is the 97.5th percentile."""
    assert upper_drop(METRIC) == 0.0 or upper_drop(METRIC) == 0.008
    assert upper_drop(replace(METRIC, resampled=(0.0,) * 195 + (0.02,) * 5)) == 0.0
    assert upper_drop(replace(METRIC, resampled=(0.0,) * 194 + (0.02,) * 6)) == 0.02
    assert upper_drop(replace(METRIC, resampled=(0.0, float("nan")))) == float("inf")


@pytest.mark.parametrize(
    ("metric", "allowed"),
    [
        (METRIC, 0.01),
        (replace(METRIC, name="psnr", baseline=30.0, value=29.9), 0.3),
        (replace(METRIC, name="bits", mode="min", baseline=2.0, value=2.01), 0.02),
        (replace(METRIC, name="error", mode="min", baseline=0.5, value=0.5), 0.005),
    ],
)
def test_shares_may_fall_by_a_hundredth_and_others_by_one_percent(metric: MetricDrop, allowed: float) -> None:
    assert allowed_drop(metric, None) == pytest.approx(allowed)
    assert allowed_drop(metric, 0.05) == 0.05


def test_where_the_interval_refuses_the_gate_says_how_many_items_narrow_it() -> None:
    """Worse by 0.002, at most 0.014: 0.012 must shrink to the 0.008 that is left, which (12 / 8)² of 500 items do."""
    wide = replace(METRIC, value=0.978, resampled=(0.014,) * 200)
    assert enough_items(wide, 0.01) == 1_200
    detail = next(gate.detail for gate in judged(metric=wide).gates if gate.name == "metric")
    assert detail.endswith(
        "worse by at most 0.014 with 97.5% confidence, 0.01 is allowed; "
        "worse by 0.002 itself, and about 1,200 evaluation items could show that (--evaluate)"
    )
    falling = replace(wide, mode="min", baseline=2.0, value=2.002)
    assert enough_items(falling, 0.01) == 1_200


@pytest.mark.parametrize(
    ("value", "upper", "allowed"),
    [(0.96, 0.03, 0.01), (0.98, 0.01, 0.0), (0.978, float("inf"), 0.01), (0.978, 0.008, 0.01)],
    ids=["the loss itself is too large", "nothing is allowed", "no interval", "it passes"],
)
def test_no_number_of_items_is_advised_where_none_would_help(value: float, upper: float, allowed: float) -> None:
    assert enough_items(replace(METRIC, value=value, resampled=(upper,) * 200), allowed) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"different": ("head",)}, "1 tensor is not that of model.onnx: head"),
        ({"different": ("head", "stem")}, "2 tensors are not those of model.onnx: head, stem"),
        ({"extra": ("head",)}, "1 tensor stands for none of its own: head"),
    ],
)
def test_the_gate_weights_counts_tensors(changes: dict[str, Any], words: str) -> None:
    weights = replace(WeightFidelity(total=4, equal=1, quantised=3), **changes)
    assert next(gate.detail for gate in judged(weights=weights).gates if gate.name == "weights") == words


@pytest.mark.parametrize(
    ("changes", "gate", "status"),
    [
        ({"metric": replace(METRIC, resampled=(0.02,) * 200)}, "metric", Status.FAIL),
        ({"max_drop": 0.0, "metric": replace(METRIC, resampled=(0.002,) * 200)}, "metric", Status.FAIL),
        ({"metric": replace(METRIC, items=99)}, "metric", Status.INCONCLUSIVE),
        ({"metric": replace(METRIC, resampled=(0.0,) * 99)}, "metric", Status.INCONCLUSIVE),
        ({"metric": None, "no_metric": "no items"}, "metric", Status.INCONCLUSIVE),
        ({"agreement": None}, "agreement", Status.INCONCLUSIVE),
        ({"agreement": Agreement(items=5, agreeing=5, undecided=1)}, "agreement", Status.FAIL),
        ({"outputs": (replace(OUTPUT, sqnr_db=2.9),)}, "fidelity", Status.FAIL),
        ({"outputs": (replace(OUTPUT, execution_error=0.06),)}, "execution", Status.FAIL),
        ({"outputs": (replace(OUTPUT, execution_error=None),)}, "execution", Status.FAIL),
        ({"saturates": True}, "execution", Status.FAIL),
        ({"weights": replace(EVIDENCE.weights, different=("head",))}, "weights", Status.FAIL),  # type: ignore[type-var]
        ({"weights": WeightFidelity(total=4, equal=4, quantised=0)}, "weights", Status.FAIL),
        ({"weights": WeightFidelity(total=4, equal=1, quantised=2)}, "weights", Status.FAIL),
        ({"repeats_equal": False}, "determinism", Status.FAIL),
        ({"sizes": ()}, "sizes", Status.INCONCLUSIVE),
        ({"size_failures": ("a batch of 3: refused",)}, "sizes", Status.FAIL),
        ({"latency": None}, "gain", Status.INCONCLUSIVE),
        ({"latency": replace(EVIDENCE.latency, ratios=(1.5,) * 16)}, "gain", Status.FAIL),  # type: ignore[type-var]
        ({"mutants": KILLED[:7]}, "mutation score", Status.INCONCLUSIVE),
        ({"files": FILES[:1]}, "subject", Status.FAIL),
        ({"made_from": {"model.onnx": "d" * 64}}, "subject", Status.FAIL),
        ({"made_from": {}}, "subject", Status.FAIL),
    ],
)
def test_each_gate_refuses_alone(changes: dict[str, Any], gate: str, status: Status) -> None:
    verdict = judged(**changes)
    assert gate in failing(verdict)
    assert next(found.status for found in verdict.gates if found.name == gate) == status
    assert not verdict.publishes


def test_a_variant_that_is_neither_smaller_nor_faster_is_refused_with_the_numbers() -> None:
    verdict = judged(bytes=100, latency=replace(EVIDENCE.latency, ratios=(1.0,) * 16))  # type: ignore[type-var]
    assert "neither smaller nor faster on this machine: 1.00 of fp32's bytes, 1.00 of its latency" in verdict.sentence


def test_faster_is_claimed_only_where_most_pairs_say_so() -> None:
    mixed = (0.5,) * 9 + (1.2,) * 7
    assert judged(latency=replace(EVIDENCE.latency, ratios=mixed)).claims == ("smaller",)  # type: ignore[type-var]
    assert judged(latency=replace(EVIDENCE.latency, ratios=(0.7,) * 14)).claims == ("smaller",)  # type: ignore[type-var]


def test_one_survivor_of_twenty_is_the_most() -> None:
    survivor = MutantResult(name="scale", applied=True, detail="relu_scale", killed_by=("metric",))
    assert judged(mutants=(*KILLED[:19], survivor)).publishes
    verdict = judged(mutants=(*KILLED[:18], survivor, survivor))
    assert failing(verdict) == ["mutation score"]
    assert "survived: scale (relu_scale)" in verdict.sentence


def test_what_kills_a_mutant_looks_at_what_it_computes() -> None:
    assert killing_variant_gates(EVIDENCE) == ()
    changed = replace(EVIDENCE, bytes=100, metric=None, outputs=(replace(OUTPUT, execution_error=1.0),))
    assert killing_variant_gates(changed) == ("execution",)


def test_without_a_candidate_the_reasons_are_told() -> None:
    nothing = replace(EVIDENCE, files=(), candidates=(Candidate(name="dynamic", refused="it crashed"),))
    assert judge_variant(nothing, published={}).sentence == "refused (FAIL): dynamic: it crashed"
    empty = judge_variant(replace(EVIDENCE, files=()), published={})
    assert empty.sentence == "refused (FAIL): the model holds nothing that int8 can store"


def test_precision_is_in_the_way_where_the_variant_or_all_smaller_candidates_miss_the_budget() -> None:
    useless = replace(EVIDENCE, bytes=99, latency=replace(EVIDENCE.latency, ratios=(1.0,) * 16))  # type: ignore[type-var]
    lossy = Candidate(name="static", metric=0.9, upper_drop=0.02, bytes=30, ratio=1.0)
    large = replace(lossy, bytes=95)
    within = replace(lossy, upper_drop=0.01)
    assert loses_too_much(replace(EVIDENCE, metric=replace(METRIC, resampled=(0.02,) * 200)))
    assert loses_too_much(replace(useless, candidates=(within, lossy)))
    assert not loses_too_much(replace(useless, candidates=(within, large)))
    assert not loses_too_much(replace(EVIDENCE, candidates=(lossy,)))
    assert not loses_too_much(replace(EVIDENCE, metric=None))
