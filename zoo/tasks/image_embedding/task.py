"""Image embedding: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import Input, Json, Problem
from zoo.api.task import Case, Progress
from zoo.data.embedding.agreement import stacked
from zoo.data.embedding.verification import FAR, pair_similarities, verification, verification_pairs
from zoo.data.formats.embedded import DIGITS, TURNED, turned_digits_card
from zoo.data.formats.identities.folders import check_identities
from zoo.data.image.reading import Pixels
from zoo.tasks.bases.embeddings import EmbeddingAnswers, vectors
from zoo.tasks.bases.pictures import PictureAnswers, PictureData

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class IdentityData(PictureData):
    """Identity folders with or without pairs, a table of path and label, pairs alone, or the embedded digits."""

    formats = ("class-folders", "csv", "pairs")
    embedded = DIGITS

    def detect(self, request: DataRequest) -> DataSource:
        """The digits are turned and mirrored: each of those is an identity."""
        source = super().detect(request)
        return replace(source, format=TURNED) if source.format == DIGITS else source

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every identity counted."""
        if source.format == TURNED:
            return turned_digits_card(source)
        from zoo.data.formats.pictures.decoded import DecodedPictures  # noqa: PLC0415  needs numpy
        from zoo.data.formats.pictures.inspect import keeping  # noqa: PLC0415  needs Pillow, which only checking does

        kept = DecodedPictures()
        return replace(check_identities(source, keeping(kept), progress=progress), decoded=kept)

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """How many identities are learnt, and no classes."""
        problem = super().problem(task, card, input)
        return replace(problem, classes=(), facts={**problem.facts, "identities": card.facts["identities"]})


class IdentityAnswers(EmbeddingAnswers, PictureAnswers):
    """Embeddings of pictures; the truth of a case is the number of the identity."""

    data = IdentityData
    tells_same = True

    def truth(self, sample: Any, pixels: Pixels, problem: Problem) -> int | None:  # noqa: ARG002
        """The number of the identity, where it is known."""
        return sample.label if sample.label >= 0 else None

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:
        """roc_auc, accuracy, the true accepts and the threshold: over the pairs that the data name, else over all."""
        pairs = named_pairs(cases)
        return (
            super().metrics(answers, cases, problem) if pairs is None else _verified(stacked(vectors(answers)), pairs)
        )

    def measured(self, embeddings: npt.NDArray[np.float64], truths: Sequence[Any]) -> Mapping[str, float]:
        """The same over all pairs of these."""
        return _verified(embeddings, verification_pairs(np.array(truths)))

    def facts(self, case: Case, answer: Arrays, problem: Problem) -> dict[str, Json]:  # noqa: ARG002
        """The length, which is one."""
        return {"length": float(np.linalg.norm(answer["embedding"]))}

    def calibrate(self, problem: Problem, metrics: Mapping[str, float]) -> Problem:
        """With the threshold that validation gave, and the false-accept rate that it stands for."""
        if "threshold" not in metrics:
            return problem
        return replace(problem, facts={**problem.facts, "threshold": metrics["threshold"], "far": FAR})


def _verified(embeddings: npt.NDArray[np.float64], pairs: npt.NDArray[np.int64]) -> dict[str, float]:
    return verification(pair_similarities(embeddings, pairs), pairs[:, 2] == 1)


def named_pairs(cases: Sequence[Case]) -> npt.NDArray[np.int64] | None:
    """The pairs that the data name, int64 [pairs, 3]: two indices of cases and whether they are of one identity.

    None where the data name none, or where another split is measured.
    """
    items = [case.item for case in cases if case.item is not None]
    if not items or len(items) < len(cases):
        return None
    card = items[0].card
    named, samples = card.facts.get("pairs"), card.splits.get("test", ())
    others = [split for name, split in card.splits.items() if name != "test"]
    if not isinstance(named, list) or items[0].split != "test" or any(split is samples for split in others):
        return None
    case_of = {item.sample.name: index for index, item in enumerate(items)}
    index = np.array([case_of.get(sample.name, -1) for sample in samples], np.int64)
    pairs = np.array(named, np.int64).reshape(-1, 3)
    pairs = np.stack([index[pairs[:, 0]], index[pairs[:, 1]], pairs[:, 2]], axis=1)
    return pairs[(pairs >= 0).all(1)]
