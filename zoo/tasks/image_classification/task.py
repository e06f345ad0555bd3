"""Image classification: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.api.problem import Problem
from zoo.api.task import Case, Shown
from zoo.data.agreement import first_classes
from zoo.data.class_ranking import show, top
from zoo.data.embedded.digits import CLASSES as DIGIT_CLASSES
from zoo.data.formats.embedded import DIGITS
from zoo.data.image.drawing import enlarged, labelled
from zoo.data.image.reading import Pixels
from zoo.tasks.bases.items import ClassAnswers
from zoo.tasks.bases.pictures import PictureAnswers, PictureData

if TYPE_CHECKING:
    from zoo.api.task import Arrays

TOP = 5


def ranks(classes: int) -> tuple[int, ...]:
    """The k of the top-k accuracies that are worth telling: of six classes, five are nearly all."""
    return (1, TOP) if classes >= 2 * TOP else (1,) if classes > 1 else ()


class ClassificationData(PictureData):
    """Class folders, a CSV or TSV file, a dataset of torchvision, or the embedded digits."""

    formats = ("class-folders", "csv", "torchvision")
    labelled = True
    embedded = DIGITS
    embedded_classes = DIGIT_CLASSES


class ClassificationAnswers(ClassAnswers, PictureAnswers):
    """Probabilities of classes; the truth of a case is the index of the class."""

    data = ClassificationData
    top = TOP

    def truth(self, sample: Any, pixels: Pixels, problem: Problem) -> int:  # noqa: ARG002
        """The index of the class."""
        return int(sample.label)

    def item_metrics(self, answer: Arrays, case: Case, problem: Problem) -> Mapping[str, float]:
        """top1 and, from ten classes on, top5."""
        return {
            f"top{k}": float(case.truth in first_classes(answer["probabilities"], k))
            for k in ranks(len(problem.classes))
        }

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = TOP) -> Shown:
        """The likeliest classes with their probabilities, and the picture over its first class."""
        named = {"classes": problem.classes}
        record = self.record(case, answer, problem, limit)
        ((name, share),) = top(answer, named, 1)
        lines = [f"{name}  {share:.1%}", *([f"the data say {record['truth']}"] if record["truth"] else [])]
        picture = labelled(enlarged(case.inputs["image"]), lines) if "image" in case.inputs else None
        return Shown(text=show(answer, named, limit), record=record, picture=picture)
