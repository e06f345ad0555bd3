"""What is measured on text.  [torch]"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from zoo.data.charts import confusion_chart, save, save_table
from zoo.data.embedding.gather import Gathered
from zoo.data.embedding.retrieval import retrieval
from zoo.data.split_sums import ConfusionMatrix, SplitSums, accuracy, macro_f1
from zoo.data.uncertainty import CLASS_HEADER, Calibration, CalibrationTable, bootstrap, class_rows, wilson

if TYPE_CHECKING:
    from zoo.api.task import Batch


class TextClassificationMetrics:
    """`outputs["logits"]` against `batch["label"]`: accuracy, and macro_f1, in which every class counts alike."""

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = classes
        self.confusion = ConfusionMatrix(len(classes))
        self.calibration = Calibration()
        self.matrix: Tensor | None = None
        self.calibrated: CalibrationTable

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        self.confusion.add(batch["label"], outputs["logits"].argmax(1))
        self.calibration.add(outputs["logits"], batch["label"])

    def compute(self) -> dict[str, float]:
        """Shares in 0..1, over all processes together."""
        self.matrix, self.calibrated = self.confusion.total(), self.calibration.total()
        return {"accuracy": accuracy(self.matrix), "macro_f1": macro_f1(self.matrix)}

    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % interval of each metric; after `compute`."""
        if self.matrix is None:
            raise RuntimeError("intervals of metrics that were never computed")
        right, items = int(self.matrix.diagonal().sum()), int(self.matrix.sum())
        return {"accuracy": wilson(right, items), "macro_f1": bootstrap(self.matrix, macro_f1)}

    def calibration_error(self) -> float:
        """The expected calibration error; after `compute`."""
        return self.calibrated.error()

    def pictures(self, folder: Path) -> list[Path]:
        """confusion.png, classes.csv, calibration.png and .csv; after `compute`."""
        if self.matrix is None:
            raise RuntimeError("pictures of metrics that were never computed")
        return [
            save(confusion_chart(self.matrix.numpy(), self.classes), folder / "confusion.png"),
            save_table(folder / "classes.csv", CLASS_HEADER, class_rows(self.matrix, self.classes)),
            *self.calibrated.files(folder),
        ]


class LanguageModelMetrics:
    """`outputs["nats"]` and `outputs["tokens"]` [n], `batch["characters"]` [n]: perplexity and bits per character."""

    def __init__(self) -> None:
        self.sums = SplitSums()

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Add one batch."""
        values = {**outputs, "characters": batch["characters"]}
        self.sums.add(**{name: values[name].double().sum() for name in ("nats", "tokens", "characters")})

    def compute(self) -> dict[str, float]:
        """bits_per_character, and perplexity per token, over all processes together."""
        nats, tokens, characters = (float(self.sums.total(name)) for name in ("nats", "tokens", "characters"))
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
        self.embeddings.add(index, embedding)
        # a column of numbers, so that they are sorted with the embeddings; float32 counts to 16 million
        self.labels.add(index, batch["label"][:, None])

    def compute(self) -> dict[str, float]:
        """retrieval_accuracy, cosine_same and cosine_other, over all processes together."""
        labels = self.labels.joined()[:, 0].long().numpy()
        return retrieval(self.embeddings.joined().double().numpy(), labels)

    def pictures(self, folder: Path) -> list[Path]:  # noqa: ARG002
        """None: these metrics have no picture."""
        return []
