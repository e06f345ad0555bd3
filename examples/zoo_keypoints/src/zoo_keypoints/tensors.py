"""Keypoints: tensors and graphs; points are shares of the picture's width and height.  [torch]"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import MeanMetric

import zoo
from zoo import Augment, Batch, DataCard, Port, Problem, Split, UsageError
from zoo_keypoints.drawing import marked, sheet
from zoo_keypoints.layout import PointSample, reader
from zoo_keypoints.task import NEAR

KEPT = 12


class PointDataset:
    """A split, its pictures stretched to the model's size and kept as whole grey levels."""

    def __init__(self, card: DataCard, samples: Sequence[PointSample], image: zoo.ImageInput) -> None:
        self.prepare = zoo.ImagePrepare(image).requires_grad_(False)
        grey = card.facts["channels"] == 1
        self.levels = zoo.open_levels(samples, reader(card), self.prepare, grey=grey, stacked=lambda: None)
        self.sides = torch.tensor([sample.sides[::-1] for sample in samples], dtype=torch.float32)
        self.points = torch.tensor([sample.points for sample in samples], dtype=torch.float32) / self.sides[:, None]

    def __len__(self) -> int:
        return len(self.points)

    def batch(self, indices: Sequence[int]) -> Batch:
        """image uint8 [n, channels, h, w]; points [n, k, 2], x and y in 0..1; sides [n, 2], width and height."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        own = {"points": self.points[index], "sides": self.sides[index], "index": index}
        return {"image": self.levels.take(index), **own}

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input`: its images as the model takes them, float32 [n, channels, h, w]."""
        return self.prepare.ready(batch)


class KeypointTensors:
    """Pictures and their points."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> PointDataset:
        """One split, stretched to the problem's input."""
        if not card.splits.get(split):
            raise zoo.DataError(f"{card.source.request.source} has no {split} split")
        return PointDataset(card, card.splits[split], KeypointGraphs().image(problem))

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """Pictures and points moved, zoomed and turned together, each by a draw of its own; the edge fills the rest."""
        if augment.flip or augment.color:
            raise UsageError(
                "keypoints are not mirrored (left and right have names) and not coloured",
                hint="--set recipe.augment.flip=false --set recipe.augment.color=0",
            )
        if not (augment.shift or augment.scale or augment.rotate):
            return batch
        turn, move = _draw(len(batch["image"]), augment, generator)
        # the grid says for every new place where it was: 2 * point - 1 of the old is turn @ new + move
        grid = F.affine_grid(torch.cat([turn, move.unsqueeze(2)], 2), list(batch["image"].shape), align_corners=False)
        image = F.grid_sample(batch["image"].float(), grid, padding_mode="border", align_corners=False)
        old = 2 * batch["points"] - 1 - move.unsqueeze(1)
        points = (old @ torch.linalg.inv(turn).transpose(1, 2) + 1) / 2
        return {**batch, "image": image.round().to(torch.uint8), "points": points}

    def metrics(self, problem: Problem) -> PointMetrics:  # noqa: ARG002  the same for all
        """PCK and mean error in pixels."""
        return PointMetrics()


def _draw(count: int, change: Augment, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Matrices [n, 2, 2] and moves [n, 2] in the coordinates of a picture from -1 to 1."""
    angle, zoom, across, down = 2 * torch.rand(4, count, generator=generator, device=generator.device) - 1
    angle, zoom = angle * math.radians(change.rotate), torch.exp(zoom * math.log1p(change.scale))
    rows = (torch.stack([angle.cos(), -angle.sin()], 1), torch.stack([angle.sin(), angle.cos()], 1))
    return torch.stack(rows, 1) * zoom[:, None, None], 2 * change.shift * torch.stack([across, down], 1)


class PointMetrics:
    """`outputs["points"]` against `batch["points"]`, both [n, k, 2] as shares of width and height.

    pck: the share of points nearer to the truth than 5 % of the picture's longer side.  error: the mean distance in
    pixels of the picture as it was given.
    """

    def __init__(self) -> None:
        self.means = {"pck": MeanMetric(), "error": MeanMetric()}
        self.worst: list[tuple[float, Tensor, Tensor, Tensor]] = []

    @torch.no_grad()
    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch, and keep the pictures whose worst point is farthest off."""
        points, truth, sides = outputs["points"], batch["points"], batch["sides"]
        away = torch.linalg.vector_norm((points - truth) * sides[:, None], dim=2)
        near = away < NEAR * sides.amax(1, keepdim=True)
        for name, values in (("pck", near.float()), ("error", away)):
            self.means[name].to(values.device).update(values)
        worst = away.amax(1)
        for at in worst.argsort(descending=True)[:KEPT].tolist():
            self.worst.append((float(worst[at]), batch["image"][at].cpu(), points[at].cpu(), truth[at].cpu()))
        self.worst = sorted(self.worst, key=lambda row: -row[0])[:KEPT]

    def compute(self) -> dict[str, float]:
        """pck in 0..1 and error in pixels, over all processes together."""
        return {name: float(mean.compute()) for name, mean in self.means.items()}

    def pictures(self, folder: Path) -> list[Path]:
        """worst.png: truth in green, answer in red."""
        if not self.worst:
            return []
        size = [torch.tensor(image.shape[:0:-1]) for _, image, _, _ in self.worst]
        shown = [
            marked(image.permute(1, 2, 0).numpy(), (points * side).tolist(), truth=(truth * side).tolist())
            for (_, image, points, truth), side in zip(self.worst, size, strict=True)
        ]
        sheet(shown).save(folder / "worst.png")
        return [folder / "worst.png"]


class KeypointGraphs(zoo.PictureGraphs):
    """`image` of any size -> `points` float32 [k, 2], x and y in its pixels."""

    crops = False

    def model_outputs(self, problem: Problem) -> tuple[Port, ...]:
        """points [batch, k, 2] as shares of width and height."""
        return (Port(name="points", dtype="float32", shape=("batch", len(problem.classes), 2), doc="x and y in 0..1"),)

    def outputs(self, problem: Problem) -> tuple[Port, ...]:
        """points [k, 2]."""
        return (
            Port(name="points", dtype="float32", shape=(len(problem.classes), 2), doc="x and y in pixels of image"),
        )

    def postprocess(self, problem: Problem) -> nn.Module:  # noqa: ARG002  the same for all
        """Back to the pixels of the given picture."""
        return InPixels()


class InPixels(nn.Module):
    """(points [1, k, 2] in 0..1, image uint8 [height, width, 3]) -> points float32 [k, 2], x and y in pixels."""

    raw = ("image",)

    def forward(self, points: Tensor, image: Tensor) -> Tensor:
        """[1, k, 2] -> [k, 2]."""
        shares = points.squeeze(0)
        return torch.stack([shares[:, 0] * image.shape[1], shares[:, 1] * image.shape[0]], dim=1)
