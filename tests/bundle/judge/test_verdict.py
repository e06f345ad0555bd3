"""Each gate fails alone, and no missing piece of evidence passes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pytest

from tests.healthy import output
from zoo.api.task import Agreement
from zoo.bundle.judge.cases import compares_nothing
from zoo.bundle.judge.evidence import (
    Axes,
    CaseEvidence,
    Determinism,
    EvalMode,
    Evidence,
    GraphEvidence,
    Magnitude,
    OutputError,
    Prepared,
    Waiver,
)
from zoo.bundle.judge.gates import KILLING_GATES
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.judge.verdict import GATES, Verdict, judge, killing_gates
from zoo.runs.serialization import from_json, to_json

PUBLISHED = {"model.onnx": "a" * 64, "pipeline.onnx": "b" * 64, "manifest.json": "d" * 64}
Change = Callable[[Evidence], Evidence]


def verdict(evidence: Evidence) -> Verdict:
    return judge(evidence, published=PUBLISHED)


def not_passed(evidence: Evidence) -> dict[str, Status]:
    return {gate.name: gate.status for gate in verdict(evidence).gates if gate.status != Status.PASS}


def on_graph(name: str, **changes: Any) -> Change:
    def change_evidence(evidence: Evidence) -> Evidence:
        graphs = tuple(replace(g, **changes) if g.name == name else g for g in evidence.graphs)
        return replace(evidence, graphs=graphs)

    return change_evidence


def on_cases(name: str, change: Callable[[CaseEvidence], CaseEvidence], *, only: Collection[int] = range(5)) -> Change:
    def change_evidence(evidence: Evidence) -> Evidence:
        graph = evidence.graph(name)
        assert graph is not None
        cases = tuple(change(case) if i in only else case for i, case in enumerate(graph.cases))
        return on_graph(name, cases=cases)(evidence)

    return change_evidence


def on_output(case: CaseEvidence, **changes: Any) -> CaseEvidence:
    return replace(case, outputs=tuple(replace(output, **changes) for output in case.outputs))


def on_first(name: str, **changes: Any) -> Change:
    return on_cases(name, lambda case: on_output(case, **changes), only={0})


def on(field: str, **changes: Any) -> Change:
    return lambda evidence: replace(evidence, **{field: replace(getattr(evidence, field), **changes)})


def on_facts(**changes: Any) -> Change:
    return lambda e: on_graph("model.onnx", facts=replace(e.graphs[0].facts, **changes))(e)  # type: ignore[type-var]


def on_live(name: str, **changes: Any) -> Change:
    return lambda e: on_graph(name, liveness=tuple(replace(x, **changes) for x in e.graph(name).liveness))(e)  # type: ignore[union-attr]


def on_axis(**changes: Any) -> Change:
    return lambda e: on_graph("model.onnx", axes=Axes(tested=(replace(e.graphs[0].axes.tested[0], **changes),)))(e)  # type: ignore[union-attr]


def on_control(index: int, **changes: Any) -> Change:
    return lambda e: replace(
        e, mutants=tuple(replace(c, **changes) if i == index else c for i, c in enumerate(e.mutants))
    )


TEN_TIMES = Magnitude(rms=1e-5, max=2e-5)
NOISY = Magnitude(rms=0.1, max=0.2)


def test_healthy_evidence_passes_every_gate(healthy: Evidence) -> None:
    found = verdict(healthy)
    assert (found.status, found.publishes, found.sentence) == (Status.PASS, True, "proved")
    assert [gate.name for gate in found.gates] == ["subject", *(spec.name for spec in GATES)]
    assert {gate.name: gate.seconds for gate in found.gates}["parity"] == 1.5


def chosen(elements: int, *, differing: int = 0, far: int = 0, undecided: int = 0) -> OutputError:
    """How a choice of so many parts compared."""
    counted = replace(output("parts"), elements=elements, differing=differing, far=far, undecided=undecided)
    return replace(counted, compare="choice", dtype="int64", reference_dtype="int64")


ZERO = Magnitude(rms=0.0, max=0.0)


@pytest.mark.parametrize(
    ("empty", "onnx", "choice", "status"),
    [
        (0, ZERO, chosen(0), Status.PASS),
        (1, ZERO, chosen(0), Status.PASS),
        (2, ZERO, chosen(0), Status.INCONCLUSIVE),
        (1, Magnitude(rms=0.1, max=0.2), chosen(0), Status.FAIL),
        (1, ZERO, chosen(3, differing=3, far=3), Status.FAIL),
        (2, ZERO, chosen(3, undecided=3), Status.INCONCLUSIVE),
    ],
)
def test_where_nothing_is_chosen_there_is_nothing_to_tell_apart(
    healthy: Evidence, empty: int, onnx: Magnitude, choice: OutputError, status: Status
) -> None:
    """Of four gating cases three must remain, and what is no choice must be exactly nothing, too."""

    def choosing(case: CaseEvidence) -> CaseEvidence:
        if int(case.name.removeprefix("case-")) >= empty:
            return replace(case, outputs=(*case.outputs, chosen(40)))
        nothing = on_output(case, scale=ZERO, torch=ZERO, onnx=onnx)
        return replace(nothing, outputs=(*nothing.outputs, choice))

    graph = healthy.graph("model.onnx")
    assert graph is not None
    live = (*graph.liveness, replace(graph.liveness[0], name="parts"))
    two = on_graph("model.onnx", outputs=(*graph.outputs, "parts"), liveness=live)(healthy)
    evidence = on_cases("model.onnx", choosing)(two)
    found = not_passed(evidence)
    assert worst(Status.PASS, *found.values()) == status
    for case in evidence.graphs[0].cases[:empty]:
        assert compares_nothing(case) == (onnx == ZERO and choice == chosen(0))
        for changed in ({"finite": False}, {"reference_finite": False}, {"scale": None}, {"onnx": None}):
            assert not compares_nothing(on_output(case, **changed))
    assert set(found) <= {"conditioning", "parity"}


FAILURES: list[tuple[str, Status, Change]] = [
    ("eval mode", Status.FAIL, on("eval_mode", training=("features.1",))),
    ("eval mode", Status.FAIL, on_facts(random=("Dropout",))),
    (
        "determinism",
        Status.FAIL,
        on_graph("model.onnx", determinism=Determinism(torch_equal=False, runtime_equal=True, repeats=2)),
    ),
    (
        "determinism",
        Status.FAIL,
        on_graph("pipeline.onnx", determinism=Determinism(torch_equal=True, runtime_equal=False, repeats=2)),
    ),
    ("liveness", Status.FAIL, on_live("model.onnx", spread=0.0, onnx_spread=0.0, noise=0.0)),
    ("liveness", Status.FAIL, on_live("model.onnx", onnx_spread=0.0)),
    ("liveness", Status.FAIL, on_live("pipeline.onnx", spread=9e-4)),
    ("liveness", Status.FAIL, on_live("pipeline.onnx", spread=math.nan)),
    ("liveness", Status.FAIL, on_live("pipeline.onnx", noise=-1.0)),
    (
        "conditioning",
        Status.INCONCLUSIVE,
        on_cases("model.onnx", lambda case: on_output(case, torch=NOISY), only={0, 1}),
    ),
    ("parity", Status.FAIL, on_first("model.onnx", onnx=TEN_TIMES)),
    ("parity", Status.FAIL, on_first("model.onnx", finite=False)),
    ("parity", Status.FAIL, on_first("model.onnx", shape=(1, 9))),
    ("parity", Status.FAIL, on_cases("model.onnx", lambda case: replace(case, error="refused", outputs=()))),
    ("parity", Status.FAIL, on_cases("model.onnx", lambda case: replace(case, outputs=case.outputs * 2))),
    ("parity", Status.WARN, on_first("model.onnx", onnx=Magnitude(rms=5e-6, max=1e-5))),
    (
        "parity",
        Status.WARN,
        on_cases("model.onnx", lambda case: case if case.gates else on_output(case, finite=False)),
    ),
    ("parity", Status.INCONCLUSIVE, on_graph("model.onnx", stateful=True)),
    ("pipeline", Status.FAIL, on_first("pipeline.onnx", onnx=TEN_TIMES)),
    (
        "pipeline",
        Status.FAIL,
        on_cases(
            "pipeline.onnx",
            lambda case: replace(case, prepared=(Prepared(against="torchvision", elements=192, differing=9, far=1),)),
        ),
    ),
    (
        "pipeline",
        Status.FAIL,
        on_cases(
            "pipeline.onnx",
            lambda case: replace(case, prepared=(Prepared(against="training", elements=192, differing=9, far=0),)),
        ),
    ),
    ("lineage", Status.FAIL, on("lineage", equal=7, different=("conv.weight",))),
    ("lineage", Status.FAIL, on("lineage", equal=7, missing=("conv.weight",))),
    ("lineage", Status.FAIL, on("lineage", extra=("mystery",))),
    ("lineage", Status.FAIL, on("lineage", equal=7)),
    ("lineage", Status.FAIL, on("lineage", total=0, equal=0)),
    ("axes", Status.FAIL, on_axis(failures=("batch 3 gives another shape",))),
    ("axes", Status.FAIL, on_graph("model.onnx", axes=Axes(tested=(), arithmetic=("logits[2] = s53//4",)))),
    ("axes", Status.FAIL, on_graph("model.onnx", axes=Axes(tested=(), undeclared=("input[0] is 2",)))),
    ("axes", Status.FAIL, on_graph("model.onnx", axes=Axes(tested=()))),
    ("axes", Status.INCONCLUSIVE, on_axis(tested=(2, 3))),
    ("graph", Status.FAIL, on_facts(opset=20)),
    ("graph", Status.FAIL, on_facts(domains=("", "com.microsoft"))),
    ("graph", Status.FAIL, on_facts(forbidden=("PythonOp",))),
    ("graph", Status.FAIL, on_facts(paths=("/home/me/model.py",))),
    ("graph", Status.FAIL, on_facts(external=("fc.weight",))),
    ("labels", Status.FAIL, on("labels", files={"model.onnx": "f" * 64})),
    ("labels", Status.FAIL, on("labels", files={"model.onnx": None})),
    ("labels", Status.FAIL, on("labels", known_right=2)),
    ("labels", Status.FAIL, on("labels", known=-1, known_right=-1)),
    ("agreement", Status.FAIL, on("agreement", agreeing=498)),
    ("agreement", Status.FAIL, on("agreement", agreeing=501, undecided=-1)),
    ("agreement", Status.INCONCLUSIVE, on("agreement", agreeing=10, undecided=490)),
    ("truth", Status.FAIL, on("truth", answers={"top1": 0.97})),
    ("truth", Status.FAIL, on("truth", answers={"top1": 1.0})),
    ("truth", Status.FAIL, on("truth", answers={"top1": math.nan})),
    ("truth", Status.FAIL, on("truth", answers={"top1": 0.98, "loss": 0.3})),
    ("truth", Status.WARN, on("truth", answers={"accuracy": 0.98})),
    ("truth", Status.WARN, on("truth", reason="no evaluation items are at hand")),
    ("mutation score", Status.INCONCLUSIVE, on_control(3, killed_by=())),
    ("mutation score", Status.INCONCLUSIVE, on_control(3, killed_by=("subject", "lineage", "conditioning"))),
    ("mutation score", Status.INCONCLUSIVE, on_control(3, applied=False, detail="", killed_by=())),
    ("mutation score", Status.INCONCLUSIVE, lambda e: replace(e, mutants=e.mutants[1:])),
    (
        "mutation score",
        Status.INCONCLUSIVE,
        lambda e: replace(e, mutants=tuple(replace(c, killed_by=(), equivalence="same bytes") for c in e.mutants)),
    ),
    ("subject", Status.FAIL, on_graph("model.onnx", sha256="f" * 64)),
    ("subject", Status.FAIL, lambda e: replace(e, schema=3)),
    ("subject", Status.FAIL, lambda e: replace(e, subject=replace(e.subject, scope="file"))),
]


IDS = [f"{index}-{failure[0]}" for index, failure in enumerate(FAILURES)]


@pytest.mark.parametrize(("gate", "status", "change_evidence"), FAILURES, ids=IDS)
def test_each_gate_fails_alone(healthy: Evidence, gate: str, status: Status, change_evidence: Change) -> None:
    changed = change_evidence(healthy)
    assert not_passed(changed) == {gate: status}
    assert verdict(changed).publishes == (status == Status.WARN)
    assert gate in verdict(changed).sentence


def test_undecided_items_explain_a_difference_and_rounded_pictures_one_in_a_hundred(healthy: Evidence) -> None:
    def holds(answer: float, **facts: object) -> bool:
        return not_passed(on("truth", answers={"top1": answer}, **facts)(healthy)) == {}

    assert holds(0.9809)
    assert not holds(0.978)
    assert holds(0.978, undecided=1)
    assert not holds(0.976, undecided=1)
    assert holds(0.971, rounded=True)
    assert not holds(0.968, rounded=True)


def test_a_task_without_truth_says_what_stands_in_its_place(healthy: Evidence) -> None:
    reason = "the task knows no true answer to an item: the agreement with PyTorch stands in its place"
    found = verdict(on("truth", reason=reason, needed=False)(healthy))
    assert {gate.name: gate.detail for gate in found.gates}["truth"] == reason
    assert found.status == Status.PASS


def test_repeated_failures_of_many_cases_are_one_sentence(healthy: Evidence) -> None:
    found = verdict(on_cases("model.onnx", lambda case: replace(case, error="it stopped"))(healthy))
    parity = next(gate.detail for gate in found.gates if gate.name == "parity")
    assert parity == "case-0: it stopped (the same for 3 more)"


def test_every_gate_is_among_those_that_fail_alone() -> None:
    assert {gate for gate, _, _ in FAILURES} == {"subject", *(spec.name for spec in GATES)}


MEASURED = ("eval_mode", "lineage", "labels", "agreement", "truth", "skew")
MISSING: list[Change] = [
    *(lambda e, field=field: replace(e, **{field: None}) for field in MEASURED),
    *(lambda e, field=field: replace(e, **{field: ()}) for field in ("graphs", "mutants")),
    lambda e: replace(e, graphs=e.graphs[:1]),
    lambda e: replace(e, graphs=e.graphs[1:]),
    lambda e: replace(e, graphs=e.graphs[:1] * 2),
    lambda e: replace(e, eval_mode=EvalMode(modules=0)),
    lambda e: replace(e, agreement=Agreement(items=0, agreeing=0, undecided=0)),
    lambda e: replace(e, subject=replace(e.subject, files=())),
    on("labels", files={}),
    *(
        on_graph(name, **{field: empty})
        for name in ("model.onnx", "pipeline.onnx")
        for field, empty in (
            ("cases", ()),
            ("facts", None),
            ("determinism", None),
            ("liveness", ()),
            ("axes", None),
            ("outputs", ()),
        )
    ),
    on_facts(ops={}),
    on_live("model.onnx", inputs=1),
    on_graph("model.onnx", determinism=Determinism(torch_equal=True, runtime_equal=True, repeats=1)),
    *(
        on_cases("model.onnx", lambda case, field=field: on_output(case, **{field: None}))  # type: ignore[misc]
        for field in ("scale", "torch", "onnx")
    ),
    on_cases("model.onnx", lambda case: replace(case, outputs=())),
    on_cases("model.onnx", lambda case: replace(case, gates=False)),
    on_cases("model.onnx", lambda case: replace(case, name="the same")),
    on_cases("model.onnx", lambda case: replace(case, reference_error="out of memory")),
    on_cases("model.onnx", lambda case: on_output(case, scale=Magnitude(rms=0, max=0), onnx=Magnitude(rms=0, max=0))),
    on_cases("pipeline.onnx", lambda case: on_output(case, compare="agreement")),
    on_cases("pipeline.onnx", lambda case: on_output(case, compare="equal")),
]


@pytest.mark.parametrize("change_evidence", MISSING, ids=range(len(MISSING)))
def test_missing_evidence_never_publishes(healthy: Evidence, change_evidence: Change) -> None:
    assert not verdict(change_evidence(healthy)).publishes


def test_evidence_that_cannot_be_read_fails(healthy: Evidence) -> None:
    assert not verdict(replace(healthy, labels="yes")).publishes  # type: ignore[arg-type]
    assert not verdict(replace(healthy, graphs=(None, None))).publishes  # type: ignore[arg-type]


def test_a_nan_ratio_never_passes(healthy: Evidence) -> None:
    nan = Magnitude(rms=math.nan, max=math.nan)
    for field in ("scale", "torch", "onnx"):
        assert not verdict(on_cases("model.onnx", lambda c, f=field: on_output(c, **{f: nan}))(healthy)).publishes  # type: ignore[misc]


@pytest.mark.parametrize(
    "published",
    [
        {},
        {"model.onnx": "a" * 64},
        {**PUBLISHED, "extra.onnx": "a" * 64},
        {**PUBLISHED, "model.onnx": "b" * 64},
        {**PUBLISHED, "manifest.json": "e" * 64},
        dict.fromkeys(PUBLISHED, ""),
    ],
)
def test_evidence_about_other_bytes_does_not_publish(healthy: Evidence, published: dict[str, str]) -> None:
    assert not judge(healthy, published=published).publishes


@pytest.mark.parametrize("kind", ["uniform", "range", "values"])
def test_what_is_wrong_where_pytorch_is_unsure_is_said(healthy: Evidence, kind: str) -> None:
    """It gates nothing, as PyTorch's own noise is two percent of the scale; but it is not silent."""
    noise = {"torch": Magnitude(rms=0.02, max=0.04)}

    def of(error: float) -> Evidence:
        unsure = {**noise, "onnx": Magnitude(rms=error, max=2 * error)}
        return on_cases("model.onnx", lambda case: replace(on_output(case, **unsure), kind=kind), only={0})(healthy)

    assert not_passed(of(0.1)) == {}
    assert not_passed(of(0.3)) == {"parity": Status.WARN}
    details = {gate.name: gate.detail for gate in verdict(of(0.3)).gates}
    assert "case-0: 15 times PyTorch's own noise, which is large there" in details["parity"]


