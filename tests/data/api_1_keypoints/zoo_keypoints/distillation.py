"""Learning from a teacher: its soft answers say more than labels do.  [torch]

Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, arXiv:1503.02531.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from zoo import Batch, Catalog, Problem, SingleModelTrainer, StepContext, StepOutput, UsageError, create_model


class DistillationTrainer(SingleModelTrainer):
    """Options: `teacher`, published weights of a classifier of the same classes; `temperature`, which softens both
    answers; `trust`, the share of the loss that is the teacher's, the rest is the labels'.  The teacher learns nothing
    and is saved nowhere; a resumed training hires it again."""

    def __init__(self) -> None:
        self.teacher: nn.Module | None = None

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, ...] and `label` int64 [n], and from what the teacher says to `input`."""
        if self.teacher is None:
            self.teacher = hired(str(context.options["teacher"]), context.problem).to(batch["input"].device)
        heat, trust = float(context.options["temperature"]), float(context.options["trust"])
        with torch.no_grad():
            wisdom = F.softmax(self.teacher(batch["input"]) / heat, dim=1)
        logits = context.modules["model"](batch["input"])
        taught = F.kl_div(F.log_softmax(logits / heat, dim=1), wisdom, reduction="batchmean") * heat**2
        labelled = F.cross_entropy(logits, batch["label"])
        loss = trust * taught + (1 - trust) * labelled
        context.backward(loss)
        context.update("model")
        parts = {"taught": taught.detach(), "labelled": labelled.detach()}
        return StepOutput(loss=loss.detach(), count=len(logits), parts=parts)

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`logits` [n, classes]."""
        return {"logits": context.modules["model"](batch["input"])}


def hired(name: str, problem: Problem) -> nn.Module:
    """The teacher, frozen and in evaluation mode; UsageError unless it answers the very question that is asked."""
    spec = Catalog.discover().weight(name).spec
    if spec.classes != problem.classes or spec.input is None or not _alike(spec.input, problem):
        raise UsageError(
            f"{name} cannot teach this: a teacher knows the same classes and sees the same pixels",
            hint="name another teacher with --set recipe.options.teacher=MODEL@TAG, or choose another model",
        )
    return create_model(name).eval().requires_grad_(False)


def _alike(input: object, problem: Problem) -> bool:
    """True where teacher and pupil see the same numbers."""
    ours = problem.image
    return all(getattr(input, name, None) == getattr(ours, name) for name in ("size", "channels", "mean", "std"))
