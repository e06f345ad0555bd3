"""What zoo 0.1 said of the cases that warn, which today are summed up in other words."""

from __future__ import annotations

from dataclasses import replace

from tests.healthy import PUBLISHED, healthy_evidence, output
from zoo.bundle.gates_0_1 import verdict_of_0_1
from zoo.bundle.judge.evidence import Evidence
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.verdict import judge


def of_then(evidence: Evidence) -> dict[str, tuple[Status, str]]:
    found = verdict_of_0_1(judge(evidence, published=PUBLISHED), evidence)
    return {gate.name: (gate.status, gate.detail) for gate in found.gates}


def with_errors(*errors: float) -> Evidence:
    """The model's cases with these errors, of which the last does not gate."""
    evidence = healthy_evidence()
    model, pipeline = evidence.graphs
    cases = tuple(replace(case, outputs=(output("y", error),)) for case, error in zip(model.cases, errors, strict=True))
    return replace(evidence, graphs=(replace(model, cases=cases), pipeline))


def test_every_warning_was_named() -> None:
    found = of_then(with_errors(5e-6, 6e-6, 1e-6, 1e-6, 1e-6))
    assert found["parity"] == (
        Status.WARN,
        "case-0, y: 5 times PyTorch's own noise; case-1, y: 6 times PyTorch's own noise",
    )


def test_what_does_not_gate_warned_only_where_it_was_broken() -> None:
    far_off = with_errors(1e-6, 1e-6, 1e-6, 1e-6, 1e-4)
    assert judge(far_off, published=PUBLISHED).status == Status.WARN
    assert of_then(far_off)["parity"] == (
        Status.PASS,
        "4 comparisons, the worst 1.00 times PyTorch's own noise (case-3, y)",
    )
    model, pipeline = far_off.graphs
    crashed = replace(model.cases[4], outputs=(), error="it crashed")
    broken = replace(far_off, graphs=(replace(model, cases=(*model.cases[:4], crashed)), pipeline))
    assert of_then(broken)["parity"] == (
        Status.WARN,
        "cases far outside what the model was made for break it: case-4",
    )


def test_there_was_no_gate_on_truth_and_mutants_had_another_name() -> None:
    found = of_then(healthy_evidence())
    assert "truth" not in found
    assert found["mutation score"][1].endswith("sabotaged copies rejected")
