"""Text classification: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Input, Problem
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
from zoo.data.text import labelled_texts
from zoo.data.text.controls import LENGTHS as LENGTHS_CONTROL
from zoo.data.text.controls import VOCABULARY, text_controls
from zoo.data.text.encoding import decode, file_inputs, is_wordpiece, text_inputs
from zoo.data.text.labelled_cases import labelled_cases
from zoo.data.text.labelled_texts import LENGTH, TOKENS
from zoo.data.text.problem import text_problem
from zoo.runs.serialization import to_json
from zoo.tasks.text_classification import showing
from zoo.tasks.text_classification.agreement import agreement

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch


class TextClassification:
    """Which of a list of classes a text belongs to."""

    name = "text-classification"
    monitor = Monitor(metric="accuracy", mode="max")
    runner = "zoo.tasks.text_classification.runner:read"

    def runner_for(self, problem: Problem) -> str:
        """Another where texts are cut into word pieces."""
        return "zoo.tasks.text_classification.wordpiece_runner:read" if is_wordpiece(problem) else self.runner

    def detect(self, request: DataRequest) -> DataSource:
        """A CSV, TSV or JSON Lines file, a folder with one per split or with text files by class, or embedded names."""
        return labelled_texts.detect(request)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every row or file read; samples are `zoo.data.formats.text.rows.TextItem`."""
        return labelled_texts.check(source, progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The classes, and the vocabulary of the training texts in the unit that the model reads."""
        return text_problem(self.name, card, input, classes=card.classes)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] Token numbers in memory; batches of texts of about one length."""
        from zoo.data.text.labelled_dataset import LabelledTexts  # noqa: PLC0415  torch

        return LabelledTexts(card.splits[split], problem)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:  # noqa: ARG002
        """[torch] The batch itself: an Augment is for pictures."""
        return batch

    def model_signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length], lengths int64 [batch] -> logits float32 [batch, classes]."""
        logits = Port(name="logits", dtype="float32", shape=("batch", len(problem.classes)), doc="before softmax")
        return Signature(inputs=(TOKENS, LENGTH), outputs=(logits,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length], lengths int64 [batch] -> probabilities float32 [batch, classes]."""
        answer = Port(name="probabilities", dtype="float32", shape=("batch", len(problem.classes)), doc="sum to one")
        return Signature(inputs=(TOKENS, LENGTH), outputs=(answer,))

    def prepare(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] A passthrough: the model takes tokens."""
        from zoo.data.text.graphs import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Softmax."""
        return (PostprocessStep(kind=PostprocessKind.SOFTMAX),)

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] Softmax."""
        from zoo.data.text.graphs import Probabilities  # noqa: PLC0415  torch

        return Probabilities()

    def metrics(self, problem: Problem) -> Metrics:
        """[torch] accuracy and macro_f1; the confusion matrix as a picture."""
        from zoo.data.text.metrics import TextClassificationMetrics  # noqa: PLC0415  torch

        return TextClassificationMetrics(problem.classes)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Texts for a purpose; the truth is the index of the class."""
        return labelled_cases(card, problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same first answer wherever the reference is decided."""
        return agreement(reference, candidate, cases=cases, noise=noise)

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """The generic kinds that apply to text, a vocabulary off by one, and padding read as text."""
        few = {"classes": "there is only one class"} if len(problem.classes) < 2 else None
        return text_controls(VOCABULARY, LENGTHS_CONTROL, absent=few)

    def read(self, path: Path, problem: Problem) -> Arrays:
        """tokens int64 [1, length] and lengths int64 [1] of a text file; BadFile when it is empty or no text."""
        return file_inputs(path, problem)

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The same of a text given in words; BadFile when it is empty."""
        return text_inputs(text, problem)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The likeliest classes with their probabilities."""
        best = showing.ranked(answer, problem.classes, limit)
        length = int(case.inputs["lengths"][0])
        return Shown(
            text=showing.show(answer, to_json(problem), limit),
            record={
                "text": decode(case.inputs["tokens"][0, :length].tolist(), problem),
                "classes": [{"name": name, "probability": share} for name, share in best],
                "truth": problem.classes[case.truth] if isinstance(case.truth, int) and case.truth >= 0 else None,
            },
        )
