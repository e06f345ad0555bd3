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
from zoo.api.task import Agreement, Case, Control, Purpose, Shown
from zoo.data.agreement import item_agreement, level_verdict
from zoo.data.image.drawing import enlarged
from zoo.data.image.inputs import fit_channels
from zoo.runs.serialization import to_json
from zoo.tasks.bases.pictures import PictureData
from zoo.tasks.image_generation import device
from zoo.tasks.image_generation.cases import cases as latent_cases
from zoo.tasks.image_generation.controls import generator_controls

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OUTPUT = "images"


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


class GenerationAnswers:
    """Pictures made of latents; no latent has a truth."""

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:  # noqa: ARG002  nothing of the data goes in
        """Latents for a purpose."""
        return latent_cases(problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],  # noqa: ARG002  levels are whole; one of difference is allowed
    ) -> Agreement:
        """The same pictures but for a level here and there."""
        return item_agreement(
            reference,
            candidate,
            cases=cases,
            compare=lambda expected, actual, _: level_verdict(expected, actual, output=OUTPUT),
        )

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """None: made pictures are measured as a whole."""
        return {}

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
