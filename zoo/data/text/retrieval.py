"""How well embeddings of texts find others of their label.  [torch]"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.data.embedding.gather import Gathered
from zoo.data.embedding.retrieval import retrieval

if TYPE_CHECKING:
    from zoo.api.task import Batch


class RetrievalMetrics:
    """`outputs["embedding"]`, unit vectors [n, d], of `batch["index"]` with `batch["label"]`, both int64 [n]."""

    def __init__(self) -> None:
        self.embeddings = Gathered()
        self.labels = Gathered()

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Keep one batch."""
        embedding, index = outputs["embedding"], batch["index"]
        self.embeddings.to(embedding.device).update(index, embedding)
        # a column of numbers, so that they are put in order with the embeddings; float32 counts to 16 million
        self.labels.to(embedding.device).update(index, batch["label"][:, None])

    def compute(self) -> dict[str, float]:
        """retrieval_accuracy, cosine_same and cosine_other, over all processes together."""
        labels = self.labels.compute()[:, 0].cpu().long().numpy()
        return retrieval(self.embeddings.compute().cpu().double().numpy(), labels)

    def pictures(self, folder: Path) -> list[Path]:  # noqa: ARG002
        """Retrieval has no picture."""
        return []
