"""Image embedding: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.postprocess import PostprocessStep
from zoo.api.problem import Input, Json, Problem
from zoo.api.recipe import Augment
from zoo.api.task import (
    Agreement,
    Case,
    Control,
    Dataset,
    Metrics,
    Monitor,
    Port,
    Progress,
    Purpose,
    Shown,
    Signature,
    generic_controls,
)
from zoo.data.embedding.agreement import agreement, known_pairs, similarities
from zoo.data.embedding.compare import described, matches
from zoo.data.embedding.steps import STEPS
from zoo.data.embedding.verification import FAR, roc
from zoo.data.formats.embedded import DIGITS, TURNED, turned_digits_card
from zoo.data.formats.identities.folders import check_identities
from zoo.data.image import sources
from zoo.data.image.cases import picture_cases
from zoo.data.image.inputs import fit_channels
from zoo.data.image.reading import IMAGE, read_input
from zoo.tasks.image_embedding import runner

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch

LAYOUTS: Final = ("class-folders", "csv", "pairs")


class ImageEmbedding:
    """A picture as a unit vector; pictures of one identity have similar ones."""

    name = "image-embedding"
    monitor = Monitor(metric="roc_auc", mode="max")
    runner = "zoo.tasks.image_embedding.runner:read"

    def detect(self, request: DataRequest) -> DataSource:
        """Identity folders with or without pairs, a table of path and label, pairs alone, or the embedded digits."""
        source = sources.detect(request, accepted=LAYOUTS)
        return replace(source, format=TURNED) if source.format == DIGITS else source

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every identity counted; samples are `zoo.data.formats.samples.Sample`."""
        if source.format == TURNED:
            return turned_digits_card(source)
        from zoo.data.formats.pictures.inspect import PICTURES  # noqa: PLC0415  needs Pillow, which only checking does

        return check_identities(source, PICTURES, progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The input given, with the data's channels where the model takes any, and how many identities are learnt."""
        return Problem(task=self.name, input=fit_channels(input, card), facts={"identities": card.facts["identities"]})

    def calibrated(self, problem: Problem, metrics: Mapping[str, float]) -> Problem:
        """With the threshold that validation gave, and the false-accept rate that it stands for."""
        if "threshold" not in metrics:
            return problem
        return replace(problem, facts={**problem.facts, "threshold": metrics["threshold"], "far": FAR})

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] Pictures as whole levels; of train in batches of a few identities, of the others with their pairs."""
        from zoo.tasks.image_embedding.dataset import open_identities  # noqa: PLC0415  torch

        return open_identities(card, split, problem.image)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:
        """[torch] The batch with its images moved, turned and coloured."""
        from zoo.data.image.augment import augment as changed  # noqa: PLC0415  torch

        return {**batch, "image": changed(batch["image"], augment, generator)}

    def model_signature(self, problem: Problem) -> Signature:
        """input, normalised float32 [batch, channels, height, width] -> features float32 [batch, d] of any length."""
        image = problem.image
        shape = ("batch", image.channels, *image.size)
        picture = Port(name="input", dtype="float32", shape=shape, doc="normalised image")
        features = Port(
            name="features", dtype="float32", shape=("batch", image.embedding), doc="not yet of unit length"
        )
        return Signature(inputs=(picture,), outputs=(features,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """image uint8 [height, width, 3] -> embedding float32 [d], of unit length."""
        answer = Port(name="embedding", dtype="float32", shape=(problem.image.embedding,), doc="of unit length")
        return Signature(inputs=(IMAGE,), outputs=(answer,))

    def prepare(self, problem: Problem) -> nn.Module:
        """[torch] Resizing, cropping and normalising."""
        from zoo.data.image.preprocess import ImagePrepare  # noqa: PLC0415  torch

        return ImagePrepare(problem.image)

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Division by the length."""
        return STEPS

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002  every embedding's is the same
        """[torch] Division by the length."""
        from zoo.data.embedding.postprocess import UnitLength  # noqa: PLC0415  torch

        return UnitLength()

    def metrics(self, problem: Problem) -> Metrics:  # noqa: ARG002  the same for all
        """[torch] roc_auc, accuracy, tar_at_far_1pct and threshold; the ROC curve and the hardest pairs as pictures."""
        from zoo.tasks.image_embedding.metrics import VerificationMetrics  # noqa: PLC0415  torch

        return VerificationMetrics()

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Pictures for a purpose; the truth is the number of the identity."""
        if card is None and problem.image.channels == 1:
            card = turned_digits_card(DataSource(request=DataRequest(source=DIGITS), format=TURNED))
        return picture_cases(
            card,
            problem.image,
            purpose,
            truth=lambda sample, _: sample.label if sample.label >= 0 else None,
            embedded=False,
            limit=limit,
        )

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same directions, and the same pairs taken for one identity."""
        return agreement(reference, candidate, cases=cases, noise=noise, scores=_scores)

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002  the same for all
        """All generic kinds except classes."""
        return generic_controls({"classes": "an embedding has no classes"})

    def read(self, path: Path, problem: Problem) -> Arrays:  # noqa: ARG002  every picture is read alike
        """image uint8 [height, width, 3]; BadFile names the file and what it looks like."""
        return read_input(path)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002
        """Size, length and the first numbers in words; all numbers as .npy."""
        values = np.asarray(answer["embedding"])
        memory = io.BytesIO()
        np.save(memory, values, allow_pickle=False)
        numbers: list[Json] = [float(value) for value in values]
        record: dict[str, Json] = {"length": float(np.linalg.norm(values)), "embedding": numbers}
        return Shown(text=runner.show(answer, {}), record=record, files={".npy": memory.getvalue()})

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        """How similar two pictures are, or which are most similar to each; and whether that means one identity."""
        matched = matches([answer["embedding"] for answer in answers], _threshold(problem), limit)
        pairs: list[Json] = [
            {"a": names[a], "b": names[b], "similarity": score, "same": same} for a, b, score, same in matched
        ]
        facts = {name: problem.facts.get(name) for name in ("threshold", "far")}
        return Shown(text=described(names, matched, problem.facts), record={**facts, "pairs": pairs})


def _threshold(problem: Problem) -> float | None:
    value = problem.facts.get("threshold")
    return float(value) if isinstance(value, int | float) else None


def _scores(embeddings: npt.NDArray[Any], cases: Sequence[Case]) -> dict[str, float]:
    """roc_auc and the true accepts over all pairs of known truth."""
    known = known_pairs(cases)
    if known is None:
        return {}
    first, second, same = known
    curve = roc(similarities(embeddings, first, second), same)
    return {"roc_auc": curve.area, "tar_at_far_1pct": curve.at(FAR)[0]}
