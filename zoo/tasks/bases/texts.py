"""Tasks on labelled texts: data and answers with defaults.  Torch-free; the other half is in `text_tensors`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import Input, Problem, TokenInput
from zoo.api.task import Case, Control, Progress, Purpose
from zoo.data.formats.detect import FormatReader
from zoo.data.text import labelled_texts, reading
from zoo.data.text.controls import LENGTHS, VOCABULARY, text_controls
from zoo.data.text.encoding import is_subword
from zoo.data.text.labelled_cases import labelled_cases
from zoo.data.text.problem import text_problem
from zoo.data.text.subword import reading as subword_reading
from zoo.data.text.truncation import truncation_notes
from zoo.runs.serialization import to_json
from zoo.tasks.bases.reading import TextFileReader

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class TextData(FormatReader, TextFileReader):
    """Texts with labels in the formats that zoo reads; samples are `zoo.data.formats.text.rows.TextItem`.

    Examples:
        >>> class Data(zoo.TextData):
        ...     has_classes = True
    """

    device = reading
    """What bundles carry."""
    noun, hint = "text", "give a UTF-8 text file"

    has_classes: ClassVar[bool] = True
    """The labels are the classes of the answer."""

    def detect(self, request: DataRequest) -> DataSource:
        """A CSV, TSV or JSON Lines file, a folder with one per split or with text files by class, or embedded names."""
        return labelled_texts.detect(request, installed=self.installed)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every row or file read."""
        return labelled_texts.check(source, progress=progress, new_labels=not self.has_classes)

    def text_reader(self, problem: Problem) -> Callable[[str], Arrays]:
        """By the tokenizer of a tokenizer.json, where the problem has one."""
        return subword_reading.text_reader(to_json(problem)) if is_subword(problem) else super().text_reader(problem)

    def input_notes(self, card: DataCard, input: Input) -> Sequence[str]:
        """A sentence on the texts that the input cuts."""
        return truncation_notes(card, input) if isinstance(input, TokenInput) else ()

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The classes, and the vocabulary of the training texts in the unit that the model reads."""
        return text_problem(task, card, input, classes=card.classes if self.has_classes else ())


class TextAnswers:
    """Cases and controls for answers to texts; a task adds `agreement`, `metrics` and `show`.

    Examples:
        >>> class Answers(zoo.TextAnswers):
        ...     no_classes = "nothing to permute"
    """

    no_classes: ClassVar[str] = "the answer has no classes"
    """Why exchanging two classes is no mutation, for tasks without classes."""

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Texts for a purpose; the truth is the index of the class, or the label where there are no classes."""
        return labelled_cases(card, problem, purpose, limit=limit)

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """The generic mutations that text has, a vocabulary off by one, and padding read as text."""
        if len(problem.classes) > 1:
            return text_controls(VOCABULARY, LENGTHS)
        reason = "there is only one class" if problem.classes else self.no_classes
        return text_controls(VOCABULARY, LENGTHS, absent={"classes": reason})
