"""Image reconstruction: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.api.data import DataCard
from zoo.api.parts import FileItem
from zoo.api.problem import Problem
from zoo.api.task import Case, Purpose, Shown
from zoo.data.formats.embedded import DIGITS
from zoo.data.image.drawing import enlarged, side_by_side
from zoo.data.image.pillow import fitted
from zoo.data.image.reading import Pixels, read_input
from zoo.tasks.bases.items import LevelAnswers, with_truth
from zoo.tasks.bases.pictures import PictureAnswers, PictureData
from zoo.tasks.image_reconstruction import device
from zoo.tasks.image_reconstruction.noise import with_noise

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT = "image_out"


class ReconstructionData(PictureData):
    """A folder of pictures, a CSV or TSV file, a dataset of torchvision, or the embedded digits."""

    embedded = DIGITS

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """image uint8 [height, width, 3] and zeros for the noise; BadFile names the file and what it looks like."""
        return (FileItem(inputs=read_input(path) | device.silence(problem.image.noise)),)


class ReconstructionAnswers(LevelAnswers, PictureAnswers):
    """Pictures that came back; the truth is the original at the model's size, uint8 [height, width, channels]."""

    data = ReconstructionData
    output = OUTPUT
    no_classes = "a reconstruction has no classes"

    def truth(self, sample: Any, pixels: Pixels, problem: Problem) -> Pixels:  # noqa: ARG002
        """The original at the model's size."""
        return fitted(pixels, problem.image)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose, with noise for models that take any."""
        cases, noise = super().cases(card, problem, purpose, limit=limit), problem.image.noise
        return with_noise(cases, noise, purpose) if noise else cases

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """PSNR in decibels over the cases whose original is known, all pixels together."""
        errors = [
            float(((answer[OUTPUT].astype(float) - case.truth.astype(float)) ** 2).mean())
            for answer, case in with_truth(answers, cases)
        ]
        mean = float(np.mean(errors)) if errors else 0.0
        return {"psnr": float(10 * np.log10(255.0**2 / mean))} if mean > 0 else {}

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  nothing is ranked
        """Size and levels in words; the original beside what came back."""
        reconstruction = answer[OUTPUT]
        original = fitted(case.inputs["image"], problem.image) if "image" in case.inputs else reconstruction
        return Shown(
            text=device.show(answer, {}),
            record=dict(zip(("height", "width", "channels"), reconstruction.shape, strict=True)),
            picture=side_by_side(enlarged(original), enlarged(reconstruction)),
        )
