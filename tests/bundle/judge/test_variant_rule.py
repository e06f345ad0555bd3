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
    judge_variant,
    killing_variant_gates,
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


def test_a_loss_that_only_the_interval_refuses_asks_for_more_items() -> None:
    wide = judged(metric=replace(METRIC, resampled=(0.02,) * 200))
    lost = judged(metric=replace(METRIC, value=0.9, resampled=(0.08,) * 200))
    for verdict, more in ((wide, True), (lost, False)):
        detail = next(gate.detail for gate in verdict.gates if gate.name == "metric")
        assert detail.endswith("the loss itself is smaller, so more evaluation items could decide it") == more


def test_weights_that_are_not_those_of_the_model_are_named() -> None:
    wrong = replace(EVIDENCE.weights, different=("conv.weight",))  # type: ignore[type-var]
    detail = next(gate.detail for gate in judged(weights=wrong).gates if gate.name == "weights")
    assert detail == "1 tensor of other values than in model.onnx: conv.weight"


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
