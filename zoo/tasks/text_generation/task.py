"""Text generation: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside.

A model's state is its own: it declares the inputs and outputs that carry it in its signature, and the pipeline hands
them through.  Here a graph is tokens in, logits out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import BadFile
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Input, Json, Problem
from zoo.api.recipe import Augment
from zoo.api.task import (
    Agreement,
    Case,
    Control,
    Dataset,
    Metrics,
    Monitor,
    Port,
    Progress,
    Purpose,
    Shown,
    Signature,
)
from zoo.data.embedded.names import names
from zoo.data.formats.text.checks import check_corpus
from zoo.data.formats.text.layouts import detect_text, plain_files, split_files
from zoo.data.formats.text.rows import TABLES, Found, TextRow, read_plain, read_table
from zoo.data.text.build_vocabulary import build_vocabulary
from zoo.data.text.controls import STATE, VOCABULARY, text_controls
from zoo.data.text.encoding import token_input
from zoo.runs.serialization import to_json
from zoo.tasks.text_generation import runner
from zoo.tasks.text_generation.agreement import agreement
from zoo.tasks.text_generation.cases import EMBEDDED
from zoo.tasks.text_generation.cases import cases as writer_cases

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch

LAYOUTS: Final = ("text-file", "text-folder", "text-lines", "text-tables")
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")
SETTINGS: Final[Mapping[str, float]] = MappingProxyType(
    {"length": runner.LENGTH, "temperature": runner.TEMPERATURE, "seed": runner.SEED}
)


class TextGeneration:
    """Text that goes on where a prompt ends."""

    name = "text-generation"
    monitor = Monitor(metric="bits_per_character", mode="min")
    runner = "zoo.tasks.text_generation.runner:read"
    settings = SETTINGS

    def detect(self, request: DataRequest) -> DataSource:
        """A text file, a folder of them, a table with a column of texts, or the embedded names."""
        return detect_text(request, embedded=(EMBEDDED,), accepted=LAYOUTS)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every text read; samples are `zoo.data.formats.text.rows.TextItem`."""
        return check_corpus(source, _rows(source), progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The vocabulary of the training text in the unit that the model reads."""
        facts = token_input(Problem(task=self.name, input=input))
        texts = (f"{item.text}\n" for item in card.splits["train"])
        vocabulary = build_vocabulary(texts, unit=facts.unit, limit=facts.vocabulary_limit)
        return Problem(task=self.name, input=input, vocabulary=vocabulary)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] For training, chunks in the order of the text; for evaluation, windows with context."""
        from zoo.data.text.stream_dataset import EvaluationWindows, TokenRow, TrainingChunks  # noqa: PLC0415  torch

        tokens = TokenRow(card.splits[split], problem)
        return TrainingChunks(tokens) if split == "train" else EvaluationWindows(tokens)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:  # noqa: ARG002
        """[torch] The batch itself: an Augment is for pictures."""
        return batch

    def model_signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length] -> logits float32 [batch, length, vocabulary]; without the model's state."""
        shape = ("batch", "length", len(problem.vocabulary))
        tokens = Port(name="tokens", dtype="int64", shape=("batch", "length"), doc="token numbers")
        logits = Port(name="logits", dtype="float32", shape=shape, doc="of the token after each, before softmax")
        return Signature(inputs=(tokens,), outputs=(logits,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """The same as the model's: the device samples from the logits."""
        return self.model_signature(problem)

    def prepare(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] A passthrough: the model takes tokens."""
        from zoo.data.text.graphs import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """None: the answer is the logits."""
        return (PostprocessStep(kind=PostprocessKind.IDENTITY),)

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] A passthrough: sampling needs the logits."""
        from zoo.data.text.graphs import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def metrics(self, problem: Problem) -> Metrics:  # noqa: ARG002
        """[torch] bits_per_character and perplexity."""
        from zoo.data.text.metrics import LanguageModelMetrics  # noqa: PLC0415  torch

        return LanguageModelMetrics()

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Texts for a purpose, without state; the truth of an item is the token after each."""
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

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002
        """The generic kinds that apply to text, a vocabulary off by one, and a forgotten state."""
        return text_controls(VOCABULARY, STATE, absent={"classes": "a language model has no classes"})

    def read(self, path: Path, problem: Problem) -> Arrays:
        """The prompt in a text file as tokens int64 [1, length]; BadFile when it is no text."""
        try:
            return runner.read(path, to_json(problem))
        except (OSError, ValueError) as error:
            raise BadFile(f"{path} cannot be read as text: {error}", hint="give a UTF-8 text file") from error

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The same of a prompt given in words."""
        return runner.read_text(text, to_json(problem))

    def respond(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        """The prompt and what the model writes after it: tokens int64 [1, length], and the last logits."""
        return runner.respond(
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
        prompt = runner.show({"tokens": case.inputs["tokens"]}, named)
        if "tokens" in answer:
            text = runner.show(dict(answer), named)
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


def _rows(source: DataSource) -> Iterator[Found]:
    if source.format == EMBEDDED:
        for split in SPLITS:
            text = "\n".join(name for name, _ in names(split))
            yield TextRow(split, text, split=split)
        return
    path = source.location
    assert path is not None, "detect gives every source of files a location"
    if source.format == "text-file":
        yield read_plain(path, path.name)
    elif source.format == "text-lines":
        yield from read_table(path, labelled=False, request=source.request)
    elif source.format == "text-tables":
        for file, part in split_files(path, TABLES, request=source.request):
            yield from read_table(file, labelled=False, split=part, request=source.request)
    else:
        for file, known in plain_files(path, request=source.request):
            yield read_plain(file, file.relative_to(path).as_posix(), split=known)
