"""The verdict on variants for one size and for batches, from made-up evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoo import IMAGE, Port, Signature
from zoo.bundle.judge.evidence import Evidence, File, MutantResult
from zoo.bundle.judge.form_rule import FormEvidence, WantedForms, judge_form
from zoo.bundle.judge.parity_rule import Status

PUBLISHED = {"model.onnx": "a" * 64, "pipeline.onnx": "b" * 64, "variants/batch/pipeline.onnx": "c" * 64}
ANSWER = Port(name="probabilities", dtype="float32", shape=("batch", 3))
IMAGES = Port(name="images", dtype="uint8", shape=("batch", *IMAGE.shape))
KILLED = tuple(MutantResult(name=f"m{n}", applied=True, killed_by=("pipeline",)) for n in range(4))


@pytest.fixture
def batch(healthy: Evidence) -> FormEvidence:
    graph = next(graph for graph in healthy.graphs if graph.role == "pipeline")
    alone = replace(healthy.subject, scope="file")
    return FormEvidence(
        name="batch",
        kind="batch",
        method="in a loop",
        made_from={name: PUBLISHED[name] for name in ("model.onnx", "pipeline.onnx")},
        file=File(name="variants/batch/pipeline.onnx", sha256="c" * 64, bytes=9),
        signature=Signature(inputs=(IMAGES,), outputs=(ANSWER,)),
        inputs={"images": ("batch", "height", "width", 3)},
        dynamic=4,
        values=6,
        batches=(1, 2, 3),
        weights=2,
        proof=replace(healthy, subject=alone, graphs=(replace(graph, sha256="c" * 64),)),
        mutants=KILLED,
    )


def status(evidence: FormEvidence, name: str) -> Status:
    gates = judge_form(evidence, published=PUBLISHED).gates
    return next(gate.status for gate in gates if gate.name == name)


def test_good_evidence_is_proved(batch: FormEvidence) -> None:
    verdict = judge_form(batch, published=PUBLISHED)
    assert verdict.publishes, verdict.sentence
    assert [gate.name for gate in verdict.gates][:5] == ["subject", "shape", "batches", "weights", "own mutants"]


def test_other_bytes_are_not_what_was_measured(batch: FormEvidence) -> None:
    assert not judge_form(batch, published={**PUBLISHED, "pipeline.onnx": "d" * 64}).publishes
    assert not judge_form(batch, published={**PUBLISHED, "variants/batch/pipeline.onnx": "d" * 64}).publishes
    assert status(replace(batch, made_from={}), "subject") == Status.FAIL
    assert status(replace(batch, file=File(name="pipeline.onnx", sha256="b" * 64, bytes=9)), "subject") == Status.FAIL


@pytest.mark.parametrize(
    ("changes", "gate", "expected"),
    [
        ({"inputs": {"images": (2, "height", "width", 3)}}, "shape", Status.FAIL),
        ({"inputs": {"image": ("batch", "height", "width", 3)}}, "shape", Status.FAIL),
        ({"dynamic": None}, "shape", Status.INCONCLUSIVE),
        ({"batches": (1, 2)}, "batches", Status.INCONCLUSIVE),
        ({"batch_failures": ("a batch of 3: no answer",)}, "batches", Status.FAIL),
        ({"other_weights": ("head.weight",)}, "weights", Status.FAIL),
        ({"weights": None}, "weights", Status.INCONCLUSIVE),
        ({"mutants": KILLED[:2]}, "own mutants", Status.INCONCLUSIVE),
        ({"mutants": (*KILLED, MutantResult(name="order", applied=True))}, "own mutants", Status.INCONCLUSIVE),
        ({"proof": None}, "subject", Status.FAIL),
    ],
)
def test_each_gate_has_its_reason(batch: FormEvidence, changes: dict[str, object], gate: str, expected: Status) -> None:
    assert status(replace(batch, **changes), gate) == expected  # type: ignore[arg-type]


def test_a_fixed_size_has_no_dynamic_input(batch: FormEvidence) -> None:
    still_dynamic = replace(batch, kind="fixed size")
    assert status(still_dynamic, "shape") == Status.FAIL
    image = Port(name="image", dtype="uint8", shape=(40, 56, 3))
    fixed = replace(
        still_dynamic, signature=Signature(inputs=(image,), outputs=(ANSWER,)), inputs={"image": image.shape}
    )
    assert status(fixed, "shape") == Status.PASS
    assert status(replace(fixed, inputs={"image": (56, 40, 3)}), "shape") == Status.FAIL


def test_what_could_not_be_made_says_why(batch: FormEvidence) -> None:
    refused = FormEvidence(name="batch", kind="batch", method="", made_from={}, refused="it counts boxes")
    assert judge_form(refused, published=PUBLISHED).sentence == "refused (FAIL): it counts boxes"
    assert not judge_form(replace(batch, file=None), published=PUBLISHED).publishes


def test_names_say_the_size() -> None:
    wanted = WantedForms(fixed_sizes=((480, 640), (480, 640), (9, 9)), batch=True)
    assert wanted.names == ("fixed-480x640", "fixed-9x9", "batch")
