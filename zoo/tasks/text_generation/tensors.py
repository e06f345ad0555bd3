"""Text generation: tensors and graphs.  [torch]"""

from __future__ import annotations

from zoo.api.data import DataCard, Split
from zoo.api.problem import Problem
from zoo.api.task import Dataset, Metrics, Port, Signature
from zoo.data.text.stream_dataset import EvaluationWindows, TokenRow, TrainingChunks
from zoo.tasks.bases.sequence_tensors import SequenceGraphs
from zoo.tasks.bases.text_tensors import Unchanged


class CorpusTensors(Unchanged):
    """Token ids in the order of the text."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """For training, chunks in the order of the text; for evaluation, windows with context."""
        tokens = TokenRow(card.splits[split], problem)
        return TrainingChunks(tokens) if split == "train" else EvaluationWindows(tokens)

    def metrics(self, problem: Problem) -> Metrics:  # noqa: ARG002
        """bits_per_character and perplexity."""
        from zoo.data.text.metrics import LanguageModelMetrics  # noqa: PLC0415  answers need no metrics

        return LanguageModelMetrics()


class LanguageModelGraphs(SequenceGraphs):
    """Tokens to the logits of the token after each."""

    def signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length] -> logits float32 [batch, length, vocabulary]; without the model's state."""
        shape = ("batch", "length", len(problem.vocabulary))
        tokens = Port(name="tokens", dtype="int64", shape=("batch", "length"), doc="token numbers")
        logits = Port(name="logits", dtype="float32", shape=shape, doc="of the token after each, before softmax")
        return Signature(inputs=(tokens,), outputs=(logits,))
