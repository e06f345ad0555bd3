"""Text embedding: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import DataError
from zoo.api.postprocess import PostprocessStep
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
from zoo.data.embedding.agreement import agreement
from zoo.data.embedding.compare import described, matches
from zoo.data.embedding.retrieval import retrieval
from zoo.data.embedding.steps import STEPS
from zoo.data.text import labelled_texts
from zoo.data.text.controls import LENGTHS, VOCABULARY, text_controls
from zoo.data.text.encoding import decode, file_inputs, is_wordpiece, text_inputs, token_input
from zoo.data.text.labelled_cases import labelled_cases
from zoo.data.text.labelled_texts import LENGTH, TOKENS
from zoo.data.text.problem import text_problem
from zoo.tasks.text_embedding import showing

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch


class TextEmbedding:
    """A text as a unit vector; texts of one label have similar ones."""

    name = "text-embedding"
    monitor = Monitor(metric="retrieval_accuracy", mode="max")
    runner = "zoo.tasks.text_embedding.runner:read"

    def runner_for(self, problem: Problem) -> str:
        """Another where texts are cut into word pieces."""
        return "zoo.tasks.text_embedding.wordpiece_runner:read" if is_wordpiece(problem) else self.runner

    def detect(self, request: DataRequest) -> DataSource:
        """A CSV, TSV or JSON Lines file, a folder with one per split or with text files by class, or embedded names."""
        return labelled_texts.detect(request)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every row or file read; DataError where a split has no two texts of one label, so that none can be found."""
        card = labelled_texts.check(source, progress=progress, new_labels=True)
        for split, items in card.splits.items():
            if items and max(Counter(item.label for item in items).values()) < 2:
                raise DataError(
                    f"no two {split} texts have the same label, so there is nothing to find",
                    hint="give each meaning a label, and at least two texts",
                )
        return card

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The vocabulary of the training texts in the unit that the model reads."""
        return text_problem(self.name, card, input)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] Token ids in memory; for training, in batches of a few labels."""
        from zoo.data.text.labelled_dataset import GroupedTexts, LabelledTexts  # noqa: PLC0415  torch

        return (GroupedTexts if split == "train" else LabelledTexts)(card.splits[split], problem)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:  # noqa: ARG002
        """[torch] The batch itself: an Augment is for pictures."""
        return batch

    def model_signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length], lengths int64 [batch] -> features float32 [batch, d] of any length."""
        features = Port(name="features", dtype="float32", shape=("batch", _size(problem)), doc="not yet of unit length")
        return Signature(inputs=(TOKENS, LENGTH), outputs=(features,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length], lengths int64 [batch] -> embedding float32 [batch, d], of unit length."""
        answer = Port(name="embedding", dtype="float32", shape=("batch", _size(problem)), doc="of unit length")
        return Signature(inputs=(TOKENS, LENGTH), outputs=(answer,))

    def prepare(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] A passthrough: the model takes tokens."""
        from zoo.data.text.graphs import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Division by the length."""
        return STEPS

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] Division by the L2 norm."""
        from zoo.data.text.graphs import UnitLengths  # noqa: PLC0415  torch

        return UnitLengths()

    def metrics(self, problem: Problem) -> Metrics:  # noqa: ARG002
        """[torch] retrieval_accuracy, and the mean cosines of pairs of one label and of two."""
        from zoo.data.text.metrics import RetrievalMetrics  # noqa: PLC0415  torch

        return RetrievalMetrics()

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Texts for a purpose; the truth is the label."""
        return labelled_cases(card, problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same directions, and the same pairs taken for one label."""
        return agreement(_rows(reference), _rows(candidate), cases=cases, noise=noise, scores=_scores)

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002
        """The generic kinds that apply to text except classes, a vocabulary off by one, and padding read as text."""
        return text_controls(VOCABULARY, LENGTHS, absent={"classes": "an embedding has no classes"})

    def read(self, path: Path, problem: Problem) -> Arrays:
        """tokens int64 [1, length] and lengths int64 [1] of a text file; BadFile when it is empty or no text."""
        return file_inputs(path, problem)

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The same of a text given in words; BadFile when it is empty."""
        return text_inputs(text, problem)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002
        """Size, length and the first numbers in words; all numbers as .npy."""
        values = np.asarray(answer["embedding"][0])
        memory = io.BytesIO()
        np.save(memory, values, allow_pickle=False)
        length = int(case.inputs["lengths"][0])
        numbers: list[Json] = [float(value) for value in values]
        record: dict[str, Json] = {
            "text": decode(case.inputs["tokens"][0, :length].tolist(), problem),
            "embedding": numbers,
        }
        return Shown(text=showing.show(answer, {}), record=record, files={".npy": memory.getvalue()})

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        """How similar two texts are, or of more, which are most similar to each."""
        pairs = matches([answer["embedding"][0] for answer in answers], None, limit)
        record: list[Json] = [{"a": names[a], "b": names[b], "similarity": score} for a, b, score, _ in pairs]
        return Shown(text=described(names, pairs, problem.facts), record={"pairs": record})


def _size(problem: Problem) -> int:
    return token_input(problem).embedding


def _rows(answers: Sequence[Arrays]) -> list[Arrays]:
    """The one embedding of each answer, without its batch axis."""
    return [{"embedding": answer["embedding"][0]} for answer in answers]


def _scores(embeddings: npt.NDArray[Any], cases: Sequence[Case]) -> dict[str, float]:
    """retrieval_accuracy and the mean cosines over the cases whose truth is known."""
    known = [index for index, case in enumerate(cases) if case.truth is not None]
    return retrieval(embeddings[known], np.array([str(cases[index].truth) for index in known])) if known else {}
