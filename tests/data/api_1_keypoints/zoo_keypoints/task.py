"""Keypoints: where in a picture certain points lie.  Torch-free; torch parts inside.

The names of the points are the problem's classes, in the order of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    Dataset,
    DataSource,
    Input,
    Metrics,
    Monitor,
    Port,
    Problem,
    Purpose,
    Shown,
    Signature,
    Split,
)
from zoo_keypoints import layout, runner, tickets
from zoo_keypoints.agreement import agreement
from zoo_keypoints.drawing import marked

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from torch import nn

    Arrays = Mapping[str, np.ndarray[Any, Any]]


class Keypoints:
    """`image` of any size -> `points` float32 [k, 2], x and y in its pixels."""

    name = "keypoints"
    monitor = Monitor(metric="pck", mode="max")
    runner = "zoo_keypoints.runner:read"

    # --- data ---
    def detect(self, request: DataRequest) -> DataSource:
        """A folder with pictures and a points.csv, or `tickets`."""
        return layout.detect(request)

    def check(self, source: DataSource, *, progress: Callable[[int, int], None]) -> DataCard:
        """Every picture decoded, every point held against it."""
        return layout.check(source, progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The names of the points."""
        return Problem(task=self.name, input=input, classes=card.classes)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split, stretched to the problem's input."""
        from zoo_keypoints.dataset import PointDataset  # noqa: PLC0415  torch

        return PointDataset(card, split, _stretched(problem))

    def augment(self, batch: zoo.Batch, augment: Augment, generator: torch.Generator) -> zoo.Batch:
        """Pictures and points changed together."""
        from zoo_keypoints.augment import augment as changed  # noqa: PLC0415  torch

        return changed(batch, augment, generator)

    # --- the two graphs ---
    def model_signature(self, problem: Problem) -> Signature:
        """`input` to `points`, float32 [batch, k, 2] as shares of width and height."""
        image = problem.image
        given = Port(name="input", dtype="float32", shape=("batch", image.channels, *image.size))
        found = Port(name="points", dtype="float32", shape=("batch", len(problem.classes), 2), doc="x and y in 0..1")
        return Signature(inputs=(given,), outputs=(found,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """`image` to `points`, float32 [k, 2]."""
        found = Port(name="points", dtype="float32", shape=(len(problem.classes), 2), doc="x and y in pixels of image")
        return Signature(inputs=(zoo.IMAGE,), outputs=(found,))

    def prepare(self, problem: Problem) -> nn.Module:
        """A picture of any size, stretched to the model's."""
        return zoo.ImagePrepare(_stretched(problem))

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002  the same for all
        """Back to the pixels of the given picture."""
        from zoo_keypoints.finish import InPixels  # noqa: PLC0415  torch

        return InPixels()

    # --- measuring ---
    def metrics(self, problem: Problem) -> Metrics:  # noqa: ARG002  the same for all
        """PCK and mean error in pixels."""
        from zoo_keypoints.metrics import PointMetrics  # noqa: PLC0415  torch

        return PointMetrics()

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose; the truth is [k, 2] in pixels."""
        if card is None and problem.classes == tickets.CORNERS:
            card = layout.check(layout.detect(DataRequest(source=tickets.NAME)), progress=lambda _done, _total: None)
        return zoo.picture_cases(
            card,
            problem.image,
            purpose,
            truth=lambda sample, _pixels: np.array(sample.points),
            read=layout.reader(card) if card else None,
            limit=limit,
        )

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],  # noqa: ARG002  a thousandth of a side is far above any noise
    ) -> Agreement:
        """The same places."""
        return agreement(reference, candidate, cases=cases)

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002  the same for all
        """All generic sabotages but the one of classes."""
        return zoo.picture_controls({"classes": "points have names, but nothing is classified"})

    # --- people ---
    def read(self, path: Path, problem: Problem) -> Arrays:  # noqa: ARG002  every picture is read alike
        """`image` uint8 [height, width, 3]; BadFile names the file and what it looks like."""
        return zoo.read_input(path)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  no ranking
        """The points by name, and drawn into the picture."""
        points = answer["points"].tolist()
        picture = marked(case.inputs["image"], points) if "image" in case.inputs else None
        return Shown(
            text=runner.show(answer, {"classes": problem.classes}),
            record=dict(zip(problem.classes, points, strict=True)),
            picture=picture,
        )


def _stretched(problem: Problem) -> zoo.ImageInput:
    """The image input, refused where it would crop points away."""
    if problem.image.resize is not None:
        raise zoo.UsageError("the image input crops after resizing, which loses points", hint="leave `resize` away")
    return problem.image
