"""What is measured on text, with torchmetrics.  [torch]"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor
from torchmetrics.aggregation import SumMetric
from torchmetrics.classification import MulticlassAccuracy, MulticlassConfusionMatrix, MulticlassF1Score

from zoo.data.charts import confusion_chart, save
from zoo.data.embedding.gather import Gathered
from zoo.data.embedding.retrieval import retrieval

if TYPE_CHECKING:
    from zoo.api.task import Batch


class TextClassificationMetrics:
    """`outputs["logits"]` against `batch["label"]`: accuracy, and macro_f1, in which every class counts alike."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes
        count = len(classes)
        self.metrics = {
            "accuracy": MulticlassAccuracy(count, average="micro", validate_args=False),
            "macro_f1": MulticlassF1Score(count, average="macro", validate_args=False),
        }
        self.confusion = MulticlassConfusionMatrix(count, validate_args=False)
        self.matrix: Tensor | None = None

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        logits, label = outputs["logits"].float(), batch["label"]
        for metric in (*self.metrics.values(), self.confusion):
            metric.to(logits.device).update(logits, label)

    def compute(self) -> dict[str, float]:
        """Shares in 0..1, over all processes together."""
        self.matrix = self.confusion.compute().cpu()
        return {name: float(metric.compute()) for name, metric in self.metrics.items()}

    def pictures(self, folder: Path) -> list[Path]:
        """confusion.png; after `compute`."""
        if self.matrix is None:
            raise RuntimeError("pictures of metrics that were never computed")
        return [save(confusion_chart(self.matrix.numpy(), self.classes), folder / "confusion.png")]


class LanguageModelMetrics:
    """`outputs["nats"]` and `outputs["tokens"]` [n], `batch["characters"]` [n]: perplexity and bits per character."""

    def __init__(self) -> None:
        self.sums = {name: SumMetric() for name in ("nats", "tokens", "characters")}

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Add one batch."""
        values = {**outputs, "characters": batch["characters"]}
        for name, metric in self.sums.items():
            metric.to(outputs["nats"].device).update(values[name].double())

    def compute(self) -> dict[str, float]:
        """bits_per_character, and perplexity per token, over all processes together."""
        nats, tokens, characters = (float(metric.compute()) for metric in self.sums.values())
        return {"bits_per_character": nats / math.log(2) / characters, "perplexity": math.exp(nats / tokens)}

    def pictures(self, folder: Path) -> list[Path]:  # noqa: ARG002
        """None: these metrics have no picture."""
        return []


class RetrievalMetrics:
    """`outputs["embedding"]`, unit vectors [n, d], of `batch["index"]` with `batch["label"]`, both int64 [n]."""

    def __init__(self) -> None:
        self.embeddings = Gathered()
        self.labels = Gathered()

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Keep one batch."""
        embedding, index = outputs["embedding"], batch["index"]
        self.embeddings.to(embedding.device).update(index, embedding)
        # a column of numbers, so that they are sorted with the embeddings; float32 counts to 16 million
        self.labels.to(embedding.device).update(index, batch["label"][:, None])

    def compute(self) -> dict[str, float]:
        """retrieval_accuracy, cosine_same and cosine_other, over all processes together."""
        labels = self.labels.compute()[:, 0].cpu().long().numpy()
        return retrieval(self.embeddings.compute().cpu().double().numpy(), labels)

    def pictures(self, folder: Path) -> list[Path]:  # noqa: ARG002
        """None: these metrics have no picture."""
        return []