@pytest.mark.parametrize(
    ("kind", "noise", "status"), [("values", 0.5, "WARN"), ("values", 1e-6, "FAIL"), ("uniform", 0.5, "FAIL")]
)
def test_an_answer_to_other_values_is_right_or_wrong_as_far_as_the_models_is(
    healthy: Evidence, kind: str, noise: float, status: str
) -> None:
    """Softmax hides how unsure the model's logits are: its own noise is nothing, and another class is the largest."""
    unsure = {size: Magnitude(rms=noise, max=2 * noise) for size in ("torch", "onnx")}
    model = on_cases("model.onnx", lambda case: replace(on_output(case, **unsure), kind=kind), only={0})(healthy)
    other = {"onnx": Magnitude(rms=0.5, max=1.0)}
    both = on_cases("pipeline.onnx", lambda case: replace(on_output(case, **other), kind=kind), only={0})(model)
    assert not_passed(both) == {"pipeline": Status(status)}
    broken = on_cases("pipeline.onnx", lambda case: on_output(case, finite=False), only={0})(both)
    assert not_passed(broken) == {"pipeline": Status.FAIL}


def test_a_wrong_case_that_does_not_gate_is_said(healthy: Evidence) -> None:
    wrong = on_cases("model.onnx", lambda case: on_output(case, onnx=Magnitude(rms=0.1, max=0.2)), only={4})(healthy)
    assert not_passed(wrong) == {"parity": Status.WARN}


