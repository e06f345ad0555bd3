"""How well embeddings verify: area under the ROC curve, accuracy, true accepts, and the threshold.  [torch]"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from torch import Tensor

from zoo.data.charts import save, wall
from zoo.data.embedding.charts import roc_chart
from zoo.data.embedding.gather import Gathered
from zoo.data.embedding.verification import FAR, Roc, pair_similarities, roc, verification

if TYPE_CHECKING:
    from zoo.api.task import Batch

MAX_KEPT_BYTES: Final = 64 << 20
"""Bytes of pictures that are kept for drawing the worst mistakes."""
WORST: Final = 4
"""Pairs drawn of either kind."""


class VerificationMetrics:
    """`outputs["embedding"]`, unit vectors [n, d], of `batch["index"]`, judged by `batch["pairs"]` [pairs, 3].

    roc_auc; accuracy, ten-fold as for LFW; tar_at_far_1pct, the true-accept rate at a false-accept rate of 1 %; and the
    cosine similarity from which on that rate is kept, the threshold.
    """

    def __init__(self) -> None:
        self.gathered = Gathered()
        self.pairs: Tensor | None = None
        self.pictures_by_index: dict[int, Tensor] = {}
        self.bytes = 0
        self.curve: Roc | None = None
        self.similarities = np.zeros(0)

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Keep one batch."""
        self.pairs = batch["pairs"]
        self.gathered.add(batch["index"], outputs["embedding"])
        images = batch["image"]
        if self.bytes + images.nbytes <= MAX_KEPT_BYTES:
            self.bytes += images.nbytes
            self.pictures_by_index.update(zip(batch["index"].tolist(), images.cpu(), strict=True))

    def compute(self) -> dict[str, float]:
        """Over all pairs and all processes."""
        assert self.pairs is not None, "metrics of no pictures"
        embeddings = self.gathered.joined().double().numpy()
        pairs = self.pairs.cpu().numpy()
        self.similarities = pair_similarities(embeddings, pairs)
        self.curve = roc(self.similarities, pairs[:, 2])
        return verification(self.similarities, pairs[:, 2])

    def pictures(self, folder: Path) -> list[Path]:
        """roc.png, and pairs.png with the worst mistakes among the pictures of this process; after `compute`."""
        if self.curve is None or self.pairs is None:
            raise RuntimeError("pictures of metrics that were never computed")
        files = [save(roc_chart(self.curve, far=FAR), folder / "roc.png")]
        images, titles = self._wrongest()
        return [*files, save(wall(images, titles), folder / "pairs.png")] if images else files

    def _wrongest(self) -> tuple[list[np.ndarray], list[str]]:
        """Pairs of one identity that look least alike, then pairs of two that look most alike, side by side."""
        assert self.pairs is not None
        pairs = self.pairs.cpu().numpy()
        images: list[np.ndarray] = []
        titles: list[str] = []
        for same, order in ((1, np.argsort(self.similarities)), (0, np.argsort(-self.similarities))):
            worst = [pair for pair in order.tolist() if pairs[pair, 2] == same and self._seen(pairs[pair])]
            for pair in worst[:WORST]:
                images += [self.pictures_by_index[int(index)].permute(1, 2, 0).numpy() for index in pairs[pair, :2]]
                kind = "one identity" if same else "two identities"
                titles += [f"{kind}: {self.similarities[pair]:.3f}", ""]
        return images, titles

    def _seen(self, pair: np.ndarray) -> bool:
        return int(pair[0]) in self.pictures_by_index and int(pair[1]) in self.pictures_by_index
