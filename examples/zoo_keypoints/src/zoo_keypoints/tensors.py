"""Keypoints: tensors and graphs; points are shares of the picture's width and height.  [torch]"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from PIL.Image import Image
from torch import Tensor, nn
from torch.nn import functional as F

import zoo
from zoo import Augment, Batch, DataCard, Port, Problem, Split, UsageError
from zoo_keypoints.drawing import marked
from zoo_keypoints.task import NEAR, KeypointData


class KeypointTensors(zoo.PictureTensors):
    """Pictures and their points."""

    data = KeypointData
    crops = False

    def targets(self, card: DataCard, split: Split, image: zoo.ImageInput) -> Mapping[str, Tensor]:  # noqa: ARG002
        """points [n, k, 2], x and y in 0..1; sides [n, 2], width and height."""
        samples = card.splits[split]
        sides = torch.tensor([sample.sides[::-1] for sample in samples], dtype=torch.float32)
        points = torch.tensor([sample.points for sample in samples], dtype=torch.float32) / sides[:, None]
        return {"points": points, "sides": sides}

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


class PointMetrics(zoo.MeanMetrics):
    """`outputs["points"]` against `batch["points"]`, both [n, k, 2] as shares of width and height.

    pck: the share of points nearer to the truth than 5 % of the picture's longer side.  error: the mean distance in
    pixels of the picture as it was given.
    """

    names = ("pck", "error")
    worst_by = "error"

    def values(self, outputs: Batch, batch: Batch) -> Mapping[str, Tensor]:
        """Of every point, [n, k]."""
        sides = batch["sides"]
        away = torch.linalg.vector_norm((outputs["points"] - batch["points"]) * sides[:, None], dim=2)
        return {"pck": (away < NEAR * sides.amax(1, keepdim=True)).float(), "error": away}

    def drawn(self, outputs: Batch, item: Batch) -> Image:
        """Truth in green, answer in red."""
        side = torch.tensor(item["image"].shape[:0:-1])
        points, truth = ((values["points"] * side).tolist() for values in (outputs, item))
        return marked(item["image"].permute(1, 2, 0).numpy(), points, truth=truth)


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
