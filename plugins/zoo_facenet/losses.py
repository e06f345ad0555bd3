"""Losses of metric learning: triplets with semi-hard negatives, and an angular margin.  [torch]"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def squared_distances(embeddings: Tensor) -> Tensor:
    """Between all rows [n, d] -> [n, n]; exact zeros on the diagonal."""
    lengths = embeddings.square().sum(1)
    distances = (lengths[:, None] + lengths[None] - 2 * embeddings @ embeddings.T).clamp_min(0.0)
    return distances * (1 - torch.eye(len(distances), dtype=distances.dtype, device=distances.device))


def semi_hard_triplets(distances: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Indices (anchor, positive, negative), each [triplets], one for every ordered pair of one identity.

    The negative is the nearest that lies further off than the positive (semi-hard, Schroff et al. 2015, section 3.2);
    where none does, the furthest negative.  Anchors without any negative make no triplet.
    """
    same = labels[:, None] == labels[None]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    anchor, positive = (same & ~itself & ~same.all(1, keepdim=True)).nonzero(as_tuple=True)
    rows, negatives = distances[anchor], ~same[anchor]
    further = negatives & (rows > distances[anchor, positive][:, None])
    nearest = rows.masked_fill(~further, math.inf).argmin(1)
    furthest = rows.masked_fill(~negatives, -math.inf).argmax(1)
    return anchor, positive, torch.where(further.any(1), nearest, furthest)


def triplet_loss(embeddings: Tensor, labels: Tensor, *, margin: float) -> Tensor:
    """Mean over the triplets of max(0, distance to the positive - distance to the negative + margin)."""
    distances = squared_distances(embeddings)
    with torch.no_grad():
        anchor, positive, negative = semi_hard_triplets(distances, labels)
    if not len(anchor):
        return embeddings.sum() * 0.0
    return F.relu(distances[anchor, positive] - distances[anchor, negative] + margin).mean()


class AngularMargin(nn.Module):
    """Scaled cosines to a centre of each identity, with a margin on the own angle (Deng et al. 2019: ArcFace)."""

    def __init__(self, identities: int, embedding: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(identities, embedding))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, embeddings: Tensor, labels: Tensor, *, margin: float, scale: float) -> Tensor:
        """Unit vectors [n, d] and int64 [n] -> logits [n, identities]."""
        return angular_logits(F.linear(embeddings, F.normalize(self.weight)), labels, margin=margin, scale=scale)


def angular_logits(cosines: Tensor, labels: Tensor, *, margin: float, scale: float) -> Tensor:
    """scale * cos(angle + margin) for the own identity, scale * cos(angle) for the others.

    Beyond an angle of pi - margin the cosine would rise again; there it is continued by a straight line.
    """
    own = cosines.gather(1, labels[:, None])
    sine = (1 - own.square()).clamp_min(1e-12).sqrt()
    moved = own * math.cos(margin) - sine * math.sin(margin)
    straight = own - math.sin(margin) * margin
    moved = torch.where(own > math.cos(math.pi - margin), moved, straight)
    return scale * cosines.scatter(1, labels[:, None], moved)
