"""Trains classifiers of labelled examples."""

from __future__ import annotations

from typing import Final

from torch import Tensor
from torch.nn import functional as F

from zoo.api.errors import UsageError
from zoo.api.task import Batch
from zoo.api.trainer import StepContext, StepOutput
from zoo.training.loop.augmenting import mixed
from zoo.training.trainers.single_model import SingleModelTrainer

GROWN: Final = 0.75
"""Share of all steps after which pictures have the whole size."""
PARTS: Final = 32
"""Steps of which the cost is asked, for an estimate of the rest."""
STRIDE: Final = 4
"""Sides grow by so many pixels at a time: a new size costs a convolution its plan."""


class ClassificationTrainer(SingleModelTrainer):
    """Cross-entropy.  A model with auxiliary heads returns a tuple in training mode, its own logits first.

    With `first_size` below 1 the first steps see smaller pictures, which cost less (progressive resizing, as in Tan
    and Le, EfficientNetV2, ICML 2021); the last quarter of the steps and every evaluation see whole ones.
    """

    def step(self, context: StepContext, batch: Batch) -> StepOutput:
        """Learn from `input` [n, ...] and `label` int64 [n]."""
        classes = len(context.problem.classes)
        images, label = mixed(batch["input"], batch["label"], context.recipe, classes=classes)
        logits, *auxiliary = as_tuple(context.modules["model"](_resized(context, images)))
        loss = with_teacher(context, label_loss(context, logits, label), logits, images)
        for other_logits in auxiliary:
            loss = loss + float(context.options["auxiliary_weight"]) * label_loss(context, other_logits, label)
        context.backward(loss)
        context.update("model")
        return StepOutput(loss=loss.detach(), count=len(label))

    def predict(self, context: StepContext, batch: Batch) -> Batch:
        """`logits` [n, classes]."""
        return {"logits": as_tuple(context.modules["model"](batch["input"]))[0]}

    def validation_loss(self, context: StepContext, outputs: Batch, batch: Batch) -> Tensor | None:  # noqa: ARG002
        """Cross-entropy, without label smoothing."""
        return F.cross_entropy(outputs["logits"].float(), batch["label"])

    def later_cost(self, context: StepContext) -> float:
        """What a step that is still to come costs on average, in steps like the present one."""
        first, total = float(context.options.get("first_size", 1.0)), context.total_steps
        left = total - context.step
        side = context.problem.input.picture_side
        if not 0 < first < 1 or left < 1 or not side:
            return 1.0
        steps = [context.step + left * part / PARTS for part in range(PARTS)]
        now, *later = (grown_side(side, first=first, share=step / (GROWN * total)) ** 2 for step in steps)
        return (now + sum(later)) / PARTS / now


def label_loss(context: StepContext, logits: Tensor, label: Tensor) -> Tensor:
    """Cross-entropy with the recipe's smoothing and class weights; labels int64 [n], or shares [n, classes]."""
    smoothing, weights = context.recipe.label_smoothing, context.class_weights
    if weights is None or label.ndim > 1:  # a mean over items
        return F.cross_entropy(logits, label, weight=weights, label_smoothing=smoothing)
    total = F.cross_entropy(logits, label, weight=weights, label_smoothing=smoothing, reduction="sum")
    return total / context.divisor(weights[label].sum(), least=0.0)


def with_teacher(context: StepContext, loss: Tensor, logits: Tensor, *inputs: Tensor) -> Tensor:
    """The loss, a share of it the distance to the teacher's answer to the same inputs (Hinton et al., 2015)."""
    if context.teacher is None:
        return loss
    weight, temperature = context.recipe.distill_weight, context.recipe.distill_temperature
    taught = F.log_softmax(context.teacher(*inputs) / temperature, dim=1)
    answered = F.log_softmax(logits.float() / temperature, dim=1)
    distance = F.kl_div(answered, taught, reduction="batchmean", log_target=True)
    return (1 - weight) * loss + weight * temperature**2 * distance


def as_tuple(outputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs that are not None, the model's own logits first."""
    return (outputs,) if isinstance(outputs, Tensor) else tuple(output for output in outputs if output is not None)


def _resized(context: StepContext, images: Tensor) -> Tensor:
    """The images at the size of this step; UsageError where they cannot have another."""
    first = float(context.options.get("first_size", 1.0))
    if first == 1:
        return images
    if not 0 < first < 1:
        raise UsageError(
            f"first_size is {first:g}; it must be above 0 and at most 1", hint="1 trains on whole pictures"
        )
    if getattr(context.problem.input, "fixed_size", False):
        raise UsageError("this model takes pictures of one size only", hint="leave recipe.options.first_size at 1")
    share = context.step / (GROWN * context.total_steps) if context.total_steps else 1.0
    size = tuple(grown_side(side, first=first, share=share) for side in images.shape[-2:])
    return images if size == images.shape[-2:] else F.interpolate(images, size, mode="bilinear", antialias=True)


def grown_side(side: int, *, first: float, share: float) -> int:
    """Pixels of a side of `side` pixels that begins at the share `first` of them, after a share of its growth."""
    if share >= 1:
        return side
    # by the square: the small sizes, which cost least, get most of the steps
    return min(side, max(STRIDE, STRIDE * round(side * (first + (1 - first) * share**2) / STRIDE)))
