"""Latents for measuring: likely ones, ways between two, evenly spread ones, and some far outside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.api.problem import Problem
from zoo.api.task import Case, Purpose
from zoo.tasks.image_generation.device import draw

Latents = npt.NDArray[np.float32]
GRID = 16


def cases(problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
    """At most `limit` cases; all are drawn from fixed seeds."""
    sources = {
        Purpose.PIPELINE: _pipeline,
        Purpose.MODEL: _model,
        Purpose.EVALUATION: _items,
        Purpose.GOLDEN: _golden,
    }
    return islice(sources[purpose](problem.latent_size), limit)


def _case(name: str, latent: npt.NDArray[Any], *, kind: str = "realistic", gates: bool = True) -> Case:
    values = np.ascontiguousarray(latent, np.float32)
    return Case(name=name, kind=kind, inputs={"latent": values}, gates=gates, origin="synthetic")


def _items(size: int) -> Iterator[Case]:
    """Without end: every seed is an item."""
    seed = 1000
    while True:
        yield _case(f"seed-{seed}", draw(seed, 1, size))
        seed += 1


def _pipeline(size: int) -> Iterator[Case]:
    yield _case("one", draw(1, 1, size))
    yield _case("five", draw(2, 5, size))
    yield _case("way", _arc(draw(3, 2, size), 7), kind="smooth")
    yield _case("even", np.random.default_rng(4).uniform(-1.7, 1.7, (1, size)), kind="uniform")
    yield _case("two", draw(5, 2, size))
    yield _case("zeros", np.zeros((1, size)), kind="zeros", gates=False)


def _model(size: int) -> Iterator[Case]:
    for number in range(2):
        yield _case(f"draw-{number}", draw(20 + number, 1, size))
        yield _case(f"uniform-{number}", np.random.default_rng(number).uniform(-1.7, 1.7, (1, size)), kind="uniform")
        wave = np.sin(np.linspace(0, 2 * np.pi, size) * (number + 1)) * np.sqrt(2)
        yield _case(f"smooth-{number}", wave[None], kind="smooth")
    yield _case("loud", 10 * draw(30, 1, size), kind="loud", gates=False)


def _golden(size: int) -> Iterator[Case]:
    yield _case("one", draw(1, 1, size))
    yield _case("five", draw(2, 5, size))
    yield _case("grid", draw(0, GRID, size))


def _arc(ends: Latents, steps: int) -> npt.NDArray[Any]:
    """From one latent to another along an arc, on which the norm stays typical of a normal draw."""
    angle = np.linspace(0, np.pi / 2, steps)[:, None]
    return np.asarray(np.cos(angle) * ends[:1] + np.sin(angle) * ends[1:])
