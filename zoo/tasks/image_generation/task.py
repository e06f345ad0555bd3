"""Image generation: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from zoo.api.data import DataCard
from zoo.api.errors import BadFile, PluginError
from zoo.api.parts import FileItem
from zoo.api.problem import ImageInput, Input, LatentInput, Problem
from zoo.api.task import Case, Control, Purpose, Shown
from zoo.data.image.cases import picture_cases
from zoo.data.image.drawing import enlarged
from zoo.data.image.inputs import fit_channels
from zoo.data.image.pillow import fitted
from zoo.data.image.reading import read_as, reader
from zoo.runs.serialization import to_json
from zoo.tasks.bases.items import LevelAnswers
from zoo.tasks.bases.pictures import PictureData
from zoo.tasks.image_generation import device
from zoo.tasks.image_generation.cases import cases as latent_cases
from zoo.tasks.image_generation.controls import generator_controls
from zoo.tasks.image_generation.features import frechet_distance, random_features

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT = "images"
MIN_PICTURES = 2
"""Fewer have no covariance."""


class GenerationData(PictureData):
    """A folder of pictures, a CSV or TSV file, a dataset of torchvision, or the embedded digits."""

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The input given, its picture with the data's channels where the model makes any."""
        if not isinstance(input, LatentInput) or input.picture is None:
            raise PluginError(f"a model for {task} has a LatentInput with a picture, not {input}")
        picture = cast("ImageInput", fit_channels(input.picture, card))
        return Problem(task=task, input=replace(input, picture=picture))

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """latent float32 [n, size]: 64 drawn from a seed, or those of an .npy file; BadFile for anything else."""
        try:
            return (FileItem(inputs=device.read(path, to_json(problem))),)
        except (OSError, ValueError) as error:
            raise BadFile(str(error), hint="give a seed, as in 7, or float32 [n, size] in an .npy file") from error


class GenerationAnswers(LevelAnswers):
    """Pictures made of latents; no latent has a truth, but all made pictures are compared with as many real ones."""

    output = OUTPUT

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Latents for a purpose; those for evaluation beside the pictures of the data, if there are any."""
        cases = latent_cases(problem, purpose, limit=limit)
        if card is None or purpose != Purpose.EVALUATION:
            return cases
        read = reader(read_as(card, problem))
        real = picture_cases(card, problem.image, purpose, truth=lambda *_: None, limit=limit, read=read)
        pairs = zip(cases, real, strict=False)
        return (replace(case, real=fitted(other.inputs["image"], problem.image)) for case, other in pairs)

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """frechet_random, the distance between all made pictures and all real ones; none of fewer than two."""
        known = [
            (answer[OUTPUT], case.real) for answer, case in zip(answers, cases, strict=True) if case.real is not None
        ]
        if len(known) < MIN_PICTURES:
            return {}
        made, real = np.concatenate([images for images, _ in known]), np.stack([picture for _, picture in known])
        return {"frechet_random": frechet_distance(random_features(made), random_features(real))}

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002  the same for all
        """The generic mutations of a model's graph, and latents in another order; no picture goes in."""
        return generator_controls()

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  nothing is ranked
        """How many pictures of which size, all of them in rows of eight, and each as a file of its own."""
        count, height, width, channels = answer[OUTPUT].shape
        sheet = np.asarray(device.picture(answer))
        return Shown(
            text=device.show(answer, {}),
            record={"count": count, "height": height, "width": width, "channels": channels},
            picture=enlarged(sheet.reshape(*sheet.shape[:2], channels)),
            files={f"-{index:04d}.png": device.png(image) for index, image in enumerate(answer[OUTPUT], 1)},
        )
