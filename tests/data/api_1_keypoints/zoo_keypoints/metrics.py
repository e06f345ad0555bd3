"""How near points come to the truth.  [torch]"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from PIL import Image
from torch import Tensor
from torchmetrics import MeanMetric

from zoo import Batch
from zoo_keypoints.agreement import NEAR
from zoo_keypoints.drawing import marked, sheet

KEPT: Final = 12


class PointMetrics:
    """`outputs["points"]` against `batch["points"]`, both [n, k, 2] as shares of width and height.

    pck: the share of points nearer to the truth than 5 % of the picture's longer side.  error: the mean distance in
    pixels of the picture as it was given.
    """

    def __init__(self) -> None:
        self.means = {"pck": MeanMetric(), "error": MeanMetric()}
        self.worst: list[tuple[float, Image.Image]] = []

    @torch.no_grad()
    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        sides = batch["sides"]
        away = torch.linalg.vector_norm((outputs["points"] - batch["points"]) * sides[:, None], dim=2)
        near = away < NEAR * sides.amax(1, keepdim=True)
        for name, values in (("pck", near.float()), ("error", away)):
            self.means[name].to(values.device).update(values)
        self._keep(away.amax(1), outputs["points"], batch)

    def compute(self) -> dict[str, float]:
        """pck in 0..1 and error in pixels, over all processes together."""
        return {name: float(mean.compute()) for name, mean in self.means.items()}

    def pictures(self, folder: Path) -> list[Path]:
        """worst.png: the pictures whose worst point is farthest off, truth in green, answer in red."""
        if not self.worst:
            return []
        path = folder / "worst.png"
        sheet([picture for _, picture in self.worst]).save(path)
        return [path]

    def _keep(self, away: Tensor, points: Tensor, batch: Batch) -> None:
        for place in away.argsort(descending=True)[:KEPT].tolist():
            pixels = batch["image"][place].permute(1, 2, 0).cpu().numpy()
            size = torch.tensor([pixels.shape[1], pixels.shape[0]])
            truth, found = ((one[place].cpu() * size).tolist() for one in (batch["points"], points))
            self.worst.append((float(away[place]), marked(pixels, found, truth=truth)))
        self.worst = sorted(self.worst, key=lambda pair: -pair[0])[:KEPT]
