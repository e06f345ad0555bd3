"""Answers that are compared and measured item by item: a base, and one each for classes and for grey levels.

Torch-free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from zoo.api.problem import Json, Problem
from zoo.api.task import Agreement, Case
from zoo.data import class_ranking
from zoo.data.agreement import Verdict, class_verdict, item_agreement, level_verdict, noise_margin

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class ItemAnswers:
    """A task adds `verdict`, and `item_metrics` where an item has any.

    Examples:
        >>> class Answers(zoo.ItemAnswers):
        ...     def verdict(self, expected, actual, case, noise):
        ...         return zoo.numeric_verdict(expected, actual, tolerance=1e-4)
    """

    def verdict(self, expected: Arrays, actual: Arrays, case: Case, noise: Mapping[str, float]) -> Verdict:
        """Whether two answers to one case agree; `noise` is the own error of `expected`, by output."""
        raise NotImplementedError(f"{type(self).__name__} must say verdict")

    def item_metrics(self, answer: Arrays, case: Case, problem: Problem) -> Mapping[str, float]:  # noqa: ARG002  for overriding
        """What one answer reaches on a case whose truth is known, by metric; `metrics` gives the means."""
        return {}

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """What `verdict` says of each case, counted."""
        return item_agreement(
            reference,
            candidate,
            cases=cases,
            compare=lambda expected, actual, case: self.verdict(expected, actual, case, noise),
        )

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:
        """The mean of each value of `item_metrics`, over the cases whose truth is known."""
        rows = [self.item_metrics(answer, case, problem) for answer, case in with_truth(answers, cases)]
        return {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else {})}


def with_truth(answers: Sequence[Arrays], cases: Sequence[Case]) -> list[tuple[Arrays, Case]]:
    """The answers and cases whose truth is known."""
    return [(answer, case) for answer, case in zip(answers, cases, strict=True) if case.truth is not None]


class ClassAnswers(ItemAnswers):
    """`probabilities` float32 [classes] or [1, classes]; the truth of a case is the index of the class."""

    top: ClassVar[int] = 1
    """So many of the likeliest classes must be the same."""

    def verdict(self, expected: Arrays, actual: Arrays, case: Case, noise: Mapping[str, float]) -> Verdict:  # noqa: ARG002
        """The same likeliest classes, wherever the reference is decided."""
        margin = noise_margin(noise, "probabilities")
        return class_verdict(expected, actual, output="probabilities", margin=margin, top=self.top)

    def record(self, case: Case, answer: Arrays, problem: Problem, limit: int) -> dict[str, Json]:
        """The likeliest classes with their probabilities, and what the data say."""
        known = isinstance(case.truth, int) and case.truth >= 0
        ranked = class_ranking.record(answer, {"classes": problem.classes}, limit)
        return {**ranked, "truth": problem.classes[case.truth] if known else None}


class LevelAnswers(ItemAnswers):
    """Pictures as whole grey levels; a task adds `output`."""

    output: ClassVar[str]
    """The output that holds them, uint8."""

    def verdict(self, expected: Arrays, actual: Arrays, case: Case, noise: Mapping[str, float]) -> Verdict:  # noqa: ARG002
        """The same pictures but for a level here and there."""
        return level_verdict(expected, actual, output=self.output)
