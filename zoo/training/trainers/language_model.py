"""Learning to go on with a sequence (a text, a sound), by truncated backpropagation through time.

A model takes what its `signature` names, which a batch holds under the same names, and its state; it gives logits and
its state.  The state of a chunk is carried into the one that follows it in the sequence, without gradients; every
other chunk begins with zeros.
R. J. Williams, J. Peng, An efficient gradient-based algorithm for on-line training of recurrent network trajectories,
Neural Computation 2 (1990).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from zoo.api.errors import PluginError
from zoo.api.problem import Problem
from zoo.api.recipe import Recipe
from zoo.api.task import Batch, Signature
from zoo.api.trainer import StepContext, StepOutput
from zoo.training.recipe.optimizers import build_optimizer

IGNORE_INDEX = -100


class LanguageModelTrainer:
    """Cross-entropy of what comes next, the state carried on."""

    def __init__(self) -> None:
        self._signature: Signature | None = None
        self._inputs: tuple[str, ...] = ()
        """What the model takes beside its state."""
        self._next: Tensor | None = None
        """Where in the sequence the chunk begins that each carried row belongs to, int64 [n]."""
        self._state: tuple[Tensor, ...] = ()

    def modules(self, model: nn.Module, problem: Problem) -> dict[str, nn.Module]:
        """The model alone; PluginError unless it says what its state is."""
        signature = getattr(model, "signature", None)
        if not isinstance(signature, Signature) or not signature.feedback:
            raise PluginError(
                f"{type(model).__name__} has no state: a model for {problem.task} has an attribute `signature`, a "
                "zoo.Signature whose outputs of state name the inputs that they feed"
            )
        state, _ = signature.state
        self._inputs = tuple(port.name for port in signature.inputs if port not in state)
        self._signature = signature
        return {"model": model}

    def optimizers(
        self, modules: Mapping[str, nn.Module], recipe: Recipe, head: tuple[str, ...]
    ) -> dict[str, Optimizer]:
        """One, over the model."""
        return {"model": build_optimizer(modules["model"], recipe, head=head)}

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from the inputs and `targets` int64 [n, chunk], which begin at `at` int64 [n] in the sequence."""
        at, targets = batch["at"], batch["targets"]
        logits, *state = context.modules["model"](*self._given(batch), *self._before(at))
        nats = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE_INDEX, reduction="sum")
        loss = nats / context.divisor((targets != IGNORE_INDEX).sum())
        context.backward(loss)
        context.update("model")
        self._state, self._next = tuple(part.detach() for part in state), at + targets.shape[1]
        return StepOutput(loss=loss.detach(), count=len(at))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`nats` float [n]: the negative log-likelihood of all targets that count; `tokens` int [n]: how many they are.

        `nll` float [n, length] is that of every target, zero where it does not count.
        """
        targets = batch["targets"]
        logits, *_ = context.modules["model"](*self._given(batch), *self._zeros(targets))
        nats = F.cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), reduction="none", ignore_index=IGNORE_INDEX
        )
        nll = nats.view_as(targets)
        return {"nats": nll.sum(1), "tokens": (targets != IGNORE_INDEX).sum(1), "nll": nll}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """Nats per target that counts."""
        loss: Tensor = outputs["nats"].sum() / outputs["tokens"].sum().clamp_min(1)
        return loss

    def _given(self, batch: Batch) -> list[Tensor]:
        return [batch[name] for name in self._inputs]

    def _before(self, at: Tensor) -> tuple[Tensor, ...]:
        """The carried state of the rows that go on, zeros for the others."""
        zeros = self._zeros(at)
        if self._next is None or self._next.shape != at.shape:
            return zeros
        goes_on = self._next.to(at.device) == at
        return tuple(
            torch.where(goes_on.view(-1, *[1] * (zero.ndim - 1)), part.to(zero), zero)
            for zero, part in zip(zeros, self._state, strict=True)
        )

    def _zeros(self, rows: Tensor) -> tuple[Tensor, ...]:
        assert self._signature is not None, "modules() comes first"
        initial = self._signature.initial_state(len(rows))
        return tuple(torch.from_numpy(value).to(rows.device) for value in initial.values())

    def state_dict(self) -> dict[str, Tensor | int | float | str]:
        """The carried state and where it goes on."""
        if self._next is None:
            return {}
        parts = {f"state.{number}": part.cpu() for number, part in enumerate(self._state)}
        return {"next": self._next.cpu(), **parts}

    def load_state_dict(self, state: Mapping[str, Tensor | int | float | str]) -> None:
        """Put back what `state_dict` gave."""
        tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
        self._next = tensors.pop("next", None)
        self._state = tuple(tensors[f"state.{number}"] for number in range(len(tensors)))