def test_an_equivalent_control_is_named_and_does_not_change_the_verdict(healthy: Evidence) -> None:
    found = verdict(on_control(3, killed_by=(), equivalence="both rows hold the same bytes")(healthy))
    assert found.status == Status.PASS
    assert found.gates[-1].detail == "8 of 9 mutants rejected, 1 compute the same function"


def test_a_waiver_is_named_as_a_warning(healthy: Evidence) -> None:
    off = on_first("model.onnx", onnx=TEN_TIMES)(healthy)
    waived = replace(off, waivers=(Waiver(output="y", reason="noisy DFT", bound=5e-5),))
    assert not_passed(waived) == {"parity": Status.WARN}


def test_a_detector_is_judged_by_its_tasks_agreement(healthy: Evidence) -> None:
    by_task = on_cases("pipeline.onnx", lambda case: on_output(case, compare="agreement", shape=(7, 10)))(healthy)
    agreed = on_graph("pipeline.onnx", answers=Agreement(items=5, agreeing=5, undecided=0))(by_task)
    assert verdict(agreed).status == Status.PASS
    quarrel = on_graph("pipeline.onnx", answers=Agreement(items=5, agreeing=4, undecided=0))(by_task)
    assert not_passed(quarrel) == {"pipeline": Status.FAIL}


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (Agreement(items=20, agreeing=19, undecided=1, unknown=1), Status.PASS),
        (Agreement(items=20, agreeing=18, undecided=2, unknown=2), Status.INCONCLUSIVE),
        (Agreement(items=100, agreeing=90, undecided=10, unknown=5), Status.PASS),
        (Agreement(items=100, agreeing=90, undecided=10, unknown=6), Status.INCONCLUSIVE),
        (Agreement(items=100, agreeing=90, undecided=10, unknown=11), Status.FAIL),
        (Agreement(items=True, agreeing=1, undecided=0), Status.FAIL),
        (Agreement(items=float("inf"), agreeing=float("inf"), undecided=0), Status.FAIL),  # type: ignore[arg-type]
        (Agreement(items=float("nan"), agreeing=1, undecided=0), Status.FAIL),  # type: ignore[arg-type]
    ],
)
def test_few_answers_may_be_unknown_and_counts_are_whole(healthy: Evidence, found: Agreement, status: Status) -> None:
    expected = {} if status == Status.PASS else {"agreement": status}
    assert not_passed(replace(healthy, agreement=found)) == expected


