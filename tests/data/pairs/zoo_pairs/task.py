"""Data and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import zoo
from zoo_pairs import device as pair_device
from zoo_pairs.inputs import PairInput

Arrays = Mapping[str, np.ndarray[Any, Any]]
COUNTS: dict[zoo.Split, int] = {"train": 200, "validation": 40, "test": 40}


@dataclass(frozen=True, slots=True)
class Pair:
    """Where the dots are, as shares of height and width."""

    name: str
    left: tuple[float, float]
    right: tuple[float, float]

    @property
    def distance(self) -> float:
        """Between the two."""
        return float(np.hypot(*np.subtract(self.left, self.right)))


def draw(at: tuple[float, float], size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """A picture with a dot, uint8 [height, width]."""
    grid = np.indices(size) + 0.5
    away = np.hypot(*(grid[axis] - at[axis] * size[axis] for axis in (0, 1)))
    return np.asarray(np.clip(255 * (2.5 - away), 0, 255), np.uint8)


def arrays(pair: Pair, input: PairInput) -> dict[str, np.ndarray[Any, Any]]:
    """The inputs of pipeline.onnx."""
    return {"left": draw(pair.left, input.left), "right": draw(pair.right, input.right)}


def pairs(seed: int, count: int, name: str) -> list[Pair]:
    """Drawn ones, the same every time."""
    places = np.random.default_rng(seed).uniform(0.1, 0.9, (count, 4)).round(4).tolist()
    return [Pair(f"{name}/{at}", (a, b), (c, d)) for at, (a, b, c, d) in enumerate(places)]


class PairData(zoo.DeviceReader):
    """`dots`, and nothing else."""

    device = pair_device
    noun = "a pair"

    def detect(self, request: zoo.DataRequest) -> zoo.DataSource:
        """The dots."""
        if request.source != "dots":
            raise zoo.DataError(f"{request.source} is not `dots`")
        return zoo.DataSource(request=request, format="dots")

    def check(self, source: zoo.DataSource, *, progress: Callable[[int, int], None]) -> zoo.DataCard:  # noqa: ARG002
        """Nothing can be wrong with them."""
        return zoo.make_card(source, {split: pairs(seed, n, split) for seed, (split, n) in enumerate(COUNTS.items())})

    def problem(self, task: str, card: zoo.DataCard, input: zoo.Input) -> zoo.Problem:  # noqa: ARG002
        """The sizes."""
        return zoo.Problem(task=task, input=input)


class PairAnswers(zoo.ItemAnswers):
    """`distance` float32 [1]; the truth is a float."""

    def cases(
        self, card: zoo.DataCard | None, problem: zoo.Problem, purpose: zoo.Purpose, *, limit: int
    ) -> Iterator[zoo.Case]:
        """Dots anywhere."""
        input = pair_input(problem)
        return zoo.item_cases(
            card,
            purpose,
            limit=limit,
            inputs=lambda pair: arrays(pair, input),
            truth=lambda pair: pair.distance,
            synthetic=lambda number: ("uniform", arrays(pairs(90 + number, 1, "made")[0], input)),
            ready=lambda raw: {name: (one / 255).astype(np.float32)[None, None] for name, one in raw.items()},
        )

    def verdict(self, expected: Arrays, actual: Arrays, case: zoo.Case, noise: Mapping[str, float]) -> zoo.Verdict:  # noqa: ARG002
        """The same distance."""
        return zoo.numeric_verdict(expected, actual, tolerance=10 * noise.get("distance", 0.0), relative=1e-6)

    def item_metrics(self, answer: Arrays, case: zoo.Case, problem: zoo.Problem) -> Mapping[str, float]:  # noqa: ARG002
        """error: the absolute error."""
        return {"error": abs(float(answer["distance"][0]) - case.truth)}

    def controls(self, problem: zoo.Problem) -> tuple[zoo.Control, ...]:  # noqa: ARG002
        """What a distance has."""
        absent = ("classes", "channels", "resize", "normalisation")
        return zoo.generic_controls(dict.fromkeys(absent, "a distance has none, and grey pictures go in as they are"))

    def show(self, case: zoo.Case, answer: Arrays, problem: zoo.Problem, *, limit: int = 5) -> zoo.Shown:  # noqa: ARG002
        """The distance."""
        return zoo.Shown(text=pair_device.show(answer, {}), record={"distance": float(answer["distance"][0])})


def pair_input(problem: zoo.Problem) -> PairInput:
    """The input of a problem of this task."""
    assert isinstance(problem.input, PairInput)
    return problem.input
