"""Semantic segmentation: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import Problem
from zoo.api.task import Case, Progress, Purpose, Shown
from zoo.data.formats.detect import read_source
from zoo.data.formats.masks.checks import check_masks
from zoo.data.formats.masks.layouts import SCENES, detect_masks
from zoo.data.image.reading import Pixels
from zoo.tasks.bases.pictures import PictureAnswers
from zoo.tasks.bases.scenes import SceneData
from zoo.tasks.semantic_segmentation import device
from zoo.tasks.semantic_segmentation.agreement import agreement, resampled_scores, scores
from zoo.tasks.semantic_segmentation.cases import cases as segmenter_cases
from zoo.tasks.semantic_segmentation.drawing import as_png, shown
from zoo.tasks.semantic_segmentation.sources import SCENE_CLASSES, mask_reader, scenes_card

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class SegmentationData(SceneData):
    """Folders of pictures and index masks, VOC's, COCO's, or the embedded digit scenes; samples are `MaskSample`s."""

    embedded_classes = SCENE_CLASSES

    def detect(self, request: DataRequest) -> DataSource:
        """One of these; DataError names them."""
        return detect_masks(request, installed=self.installed)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture and mask decoded and held against each other."""
        if source.format == SCENES:
            return scenes_card(source)
        return check_masks(source, read_source(source), progress=progress)


class SegmentationAnswers(PictureAnswers):
    """A class for every pixel; the truth of a case is the mask."""

    data = SegmentationData
    agreement = staticmethod(agreement)

    def truths(self, card: DataCard, problem: Problem) -> Callable[[Any, Pixels], Any]:  # noqa: ARG002
        """The masks of the card."""
        read = mask_reader(card)
        return lambda sample, _: read(sample)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures of many sizes and shapes."""
        if card is None and purpose == Purpose.EVALUATION:
            return iter(())
        usual = super().cases(card, problem, purpose, limit=limit)
        if purpose != Purpose.PIPELINE:
            return usual
        own = card or self.embedded(problem)
        items = super().cases(own, problem, Purpose.EVALUATION, limit=limit) if own else iter(())
        return segmenter_cases(items, usual, limit=limit)

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """miou and pixel_accuracy over the cases whose mask is known."""
        return scores(answers, cases)

    def resampled_metrics(
        self,
        answers: Sequence[Arrays],
        cases: Sequence[Case],
        problem: Problem,  # noqa: ARG002
    ) -> Callable[[Sequence[int]], Mapping[str, float]]:
        """The same over any selection of these cases: the pixels of each picture are counted once."""
        return resampled_scores(answers, cases)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The share of every class, the picture beside itself with its classes over it, and the class map."""
        named = {"classes": problem.classes}
        return Shown(
            text=device.show(answer, named, limit),
            record=device.record(answer, named),
            picture=shown(case.inputs["image"], answer["classes"]),
            files={"-classes.png": as_png(device.class_map(answer))},
        )
