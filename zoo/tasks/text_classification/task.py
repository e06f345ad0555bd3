"""Text classification: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.api.problem import Problem
from zoo.api.task import Case, Shown
from zoo.data.class_ranking import show
from zoo.data.text.encoding import decode
from zoo.tasks.bases.items import ClassAnswers, with_truth
from zoo.tasks.bases.texts import TextAnswers

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class TextClassAnswers(ClassAnswers, TextAnswers):
    """Probabilities of classes; the truth of a case is the index of the class."""

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:
        """accuracy, and macro_f1, in which every class that occurs counts alike."""
        known = with_truth(answers, cases)
        if not known:
            return {}
        answered = np.array([int(answer["probabilities"].argmax()) for answer, _ in known])
        truth, count = np.array([case.truth for _, case in known]), len(problem.classes)
        right = np.bincount(truth[answered == truth], minlength=count)
        total = np.bincount(truth, minlength=count) + np.bincount(answered, minlength=count)
        f1 = 2 * right[total > 0] / total[total > 0]
        return {"accuracy": float((answered == truth).mean()), "macro_f1": float(f1.mean())}

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The likeliest classes with their probabilities."""
        length = int(case.inputs["lengths"][0])
        text = decode(case.inputs["tokens"][0, :length].tolist(), problem)
        record = {"text": text, **self.record(case, answer, problem, limit)}
        return Shown(text=show(answer, {"classes": problem.classes}, limit), record=record)
