"""Tasks on sequences, whose answer is sampled step by step on the device: answers with defaults.  Torch-free."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from zoo.api.problem import Problem
from zoo.api.task import Case
from zoo.data.agreement import AGREEING, UNDECIDED, Verdict, noise_margin
from zoo.runs.serialization import to_json
from zoo.tasks.bases.items import ItemAnswers, with_truth

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class SequenceAnswers(ItemAnswers):
    """`logits` float32 [1, length, elements] of the element after each; the truth of a case are these elements."""

    device: ModuleType
    """The module that bundles carry; its `generate` samples."""
    element: ClassVar[str] = "token"
    """What a step of a sequence is called."""

    def verdict(self, expected: Arrays, actual: Arrays, case: Case, noise: Mapping[str, float]) -> Verdict:  # noqa: ARG002
        """The same likeliest element after every element where the reference has one."""
        return sequence_verdict(
            expected["logits"][0], actual["logits"][0], margin=noise_margin(noise, "logits"), element=self.element
        )

    def item_sums(self, answer: Arrays, case: Case, problem: Problem) -> Sequence[float]:
        """What an item whose truth is known adds to the sums that the metrics are made of."""
        raise NotImplementedError(f"{type(self).__name__} must say item_sums")

    def metrics_of_sums(self, sums: npt.NDArray[np.float64]) -> Mapping[str, float]:
        """The metrics of items whose `item_sums` add up to these."""
        raise NotImplementedError(f"{type(self).__name__} must say metrics_of_sums")

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:
        """`metrics_of_sums` over the cases whose truth is known; every item is read without context."""
        sums = self._sums(answers, cases, problem)
        return self.metrics_of_sums(sums.sum(0)) if len(sums) else {}

    def resampled_metrics(
        self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem
    ) -> Callable[[Sequence[int]], Mapping[str, float]]:
        """The same over any selection of these cases, whose truths are known: each item is read once."""
        sums = self._sums(answers, cases, problem)
        return lambda indices: self.metrics_of_sums(sums[list(indices)].sum(0))

    def _sums(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> npt.NDArray[np.float64]:
        """float64 [items, sums]."""
        known = with_truth(answers, cases)
        return np.array([self.item_sums(answer, case, problem) for answer, case in known], np.float64)

    def generate(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        """The beginning and what the model writes after it, and the last logits; as the device does it."""
        answer: Arrays = self.device.generate(
            lambda feeds: dict(run(feeds)), dict(inputs), feedback, to_json(problem), settings
        )
        return answer


def sequence_verdict(expected: npt.NDArray[Any], actual: npt.NDArray[Any], *, margin: float, element: str) -> Verdict:
    """Of logits [length, elements]: whether the likeliest element is the same wherever the reference has one."""
    top_two = np.partition(expected, -2, axis=-1)[..., -2:]
    decided = top_two[..., 1] - top_two[..., 0] > margin
    chosen = np.take_along_axis(expected, actual.argmax(-1)[..., None], -1)[..., 0]
    differ = top_two[..., 1] - chosen > margin  # a tie of the best two does not accept a third
    if differ.any():
        count, first = int(differ.sum()), int(differ.argmax()) + 1
        return Verdict("differing", count, f"{count} of {decided.size} next {element}s differ, the first after {first}")
    return AGREEING if decided.any() else UNDECIDED


def negative_log_likelihood(logits: npt.NDArray[Any], targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """In bits, float64 [length]: of logits [length, elements] and the true elements, int64 [length]."""
    wide = logits.astype(np.float64)
    top = wide.max(-1, keepdims=True)
    log = wide - top - np.log(np.exp(wide - top).sum(-1, keepdims=True))
    nats: npt.NDArray[np.float64] = -np.take_along_axis(log, targets[:, None], -1)[:, 0]
    return nats / math.log(2)
