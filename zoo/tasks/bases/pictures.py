"""Tasks on pictures: data and answers with defaults.  Torch-free; the other half is in `picture_tensors`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.parts import FileItem
from zoo.api.problem import Input, Problem
from zoo.api.task import Case, Control, Progress, Purpose, generic_controls
from zoo.data.formats.detect import FormatReader
from zoo.data.formats.pictures.decode import white_level
from zoo.data.image import reading, sources
from zoo.data.image.cases import picture_cases
from zoo.data.image.inputs import fit_channels
from zoo.data.image.reading import Pixels, read_as, read_input
from zoo.tasks.bases.items import ItemAnswers


class PictureData(FormatReader):
    """Pictures in the formats that zoo reads; samples are `zoo.data.formats.samples.Sample`.

    A task with a table of its own beside the pictures extends `PictureTableData`; one with another format overrides
    `detect`, `check` and `reader`.

    Examples:
        >>> class Data(zoo.PictureData):
        ...     embedded = "digits"
    """

    formats: ClassVar[tuple[str, ...]] = ("image-folder", "csv", "torchvision")
    """What is accepted of class-folders, image-folder, csv, torchvision and pairs, beside formats of plugins."""
    labelled: ClassVar[bool] = False
    """Each picture has a class."""
    embedded: ClassVar[str] = ""
    """The name of the grey pictures that come along, whose items are cases where there are no other data."""
    embedded_classes: ClassVar[tuple[str, ...]] = ()
    """Their classes, by which a model that was made for them is known."""

    def detect(self, request: DataRequest) -> DataSource:
        """One of `formats`, or the embedded digits; DataError names what is accepted."""
        return sources.detect(request, accepted=self.formats, installed=self.installed)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every label compared."""
        return sources.check(source, labelled=self.labelled, progress=progress)

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The classes of the data, at the input given; with the data's channels where the model takes any."""
        facts = {name: card.facts[name] for name in ("white_level",) if name in card.facts}
        return Problem(task=task, input=fit_channels(input, card), classes=card.classes, facts=facts)

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """image uint8 [height, width, 3]; BadFile names the file and what it looks like."""
        return (FileItem(inputs=read_input(path, white=white_level(problem.facts))),)

    def reader(self, card: DataCard) -> Callable[[Any], Pixels]:
        """A function from a sample of the card to its picture, uint8 [height, width, 3]."""
        return reading.reader(card)

    def stacked(self, card: DataCard, split: Split) -> Pixels | None:
        """All pictures of a split, uint8 [n, h, w] or [n, h, w, 3]; None where they do not lie in one array."""
        return reading.stacked(card, split)

    def embedded_card(self) -> DataCard:
        """The embedded data."""
        source = self.detect(DataRequest(source=self.embedded))
        return self.check(source, progress=lambda _done, _total: None)


class PictureAnswers(ItemAnswers):
    """Cases and controls for answers to pictures; a task adds `verdict`, `item_metrics` and `show`.

    Examples:
        >>> class Answers(zoo.PictureAnswers):
        ...     def verdict(self, expected, actual, case, noise):
        ...         return zoo.numeric_verdict(expected, actual, tolerance=0.01, unit="px")
    """

    data: ClassVar[type[PictureData]] = PictureData
    """The task's data, whose pictures are cases."""
    no_classes: ClassVar[str] = "the answer has no classes"
    """Why exchanging two classes is no mutation, for tasks without classes."""

    def truth(self, sample: Any, pixels: Pixels, problem: Problem) -> Any:  # noqa: ARG002  for overriding
        """What the data say the answer is; None where they do not say it."""
        return None

    def truths(self, card: DataCard, problem: Problem) -> Callable[[Any, Pixels], Any]:  # noqa: ARG002  for overriding
        """A function from a sample of the card and its picture to its truth, where that takes more than the sample."""
        return lambda sample, pixels: self.truth(sample, pixels, problem)

    def embedded(self, problem: Problem) -> DataCard | None:
        """The embedded data, where a model of this problem was made for such pictures and classes; None elsewhere."""
        data = self.data()
        if not data.embedded or problem.classes != data.embedded_classes:
            return None
        return data.embedded_card() if problem.classes or problem.image.channels == 1 else None

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose: the data's own, and synthetic ones of odd sizes, shapes and colours."""
        card = read_as(card, problem) if card else self.embedded(problem)
        return picture_cases(
            card,
            problem.image,
            purpose,
            truth=self.truths(card, problem) if card else lambda _sample, _pixels: None,
            read=self.data().reader(card) if card else None,
            limit=limit,
        )

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """All generic mutations; exchanging classes only where there are two."""
        if len(problem.classes) > 1:
            return generic_controls({})
        return generic_controls({"classes": "there is only one class" if problem.classes else self.no_classes})
