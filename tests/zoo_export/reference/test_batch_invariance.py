"""Models whose code asks for a size: right at the sizes that are usually tried, another answer elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor, nn

from tests.zoo_export.conftest import Tiny, subject_of, tiny
from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.outputs import Array, call
from zoo_export.capture.capture import MODEL
from zoo_export.capture.shape_guards import LARGEST
from zoo_export.capture.torch_export import export_graph
from zoo_export.proof.prove import Proof, prove
from zoo_export.reference import oracle as oracles
from zoo_export.reference.batch_invariance import batch_dependence
from zoo_export.reference.oracle import oracle_of
from zoo_export.subject.choose_cases import Sizes, cases_of_sizes


class Crowded(Tiny):
    """Doubles its answers to more than eight items."""

    def forward(self, image: Tensor) -> Tensor:
        logits = super().forward(image)
        return logits * 2 if image.shape[0] > 8 else logits


class Fives(Tiny):
    """Doubles its answers to five items, ten, fifteen."""

    def forward(self, image: Tensor) -> Tensor:
        logits = super().forward(image)
        return logits * 2 if image.shape[0] % 5 == 0 else logits


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


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "size"), [(Crowded, 9), (Fives, 5)])
def test_a_branch_on_the_batch_is_tried_on_its_other_side(runtime: Runtime, kind: type[Tiny], size: int) -> None:
    found = prove(subject_of(made(kind)), opset=18)
    assert all(naive(found, runtime, batch) for batch in (1, 2, 3, 7))
    assert found.exported.graph.guard_violations == ({"batch": size},)
    assert not found.verdict.publishes
    assert set(details(found)) == {"parity"}
    assert f"batch {size}, logits" in details(found)["parity"]


@pytest.mark.slow
def test_an_answer_that_depends_on_company_is_refused(runtime: Runtime) -> None:
    found = prove(subject_of(made(Lonely)), opset=18)
    assert all(naive(found, runtime, batch) for batch in (2, 3, 7))
    assert not found.verdict.publishes
    assert "depends on what else is in the batch" in details(found)["axes"]


@pytest.mark.slow
def test_a_sound_model_is_right_elsewhere_too(proof: Proof) -> None:
    assert proof.exported.graph.guard_violations == ()
    assert proof.exported.pipeline.guard_violations == ({"height": 1},)
    assert "height 1" in [case.name for case in proof.evidence.graphs[1].cases]
    assert proof.verdict.publishes


class Asking(nn.Module):
    """float32 [batch, height, width] -> [batch], doubled where a condition on the sizes holds."""

    def __init__(self, condition: str) -> None:
        super().__init__()
        self.condition = compile(condition, "condition", "eval")

    def forward(self, x: Tensor) -> Tensor:
        batch, height, width = x.shape
        mean = x.mean((1, 2))
        return mean * 2 if eval(self.condition, {"n": batch, "h": height, "w": width}) else mean * 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "width", "sizes"),
    [
        ("h == w", 14, ({"height": 14},)),
        ("h == w", 12, ({"width": 13},)),
        ("w != 9", 14, ({"width": 9},)),
        ("w < 5", 14, ({"width": 4},)),
        ("h * w > 500", 14, ({"height": 36},)),
        ("w % 50 == 3", 14, ({"width": 3},)),
        (f"w > {LARGEST}", 14, ()),
        ("n > 0", 14, ()),
    ],
)
def test_a_size_is_found_for_every_question(condition: str, width: int, sizes: tuple[Sizes, ...]) -> None:
    ports = (Port(name="x", dtype="float32", shape=("batch", "height", "width")),)
    signature = Signature(inputs=ports, outputs=(Port(name="y", dtype="float32", shape=("batch",)),))
    example: dict[str, Array] = {"x": np.zeros((2, 12, width), np.float32)}
    assert export_graph(Asking(condition).eval(), example, signature, opset=18, name="asking").guard_violations == sizes


def test_cases_are_stretched_to_those_sizes(proof: Proof) -> None:
    ports = proof.subject.signature.inputs
    (case,) = cases_of_sizes(proof.inputs.model, ports, [{"batch": 4}])
    assert (case.name, case.inputs["input"].shape) == ("batch 4", (4, 3, 12, 12))


class Centred(nn.Module):
    """Takes away the mean of the batch."""

    def forward(self, input: Tensor) -> Tensor:
        return input - input.mean(0, keepdim=True)


class Doubled(nn.Module):
    """Each item by itself."""

    def forward(self, input: Tensor) -> Tensor:
        return input * 2


@pytest.mark.parametrize(("module", "depends"), [(Centred(), True), (Doubled(), False)])
@pytest.mark.parametrize("together", [True, False])
def test_large_items_which_go_alone_otherwise_go_in_a_batch_of_two(
    module: nn.Module, depends: bool, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not together:
        monkeypatch.setattr(oracles, "MAX_ELEMENTS_PER_BATCH", 1)
    signature = Signature(
        inputs=(Port(name="input", dtype="float32", shape=("batch", 2)),),
        outputs=(Port(name="logits", dtype="float32", shape=("batch", 2)),),
    )
    cases = [
        Case(name=f"case {number}", kind="uniform", inputs={"input": np.full((1, 2), number, np.float32)})
        for number in (1, 2, 3)
    ]
    inputs = [case.inputs for case in cases]
    oracle = oracle_of(module.eval(), signature, inputs[0])
    assert len(oracle.groups(inputs)) == (1 if together else 3)
    sentence = batch_dependence(oracle, cases, oracle.runs(inputs))
    assert ("depends on what else is in the batch" in sentence) is depends
