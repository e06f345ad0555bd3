"""Models whose code asks how many items there are: right at the sizes that are tried, another answer elsewhere."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from tests.export.conftest import Tiny, subject_of, tiny
from zoo.judge.rule import Status
from zoo.replay.sandbox import Runtime
from zoo_export.cases import LARGEST_LIMIT, beyond
from zoo_export.exported import MODEL
from zoo_export.ports import Array, call
from zoo_export.proof import Proof, prove


class Crowded(Tiny):
    """Doubles its answers to more than eight items."""

    def forward(self, image: Tensor) -> Tensor:
        logits = super().forward(image)
        return logits * 2 if image.shape[0] > 8 else logits


class Lonely(Tiny):
    """Doubles its answer to an item that comes alone, as it does on a device."""

    def forward(self, image: Tensor) -> Tensor:
        logits = super().forward(image)
        return logits * 2 if image.shape[0] == 1 else logits


def made(kind: type[Tiny]) -> Tiny:
    """The tiny classifier's parameters behind other code."""
    module = kind()
    module.load_state_dict(tiny().state_dict())
    return module.eval()


def naive(found: Proof, runtime: Runtime, batch: int) -> bool:
    """Allclose on one random batch."""
    image: dict[str, Array] = {"input": np.random.default_rng(0).normal(size=(batch, 3, 12, 12)).astype(np.float32)}
    given = runtime.run(runtime.session(found.exported.files[MODEL]), image)["logits"]
    right = call(found.subject.module, image, found.subject.signature)["logits"]
    return bool(np.allclose(given, right, rtol=1e-3, atol=1e-4))


def details(found: Proof) -> dict[str, str]:
    return {gate.name: gate.detail for gate in found.verdict.gates if gate.status == Status.FAIL}


def test_a_branch_on_the_batch_is_tried_on_its_other_side(runtime: Runtime) -> None:
    found = prove(subject_of(made(Crowded)), opset=18)
    assert all(naive(found, runtime, batch) for batch in (1, 2, 3, 7))
    assert found.exported.graph.limits == {"batch": 8}
    assert not found.verdict.publishes
    assert set(details(found)) == {"parity"}
    assert "batch 9, logits" in details(found)["parity"]


def test_an_answer_that_depends_on_company_is_refused(runtime: Runtime) -> None:
    found = prove(subject_of(made(Lonely)), opset=18)
    assert all(naive(found, runtime, batch) for batch in (2, 3, 7))
    assert not found.verdict.publishes
    assert "depends on what else is in the batch" in details(found)["axes"]


def test_a_sound_model_has_no_limits(proof: Proof) -> None:
    assert (proof.exported.graph.limits, proof.exported.pipeline.limits) == ({}, {})


def test_a_limit_of_the_machine_is_not_tried(proof: Proof) -> None:
    ports = proof.subject.signature.inputs
    assert beyond(proof.inputs.model, ports, {"batch": LARGEST_LIMIT + 1}) == []
    (case,) = beyond(proof.inputs.model, ports, {"batch": 3})
    assert case.inputs["input"].shape == (4, 3, 12, 12)
