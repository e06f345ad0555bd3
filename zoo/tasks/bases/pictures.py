"""Tasks on pictures: data and answers with defaults.  Torch-free; the other half is in `picture_tensors`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.parts import FileItem
from zoo.api.problem import Input, Problem
from zoo.api.task import Case, Control, Progress, Purpose, generic_controls
from zoo.data.formats.detect import FormatReader
from zoo.data.formats.pictures.decode import white_level
from zoo.data.image import sources
from zoo.data.image.cases import picture_cases
from zoo.data.image.inputs import fit_channels
from zoo.data.image.reading import Pixels, read_as, read_input

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class PictureData(FormatReader):
    """Pictures in the formats that zoo reads; samples are `zoo.data.formats.samples.Sample`.

    A task with a format of its own overrides `detect` and `check`.
    """

    formats: ClassVar[tuple[str, ...]] = ("image-folder", "csv", "torchvision")
    """What is accepted of class-folders, image-folder, csv, torchvision and pairs, beside formats of plugins."""
    labelled: ClassVar[bool] = False
    """Each picture has a class."""

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


class PictureAnswers:
    """Cases, controls and metrics for answers to pictures; a task adds `agreement` and `show`."""

    no_classes: ClassVar[str] = "the answer has no classes"
    """Why exchanging two classes is no mutation, for tasks without classes."""

    def embedded(self, problem: Problem) -> DataCard | None:  # noqa: ARG002  for overriding
        """The embedded data that a model of this problem was made for; None where there are none."""
        return None

    def reader(self, card: DataCard) -> Callable[[Any], Pixels] | None:  # noqa: ARG002  for overriding
        """A function from a sample to uint8 [height, width, 3]; None for the samples of `PictureData`."""
        return None

    def truth(self, sample: Any, pixels: Pixels, problem: Problem) -> Any:  # noqa: ARG002  for overriding
        """What the data say the answer is; None where they do not say it."""
        return None

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose: the data's own, and synthetic ones of odd sizes, shapes and colours."""
        card = read_as(card, problem) if card else self.embedded(problem)
        return picture_cases(
            card,
            problem.image,
            purpose,
            truth=lambda sample, pixels: self.truth(sample, pixels, problem),
            read=self.reader(card) if card else None,
            limit=limit,
        )

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002  for overriding
        """None: a single answer is not measured."""
        return {}

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """All generic mutations; exchanging classes only where there are two."""
        if len(problem.classes) > 1:
            return generic_controls({})
        return generic_controls({"classes": "there is only one class" if problem.classes else self.no_classes})
