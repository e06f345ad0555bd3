from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from zoo.api.errors import PluginError
from zoo.api.problem import Problem, TokenInput
from zoo.api.recipe import Recipe
from zoo.api.task import Batch, Port, Signature
from zoo.training.trainers.language_model import LanguageModelTrainer
from zoo.training.trainers.text_classification import TextClassificationTrainer, hide_tokens

PROBLEM = Problem(task="t", input=TokenInput())


class Adding(nn.Module):
    """A language model whose state is the sum of all tokens so far, and whose logits are linear in it."""

    signature = Signature(
        inputs=(
            Port(name="tokens", dtype="int64", shape=("batch", "length")),
            Port(name="state", dtype="float32", shape=("batch", 1)),
        ),
        outputs=(
            Port(name="logits", dtype="float32", shape=("batch", "length", 3)),
            Port(name="state_out", dtype="float32", shape=("batch", 1), feeds="state"),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.1, 0.2, -0.1]))
        self.given: list[Tensor] = []

    def forward(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        self.given.append(state)
        sums = state + tokens.cumsum(1) + 0.0 * self.weight[0]
        return sums[:, :, None] * self.weight, sums[:, -1:]


class Context:
    """A step context without a loop."""

    def __init__(self, model: nn.Module, **options: float) -> None:
        self.modules: Mapping[str, nn.Module] = {"model": model}
        self.problem = PROBLEM
        self.recipe = Recipe()
        self.options: Mapping[str, float | int | str | bool] = options
        self.step = self.epoch = 0
        self.total_steps = 1
        self.generator = torch.Generator().manual_seed(1)
        self.class_weights: Tensor | None = None
        self.teacher: Callable[..., Tensor] | None = None
        self.updated: list[str] = []

    def divisor(self, count: Tensor, *, least: float = 1.0) -> Tensor:
        return count.clamp(min=least)

    def whole(self, rows: Tensor) -> Tensor:
        return rows

    def backward(self, loss: Tensor) -> None:
        torch.autograd.backward(loss)

    def update(self, optimizer: str) -> None:
        self.updated.append(optimizer)


def chunk(at: list[int], tokens: list[list[int]]) -> Batch:
    return {"at": torch.tensor(at), "tokens": torch.tensor(tokens), "targets": torch.zeros(len(at), 2).long()}


def learning() -> tuple[LanguageModelTrainer, Adding, Context]:
    trainer, model = LanguageModelTrainer(), Adding()
    trainer.modules(model, PROBLEM)
    return trainer, model, Context(model)


def test_the_state_goes_on_where_the_text_goes_on_and_begins_anew_elsewhere() -> None:
    trainer, model, context = learning()
    trainer.step(context, chunk([0, 10], [[1, 2], [1, 1]]))
    trainer.step(context, chunk([2, 99], [[0, 1], [1, 1]]))
    trainer.step(context, chunk([4, 101], [[0, 0], [0, 0]]))
    assert [state.flatten().tolist() for state in model.given] == [[0, 0], [3, 0], [4, 2]]
    assert context.updated == ["model"] * 3


def test_no_gradient_flows_into_an_earlier_chunk() -> None:
    trainer, model, context = learning()
    trainer.step(context, chunk([0], [[1, 2]]))
    trainer.step(context, chunk([2], [[1, 2]]))
    assert not model.given[1].requires_grad


def test_the_carried_state_survives_a_resume() -> None:
    trainer, _, context = learning()
    trainer.step(context, chunk([0, 10], [[1, 2], [1, 1]]))
    saved = trainer.state_dict()
    assert sorted(saved) == ["next", "state.0"]
    other, model, context = learning()
    other.load_state_dict(saved)
    other.step(context, chunk([2, 12], [[0, 0], [0, 0]]))
    assert model.given[0].flatten().tolist() == [3, 2]
    fresh = LanguageModelTrainer()
    fresh.load_state_dict(LanguageModelTrainer().state_dict())
    assert fresh.state_dict() == {}


def test_a_last_batch_of_another_size_begins_anew() -> None:
    trainer, model, context = learning()
    trainer.step(context, chunk([0, 10], [[1, 2], [1, 1]]))
    trainer.step(context, chunk([2], [[1, 2]]))
    assert model.given[1].tolist() == [[0.0]]


def test_only_the_targets_that_count_are_surprising() -> None:
    trainer, model, context = learning()
    with torch.no_grad():
        model.weight.zero_()  # every token as likely as any other
    batch = {"tokens": torch.zeros(2, 3).long(), "targets": torch.tensor([[0, 1, 2], [-100, -100, 1]])}
    outputs = trainer.predict(context, batch)
    assert outputs["tokens"].tolist() == [3, 1]
    assert outputs["nats"].tolist() == pytest.approx([3 * math.log(3), math.log(3)])


def test_a_model_that_says_nothing_of_its_state_is_refused() -> None:
    with pytest.raises(PluginError, match="Linear has no state"):
        LanguageModelTrainer().modules(nn.Linear(1, 1), PROBLEM)


class Counting(nn.Module):
    """A classifier that remembers what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1.0, -1.0]))
        self.tokens = torch.zeros(0)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        self.tokens = tokens
        return lengths[:, None] * self.weight


def test_a_classifier_learns_from_texts_some_of_whose_tokens_are_hidden() -> None:
    model = Counting()
    batch = {"tokens": torch.full((50, 20), 7), "lengths": torch.ones(50), "label": torch.zeros(50).long()}
    context = Context(model, token_dropout=0.25)
    output = TextClassificationTrainer().step(context, batch)
    assert float(output.loss) == pytest.approx(math.log(1 + math.exp(-2)))
    assert output.count == 50
    assert set(model.tokens.flatten().tolist()) == {1, 7}
    assert float((model.tokens == 1).float().mean()) == pytest.approx(0.25, abs=0.05)
    assert TextClassificationTrainer().predict(context, batch)["logits"].shape == (50, 2)
    assert model.tokens.tolist() == batch["tokens"].tolist()


def test_hiding_depends_on_the_generator_alone() -> None:
    tokens = torch.full((4, 9), 3)
    one, other = (hide_tokens(tokens, 0.5, torch.Generator().manual_seed(2), replacement=1) for _ in range(2))
    assert torch.equal(one, other)
