"""Text generation: data and answers.  Torch-free; the other half is in `tensors`.

Here a graph is tokens in, logits out, with the state of the model beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.problem import Input, Json, Problem
from zoo.api.task import Case, Control, Progress, Purpose, Shown
from zoo.data.embedded.names import names
from zoo.data.formats.detect import FormatReader, read_source
from zoo.data.formats.text.checks import check_corpus
from zoo.data.formats.text.layouts import detect_text
from zoo.data.formats.text.rows import Found, TextRow
from zoo.data.text.build_vocabulary import build_vocabulary
from zoo.data.text.controls import STATE, VOCABULARY, text_controls
from zoo.data.text.encoding import token_input
from zoo.data.text.vocabulary import SPECIAL
from zoo.runs.serialization import to_json
from zoo.tasks.bases.reading import TextFileReader
from zoo.tasks.bases.sequences import SequenceAnswers, negative_log_likelihood
from zoo.tasks.text_generation import device as text_device
from zoo.tasks.text_generation.cases import EMBEDDED
from zoo.tasks.text_generation.cases import cases as writer_cases

if TYPE_CHECKING:
    from zoo.api.task import Arrays

SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")


class CorpusData(FormatReader, TextFileReader):
    """Texts to go on from; samples are `zoo.data.formats.text.rows.TextItem`."""

    device = text_device
    noun, hint = "text", "give a UTF-8 text file"

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


class ContinuationAnswers(SequenceAnswers):
    """Text that goes on where a prompt ends; the truth of a case is the token after each."""

    device = text_device

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Texts for a purpose, without state."""
        return writer_cases(card, problem, purpose, limit=limit)

    def item_sums(self, answer: Arrays, case: Case, problem: Problem) -> Sequence[float]:
        """Bits, tokens and characters."""
        tokens = np.asarray(case.truth)
        characters = sum(1 if token < len(SPECIAL) else len(problem.vocabulary[token]) for token in tokens.tolist())
        bits = negative_log_likelihood(answer["logits"][0], tokens)
        return float(bits.sum()), bits.size, characters

    def metrics_of_sums(self, sums: npt.NDArray[np.float64]) -> Mapping[str, float]:
        """bits_per_character, and perplexity per token, over the cases whose next tokens are known."""
        bits, tokens, characters = sums.tolist()
        return {"bits_per_character": bits / characters, "perplexity": 2 ** (bits / tokens)} if characters else {}

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002
        """The generic kinds that apply to text, a vocabulary off by one, and a forgotten state."""
        return text_controls(VOCABULARY, STATE, absent={"classes": "a language model has no classes"})

    def prompts(self, problem: Problem) -> Sequence[str]:  # noqa: ARG002  the same for all
        """An empty one: the model writes what a text begins with."""
        return ("",)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The text that was written; of a single run of the graph, the likeliest next tokens."""
        named = to_json(problem)
        prompt = text_device.show({"tokens": case.inputs["tokens"]}, named)
        if "tokens" in answer:
            text = text_device.show(dict(answer), named)
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
