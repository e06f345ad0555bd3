"""Text generation: data and answers.  Torch-free; the other half is in `tensors`.

Here a graph is tokens in, logits out, with the state of the model beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import BadFile
from zoo.api.parts import FileItem
from zoo.api.problem import Input, Json, Problem
from zoo.api.task import Agreement, Case, Control, Progress, Purpose, Shown
from zoo.data.embedded.names import names
from zoo.data.formats.detect import FormatReader, read_source
from zoo.data.formats.text.checks import check_corpus
from zoo.data.formats.text.layouts import detect_text
from zoo.data.formats.text.rows import Found, TextRow
from zoo.data.text.build_vocabulary import build_vocabulary
from zoo.data.text.controls import STATE, VOCABULARY, text_controls
from zoo.data.text.encoding import token_input
from zoo.data.text.table_items import is_table, table_items
from zoo.runs.serialization import to_json
from zoo.tasks.text_generation import device
from zoo.tasks.text_generation.agreement import agreement, scores
from zoo.tasks.text_generation.cases import EMBEDDED
from zoo.tasks.text_generation.cases import cases as writer_cases

if TYPE_CHECKING:
    from zoo.api.task import Arrays

SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")


class CorpusData(FormatReader):
    """Texts to go on from; samples are `zoo.data.formats.text.rows.TextItem`."""

    def detect(self, request: DataRequest) -> DataSource:
        """A text file, a folder of them, a table with a column of texts, or the embedded names."""
        return detect_text(request, embedded=(EMBEDDED,), task="text-generation", installed=self.installed)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every text read."""
        entries = _embedded() if source.format == EMBEDDED else read_source(source)
        return check_corpus(source, entries, progress=progress)

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The vocabulary of the training text in the unit that the model reads."""
        facts = token_input(Problem(task=task, input=input))
        texts = (f"{item.text}\n" for item in card.splits["train"])
        vocabulary = build_vocabulary(texts, unit=facts.unit, limit=facts.vocabulary_limit)
        return Problem(task=task, input=input, vocabulary=vocabulary)

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """The prompt in a text file, or in every row of a table, as tokens int64 [1, length]; BadFile for no text."""
        if is_table(path):
            return table_items(path, problem, self.read_text)
        try:
            return (FileItem(inputs=device.read(path, to_json(problem))),)
        except (OSError, ValueError) as error:
            raise BadFile(f"{path} cannot be read as text: {error}", hint="give a UTF-8 text file") from error

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The same of a prompt given in words."""
        return device.read_text(text, to_json(problem))


class ContinuationAnswers:
    """Text that goes on where a prompt ends; the truth of a case is the token after each."""

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Texts for a purpose, without state."""
        return writer_cases(card, problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same likeliest next token wherever the reference is decided."""
        return agreement(reference, candidate, cases=cases, noise=noise)

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """bits_per_token over the cases whose next tokens are known, each read without context."""
        return scores(answers, cases, element="token")

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002
        """The generic kinds that apply to text, a vocabulary off by one, and a forgotten state."""
        return text_controls(VOCABULARY, STATE, absent={"classes": "a language model has no classes"})

    def prompts(self, problem: Problem) -> Sequence[str]:  # noqa: ARG002  the same for all
        """An empty one: the model writes what a text begins with."""
        return ("",)

    def generate(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        """The prompt and what the model writes after it: tokens int64 [1, length], and the last logits."""
        return device.generate(
            lambda feeds: dict(run(feeds)),
            dict(inputs),
            feedback,
            to_json(problem),
            length=int(settings["length"]),
            temperature=settings["temperature"],
            seed=int(settings["seed"]),
        )

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The text that was written; of a single run of the graph, the likeliest next tokens."""
        named = to_json(problem)
        prompt = device.show({"tokens": case.inputs["tokens"]}, named)
        if "tokens" in answer:
            text = device.show(dict(answer), named)
            return Shown(text=text, record={"prompt": prompt, "text": text})
        ranked = _likeliest(answer["logits"][0, -1], problem.vocabulary, limit)
        following: list[Json] = [{"token": token, "probability": share} for token, share in ranked]
        line = "  ".join(f"{token!r} {share:.1%}" for token, share in ranked)
        return Shown(text=f"{prompt} → {line}", record={"prompt": prompt, "next": following})


def _likeliest(logits: npt.NDArray[Any], vocabulary: Sequence[str], limit: int) -> list[tuple[str, float]]:
    """The likeliest next tokens with their probabilities, best first."""
    weights = np.exp(logits - logits.max())
    best = np.argsort(-weights, kind="stable")[:limit]
    return [(vocabulary[index], float(weights[index] / weights.sum())) for index in best]


def _embedded() -> Iterator[Found]:
    for split in SPLITS:
        text = "\n".join(name for name, _ in names(split))
        yield TextRow(split, text, split=split)
