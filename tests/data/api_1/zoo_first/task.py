"""One number for a picture: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import zoo
from zoo import (
    Agreement,
    Augment,
    Case,
    Control,
    DataCard,
    DataRequest,
    DataSource,
    Monitor,
    Port,
    Problem,
    Purpose,
    Shown,
    Signature,
    Split,
)
from zoo_first import layout, runner

if TYPE_CHECKING:
    import torch
    from torch import nn

    Arrays = Mapping[str, np.ndarray[Any, Any]]

SAME = 1e-3
"""Two answers closer than this are the same to a user."""


class First:
    """`image` of any size -> `value` float32 [1]."""

    name = "first"
    monitor = Monitor(metric="error", mode="min")
    runner = "zoo_first.runner:read"

    # --- data ---
    def detect(self, request: DataRequest) -> DataSource:
        """A folder with pictures and a values.csv, or `discs`."""
        return layout.detect(request)

    def check(self, source: DataSource, *, progress: Callable[[int, int], None]) -> DataCard:
        """Every picture decoded, every value read."""
        return layout.check(source, progress=progress)

    def problem(self, card: DataCard, input: zoo.Input) -> Problem:
        """The picture alone: there are no classes; with the data's channels where the model takes any."""
        return Problem(task=self.name, input=layout.suited(input, card))

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> zoo.Dataset:
        """[torch] One split at the model's size."""
        from zoo_first.dataset import Values

        return Values(card, split, problem.image)

    def augment(self, batch: zoo.Batch, augment: Augment, generator: torch.Generator) -> zoo.Batch:
        """[torch] Half of the pictures mirrored, if the recipe says so: no value changes by that."""
        from zoo_first.dataset import mirrored

        return mirrored(batch, generator) if augment.flip else batch

    # --- the two graphs ---
    def model_signature(self, problem: Problem) -> Signature:
        """`input` to `value`, float32 [batch, 1]."""
        image = problem.image
        given = Port(name="input", dtype="float32", shape=("batch", image.channels, *image.size))
        return Signature(inputs=(given,), outputs=(Port(name="value", dtype="float32", shape=("batch", 1)),))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """`image` uint8 [height, width, 3] to `value`, float32 [1]."""
        return Signature(inputs=(zoo.IMAGE,), outputs=(Port(name="value", dtype="float32", shape=(1,)),))

    def prepare(self, problem: Problem) -> nn.Module:
        """[torch] A picture of any size, as the model takes it."""
        return zoo.ImagePrepare(problem.image)

    def finish(self, problem: Problem) -> nn.Module:
        """[torch] The number without its batch."""
        from zoo_first.dataset import First

        return First()

    # --- measuring ---
    def metrics(self, problem: Problem) -> zoo.Metrics:
        """[torch] error: the mean distance from the truth."""
        from zoo_first.dataset import Errors

        return Errors()

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose; the truth is the value."""
        read = layout.reader(card) if card else None
        return zoo.picture_cases(
            card, problem.image, purpose, truth=lambda sample, _: sample.value, read=read, limit=limit
        )

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same number, but for a thousandth."""
        pairs = zip(reference, candidate, cases, strict=True)
        away = [(abs(float(one["value"][0] - other["value"][0])), case.name) for one, other, case in pairs]
        wrong = sorted((pair for pair in away if not pair[0] <= SAME), reverse=True)
        return Agreement(
            items=len(cases),
            agreeing=len(cases) - len(wrong),
            undecided=0,
            disagreements=tuple(f"{name}: the numbers are {error:.4g} apart" for error, name in wrong[:12]),
        )

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """All generic sabotages but the one of classes."""
        return zoo.picture_controls({"classes": "a number has no classes"})

    # --- people ---
    def read(self, path: Path, problem: Problem) -> Arrays:
        """`image` uint8 [height, width, 3]; BadFile names the file and what it looks like."""
        return zoo.read_input(path)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The number."""
        return Shown(text=runner.show(answer, {}), record={"value": float(answer["value"][0])})
