"""The verdict on another runtime: the judge of the proof for single precision, a budget for less; fail-closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.healthy import PUBLISHED
from zoo.api.task import Agreement
from zoo.bundle.judge.evidence import Evidence, File
from zoo.bundle.judge.runtime_rule import BUDGET_GATES, RuntimeEvidence, RuntimeVerdict, judge_runtime
from zoo.bundle.judge.variant_evidence import MetricDrop, OutputFidelity, VariantEvidence

WHERE = "Acme 1.0, NPU, float32"
GRAPHS = {name: digest for name, digest in PUBLISHED.items() if name.endswith(".onnx")}
OWN = File(name="variants/acme/model.own", sha256="c" * 64, bytes=3)


def exact(healthy: Evidence) -> RuntimeEvidence:
    """A runtime in single precision in which nothing is wrong."""
    parity = replace(healthy, environment=replace(healthy.environment, provider=WHERE))
    return RuntimeEvidence(name="acme", title="Acme", provider=WHERE, precision="float32", files=(OWN,), parity=parity)


def half() -> RuntimeEvidence:
    """A runtime in half precision that keeps its budget."""
    budget = VariantEvidence(
        name="acme",
        bits="float16",
        method="Acme in float16",
        files=(),
        made_from=GRAPHS,
        metric=MetricDrop(name="top1", mode="max", items=500, baseline=0.98, value=0.979, resampled=(0.001,) * 200),
        agreement=Agreement(items=500, agreeing=498, undecided=1),
        outputs=(
            OutputFidelity(
                name="logits", inputs=32, sqnr_db=60.0, precision_error=1e-3, execution_error=0.0, scale=1.0
            ),
        ),
        repeats_equal=True,
        sizes=("a batch of 3",),
    )
    return RuntimeEvidence(
        name="acme", title="Acme", provider="Acme 1.0, NPU, float16", precision="float16", budget=budget
    )


def judged(evidence: RuntimeEvidence) -> RuntimeVerdict:
    return judge_runtime(evidence, published={**GRAPHS, OWN.name: OWN.sha256})


def test_single_precision_is_put_to_the_judge_of_the_proof(healthy: Evidence) -> None:
    verdict = judged(exact(healthy))
    assert (verdict.status, verdict.sentence) == ("PASS", f"proved in {WHERE}")
    assert [gate.name for gate in verdict.gates][:4] == ["loads", "files", "subject", "eval mode"]
    assert len(verdict.gates) == 16


def test_less_precision_is_held_to_a_budget() -> None:
    verdict = judged(half())
    assert (verdict.status, verdict.sentence) == ("PASS", "within its budget in float16 in Acme 1.0, NPU, float16")
    assert tuple(gate.name for gate in verdict.gates) == ("loads", "files", *BUDGET_GATES)


@pytest.mark.parametrize("value", [0.9, 0.96])
def test_a_metric_that_falls_too_far_is_refused(value: float) -> None:
    evidence = half()
    assert evidence.budget is not None and evidence.budget.metric is not None
    metric = replace(evidence.budget.metric, value=value, resampled=(0.98 - value,) * 200)
    verdict = judged(replace(evidence, budget=replace(evidence.budget, metric=metric)))
    assert (verdict.status, verdict.publishes) == ("FAIL", False)
    assert "metric: top1 0.98 in fp32" in verdict.sentence


def test_evidence_of_another_runtime_or_of_other_bytes_is_refused(healthy: Evidence) -> None:
    good = exact(healthy)
    assert good.parity is not None
    lent = replace(good, parity=replace(good.parity, environment=healthy.environment))
    assert "not there" in judged(lent).sentence and judged(lent).status == "FAIL"
    other = replace(good, files=(replace(OWN, sha256="f" * 64),))
    assert judged(other).status == "FAIL" and "are not the bytes to be published" in judged(other).sentence
    graphs = tuple(replace(graph, sha256="f" * 64) for graph in good.parity.graphs)
    assert judged(replace(good, parity=replace(good.parity, graphs=graphs))).status == "FAIL"
    budget = half().budget
    assert budget is not None
    moved = replace(budget, made_from={"model.onnx": "f" * 64})
    assert judged(replace(half(), budget=moved)).status == "FAIL"


def test_what_was_not_measured_proves_nothing(healthy: Evidence) -> None:
    assert judged(replace(exact(healthy), parity=None)).status == "INCONCLUSIVE"
    assert judged(replace(half(), budget=None)).status == "INCONCLUSIVE"
    assert judged(replace(half(), precision="float32")).status == "INCONCLUSIVE"  # nor is a budget a proof
    assert judged(replace(exact(healthy), precision="float16")).status == "INCONCLUSIVE"


def test_a_refusal_is_the_whole_verdict(healthy: Evidence) -> None:
    verdict = judged(replace(exact(healthy), refused="loading model.onnx failed"))
    assert (verdict.status, len(verdict.gates)) == ("FAIL", 1)
    assert verdict.sentence == f"refused (FAIL) in {WHERE}: loads: loading model.onnx failed"
