"""Data that nobody has to bring: pictures of a ticket lying anywhere, and where its four corners are.

A ticket is a bright quadrilateral with a hole near one corner.  That corner comes first, the others follow clockwise.
Everything is drawn from one seed with numpy's RandomState, whose numbers never change.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Split = Literal["train", "validation", "test"]

NAME: Final = "tickets"
CORNERS: Final = ("punched", "second", "third", "fourth")
SIDE: Final = 48
COUNTS: Final[dict[Split, int]] = {"train": 2000, "validation": 250, "test": 400}
SEEDS: Final[dict[Split, int]] = {"train": 1, "validation": 2, "test": 3}


@cache
def load(split: Split) -> tuple[npt.NDArray[np.uint8], Floats]:
    """Grey pictures uint8 [n, 48, 48], and their corners [n, 4, 2] as x, y in pixels."""
    random = np.random.RandomState(SEEDS[split])
    corners = _corners(random, COUNTS[split])
    return _drawn(random, corners), corners


def _corners(random: np.random.RandomState, count: int) -> Floats:
    half = random.uniform((11, 7), (16, 11), (count, 2))
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=float)
    flat = square[None] * half[:, None] + random.uniform(-1.5, 1.5, (count, 4, 2))
    angle = random.uniform(0, 2 * np.pi, count)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)
    turned: Floats = flat @ turn
    low, high = 1 - turned.min(1), SIDE - 1 - turned.max(1)
    place: Floats = low + (high - low) * random.uniform(0, 1, (count, 2))
    return turned + place[:, None]


def _drawn(random: np.random.RandomState, corners: Floats) -> npt.NDArray[np.uint8]:
    count = len(corners)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    slope = random.uniform(-1, 1, (count, 2, 1, 1))
    ground = 0.28 + 0.12 * (slope[:, 0] * x / SIDE + slope[:, 1] * y / SIDE)
    ticket = random.uniform(0.6, 0.95, (count, 1, 1))
    covered = np.clip(_inside(corners, x, y) + 0.5, 0, 1)
    hole = corners[:, 0] + 0.3 * (corners.mean(1) - corners[:, 0])
    away = np.hypot(x - hole[:, 0, None, None], y - hole[:, 1, None, None])
    covered = covered * np.clip(away - 2.2 + 0.5, 0, 1)
    picture = ground + (ticket - ground) * covered + random.normal(0, 0.03, (count, SIDE, SIDE))
    return np.asarray(np.clip(np.round(picture * 255), 0, 255), dtype=np.uint8)


def _inside(corners: Floats, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Floats:
    """The distance to the nearest edge in pixels, negative outside; [n, 48, 48]."""
    edges = np.roll(corners, -1, axis=1) - corners
    normals = np.stack([-edges[..., 1], edges[..., 0]], -1) / np.linalg.norm(edges, axis=-1, keepdims=True)
    offset = (normals * corners).sum(-1)
    distance = normals[..., 0, None, None] * x + normals[..., 1, None, None] * y - offset[..., None, None]
    nearest: Floats = distance.min(1)
    return nearest