def test_a_stateful_graph_needs_a_rollout_and_a_split_sequence(healthy: Evidence) -> None:
    kinds = ("rollout", "split", "uniform", "uniform", "zeros")
    rolled = on_cases("model.onnx", lambda case: replace(case, kind=kinds[int(case.name[-1])], steps=32))(healthy)
    assert verdict(on_graph("model.onnx", stateful=True)(rolled)).status == Status.PASS


def test_a_foreign_file_is_judged_without_lineage_labels_and_agreement(healthy: Evidence) -> None:
    model: GraphEvidence = healthy.graphs[0]
    subject = replace(healthy.subject, scope="file", files=healthy.subject.files[:1])
    foreign = replace(healthy, subject=subject, graphs=(model,), lineage=None, labels=None, agreement=None)
    found = judge(foreign, published={"model.onnx": "a" * 64})
    assert found.status == Status.PASS
    assert {"pipeline", "lineage", "labels", "agreement"}.isdisjoint(gate.name for gate in found.gates)


def test_catches_names_only_gates_about_answers(healthy: Evidence) -> None:
    assert killing_gates(healthy) == ()
    assert killing_gates(on_first("model.onnx", onnx=TEN_TIMES)(healthy)) == ("parity",)
    assert killing_gates(on_graph("model.onnx", sha256="f" * 64)(healthy)) == ()
    assert killing_gates(replace(healthy, graphs=())) == ()
    assert {spec.name for spec in GATES} > KILLING_GATES


def test_evidence_survives_json(healthy: Evidence) -> None:
    text = json.dumps(to_json(healthy), allow_nan=False)
    assert from_json(Evidence, json.loads(text), where="report.json") == healthy


def test_numbers_that_json_cannot_hold_become_none() -> None:
    assert Magnitude.of(math.nan, math.inf) == Magnitude(rms=None, max=None)
    assert OutputError.__dataclass_fields__["scale"].default is None
