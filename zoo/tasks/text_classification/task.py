"""Text classification: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.api.problem import Problem
from zoo.api.task import Agreement, Case, Shown
from zoo.data.agreement import class_verdict, item_agreement, noise_margin
from zoo.data.text.encoding import decode
from zoo.runs.serialization import to_json
from zoo.tasks.bases.texts import TextAnswers
from zoo.tasks.text_classification import showing

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT = "probabilities"


class TextClassAnswers(TextAnswers):
    """Probabilities of classes; the truth of a case is the index of the class."""

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same likeliest class wherever the reference is decided."""
        margin = noise_margin(noise, OUTPUT)
        return item_agreement(
            reference,
            candidate,
            cases=cases,
            compare=lambda expected, actual, _: class_verdict(expected, actual, output=OUTPUT, margin=margin),
        )

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """accuracy over the cases whose truth is known."""
        pairs = zip(answers, cases, strict=True)
        hits = [int(answer[OUTPUT][0].argmax()) == case.truth for answer, case in pairs if case.truth is not None]
        return {"accuracy": float(np.mean(hits))} if hits else {}

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The likeliest classes with their probabilities."""
        best = showing.ranked(answer, problem.classes, limit)
        length = int(case.inputs["lengths"][0])
        return Shown(
            text=showing.show(answer, to_json(problem), limit),
            record={
                "text": decode(case.inputs["tokens"][0, :length].tolist(), problem),
                "classes": [{"name": name, "probability": share} for name, share in best],
                "truth": problem.classes[case.truth] if isinstance(case.truth, int) and case.truth >= 0 else None,
            },
        )
