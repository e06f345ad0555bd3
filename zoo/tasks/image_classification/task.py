"""Image classification: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import Problem
from zoo.api.task import Agreement, Case, Shown
from zoo.data.agreement import class_verdict, first_classes, item_agreement, noise_margin
from zoo.data.embedded.digits import CLASSES as DIGIT_CLASSES
from zoo.data.formats.embedded import DIGITS, digits_card
from zoo.data.image.drawing import enlarged, labelled
from zoo.data.image.reading import Pixels
from zoo.tasks.bases.pictures import PictureAnswers, PictureData
from zoo.tasks.image_classification import device

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT = "probabilities"
TOP = 5


def ranks(classes: int) -> tuple[int, ...]:
    """The k of the top-k accuracies that are worth telling: of six classes, five are nearly all."""
    return (1, TOP) if classes >= 2 * TOP else (1,) if classes > 1 else ()


class ClassificationData(PictureData):
    """Class folders, a CSV or TSV file, a dataset of torchvision, or the embedded digits."""

    formats = ("class-folders", "csv", "torchvision")
    labelled = True


class ClassificationAnswers(PictureAnswers):
    """Probabilities of classes; the truth of a case is the index of the class."""

    def embedded(self, problem: Problem) -> DataCard | None:
        """The digits, for models of digits."""
        if problem.classes != DIGIT_CLASSES:
            return None
        return digits_card(DataSource(request=DataRequest(source=DIGITS), format=DIGITS))

    def truth(self, sample: Any, pixels: Pixels, problem: Problem) -> int:  # noqa: ARG002
        """The index of the class."""
        return int(sample.label)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same first class, and the same first five, wherever the reference is decided."""
        margin = noise_margin(noise, OUTPUT)
        return item_agreement(
            reference,
            candidate,
            cases=cases,
            compare=lambda expected, actual, _: class_verdict(expected, actual, output=OUTPUT, margin=margin, top=TOP),
        )

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:
        """top1 and, from ten classes on, top5."""
        known = [
            (answer[OUTPUT], case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None
        ]
        counts = ranks(len(problem.classes)) if known else ()
        return {f"top{k}": float(np.mean([truth in first_classes(row, k) for row, truth in known])) for k in counts}

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = TOP) -> Shown:
        """The likeliest classes with their probabilities, and the picture over its first class."""
        named = {"classes": problem.classes}
        best = device.top(answer, named, limit)
        truth = problem.classes[case.truth] if isinstance(case.truth, int) and case.truth >= 0 else None
        lines = [f"{best[0][0]}  {best[0][1]:.1%}", *([f"the data say {truth}"] if truth else [])]
        return Shown(
            text=device.show(answer, named, limit),
            record={"classes": [{"name": name, "probability": share} for name, share in best], "truth": truth},
            picture=labelled(enlarged(case.inputs["image"]), lines) if "image" in case.inputs else None,
        )
