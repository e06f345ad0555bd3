"""A refusal names the module, the user's line and what to write instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from tests.zoo_export.conftest import subject_of
from zoo.api.errors import ZooError
from zoo_export.proof.prove import prove
from zoo_export.reference.call_sites import operators

Op = Callable[["Net", Tensor], Tensor]


class Net(nn.Module):
    """A convolution, something, a linear layer: float32 [n, 3, 12, 12] -> [n, 4]."""

    def __init__(self, op: Op) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, 4)
        self.op = op

    def forward(self, image: Tensor) -> Tensor:
        features = self.op(self, self.conv(image))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


def net(op: Op) -> Net:
    torch.manual_seed(0)
    return Net(op).eval()


def branch(model: Net, x: Tensor) -> Tensor:
    return x if x.mean() > 0 else -x


def adaptive(model: Net, x: Tensor) -> Tensor:
    return nn.functional.adaptive_max_pool2d(x, (3, 4))


def listed(model: Net, x: Tensor) -> Tensor:
    return torch.stack([x[0]] * x.shape[0])


@pytest.mark.parametrize(
    ("op", "line", "hint"),
    [
        (branch, "return x if x.mean() > 0 else -x", "torch.cond(condition, if_true, if_false, operands)"),
        (adaptive, "return nn.functional.adaptive_max_pool2d(x, (3, 4))", "max_pool2d with a kernel"),
        (listed, "return torch.stack([x[0]] * x.shape[0])", "use expand"),
    ],
)
def test_what_cannot_be_captured_is_told_with_its_line_and_its_cure(op: Op, line: str, hint: str) -> None:
    with pytest.raises(ZooError) as caught:
        prove(subject_of(net(op)), opset=18)
    assert f"proof/test_advice.py:{op.__code__.co_firstlineno + 1} `{line}`" in caught.value.message
    assert "the model (Net)" in caught.value.message
    assert not caught.value.message.endswith(":")
    assert hint in caught.value.hint


class Stubborn(nn.BatchNorm2d):
    def train(self, mode: bool = True) -> Stubborn:  # noqa: ARG002
        return super().train(True)


def test_a_module_that_stays_in_training_mode_is_named_with_its_method() -> None:
    model = net(lambda model, x: model.norm(x))  # type: ignore[operator]
    model.norm = Stubborn(4)
    with pytest.raises(ZooError, match=r"norm \(Stubborn\), proof/test_advice.py:\d+ .* overrides train\(\)"):
        prove(subject_of(model.eval()), opset=18)


def test_a_wrong_answer_is_told_with_the_line_that_is_often_behind_it() -> None:
    def noise(model: Net, x: Tensor) -> Tensor:
        return x + 0.1 * torch.randn_like(x)

    verdict = prove(subject_of(net(noise)), opset=18).verdict
    assert "`return x + 0.1 * torch.randn_like(x)`: instead of randn_like write an input of noise" in verdict.sentence
    assert "`return x + 0.1 * torch.randn_like(x)`: in eval mode an answer must not be random" in verdict.sentence


def mixed(model: Net, x: Tensor) -> Tensor:
    return x - x.mean()


def literal(model: Net, x: Tensor) -> Tensor:
    table = torch.tensor([[float(i * j % 7) for i in range(30)] for j in range(10)])
    return x @ table


@pytest.mark.parametrize(
    ("op", "line", "words"),
    [
        (mixed, "return x - x.mean()", "an item must not depend on what else is in its batch"),
        (literal, "table = torch.tensor(", "make this constant once, in __init__, and keep it with register_buffer"),
    ],
)
def test_a_file_that_is_no_proof_names_the_line_and_the_cure(op: Op, line: str, words: str) -> None:
    proof = prove(subject_of(net(op)), opset=18)
    assert not proof.verdict.publishes
    (advice,) = [sentence for sentence in proof.evidence.advice if words in sentence]
    assert f"proof/test_advice.py:{op.__code__.co_firstlineno + 1} `{line}" in advice
    assert len([s for s in proof.evidence.advice if "batch" in s]) == (op is mixed)


class Wide(nn.Module):
    """A convolution in double precision: float32 [n, 3, 12, 12] -> [n, 4]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 12).double()

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.conv(image.double()).flatten(1)
        return logits.float()


def test_a_precision_that_the_runtime_has_no_operator_for_is_named_once() -> None:
    torch.manual_seed(0)
    proof = prove(subject_of(Wide().eval()), opset=18)
    (advice,) = proof.evidence.advice
    assert "ONNX Runtime has no such operator in double: let the model compute in float32" in advice
    parity = next(gate.detail for gate in proof.verdict.gates if gate.name == "parity")
    assert parity.count("Could not find an implementation") == 1


def test_a_buffer_that_every_call_changes_is_named() -> None:
    def averaged(model: Net, x: Tensor) -> Tensor:
        return x - model.get_buffer("ema").mul_(0.9).add_(x.mean(), alpha=0.1)

    model = net(branch)
    model.register_buffer("ema", torch.zeros(()))
    model.op = averaged
    sentence = prove(subject_of(model), opset=18).verdict.sentence
    assert "the buffer ema is another one after every call" in sentence


def test_the_first_line_that_calls_each_operator_is_found() -> None:
    model = net(adaptive)
    image = torch.zeros(1, 3, 12, 12).numpy()
    sites = operators(model, {"input": image}, subject_of(model).signature)
    assert sites["adaptive_max_pool2d"].code == "return nn.functional.adaptive_max_pool2d(x, (3, 4))"
    assert str(sites["convolution"]).endswith("`features = self.op(self, self.conv(image))`")


class Answering(nn.Module):
    """Gives what it is told: float32 [n, 3, 12, 12] -> anything."""

    def __init__(self, answer: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.head = nn.Linear(3 * 12 * 12, 4)
        self.answer = answer

    def forward(self, image: Tensor) -> object:
        return self.answer(self.head(image.flatten(1)))


@pytest.mark.parametrize(
    ("answer", "words", "hint"),
    [
        (lambda y: (y, y), "the module gives 2 tensors but its signature names 1 output", "return fewer"),
        (lambda y: y.half(), "gives logits in float16; the task's signature says float32", "end the model with .float"),
    ],
)
def test_an_answer_that_the_signature_does_not_name_is_told_with_its_line(
    answer: Callable[[Tensor], object], words: str, hint: str
) -> None:
    with pytest.raises(ZooError) as caught:
        prove(subject_of(Answering(answer).eval()), opset=18)
    assert words in caught.value.message
    assert "the model (Answering), proof/test_advice.py:" in caught.value.message
    assert "`def forward(self, image: Tensor) -> object:`" in caught.value.message
    assert hint in caught.value.hint


def drawn_in_place(model: Net, x: Tensor) -> Tensor:
    return x + torch.empty_like(x).exponential_() * 0.1


def test_the_line_that_draws_is_named_whatever_the_exporter_makes_of_it() -> None:
    proof = prove(subject_of(net(drawn_in_place)), opset=18)
    (advice,) = [sentence for sentence in proof.evidence.advice if "must not be random" in sentence]
    assert "`return x + torch.empty_like(x).exponential_() * 0.1`" in advice
