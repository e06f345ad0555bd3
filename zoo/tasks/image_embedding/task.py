"""Image embedding: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.problem import Input, Json, Problem
from zoo.api.task import Case, Progress, Shown
from zoo.data.embedding.agreement import known_pairs, similarities, stacked
from zoo.data.embedding.compare import matches
from zoo.data.embedding.verification import FAR, roc
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

    def detect(self, request: DataRequest) -> DataSource:
        """The digits are turned and mirrored: each of those is an identity."""
        source = super().detect(request)
        return replace(source, format=TURNED) if source.format == DIGITS else source

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every identity counted."""
        if source.format == TURNED:
            return turned_digits_card(source)
        from zoo.data.formats.pictures.inspect import PICTURES  # noqa: PLC0415  needs Pillow, which only checking does

        return check_identities(source, PICTURES, progress=progress)

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """How many identities are learnt, and no classes."""
        problem = super().problem(task, card, input)
        return replace(problem, classes=(), facts={**problem.facts, "identities": card.facts["identities"]})


class IdentityAnswers(EmbeddingAnswers, PictureAnswers):
    """Embeddings of pictures; the truth of a case is the number of the identity."""

    def embedded(self, problem: Problem) -> DataCard | None:
        """The turned digits, for models of grey pictures."""
        if problem.image.channels != 1:
            return None
        return turned_digits_card(DataSource(request=DataRequest(source=DIGITS), format=TURNED))

    def truth(self, sample: Any, pixels: Pixels, problem: Problem) -> int | None:  # noqa: ARG002
        """The number of the identity, where it is known."""
        return sample.label if sample.label >= 0 else None

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """roc_auc and the true accepts, over all pairs of known truth."""
        known = known_pairs(cases) if answers else None
        if known is None:
            return {}
        first, second, same = known
        curve = roc(similarities(stacked(vectors(answers)), first, second), same)
        return {"roc_auc": curve.area, "tar_at_far_1pct": curve.at(FAR)[0]}

    def facts(self, case: Case, answer: Arrays, problem: Problem) -> dict[str, Json]:  # noqa: ARG002
        """The length, which is one."""
        return {"length": float(np.linalg.norm(answer["embedding"]))}

    def calibrate(self, problem: Problem, metrics: Mapping[str, float]) -> Problem:
        """With the threshold that validation gave, and the false-accept rate that it stands for."""
        if "threshold" not in metrics:
            return problem
        return replace(problem, facts={**problem.facts, "threshold": metrics["threshold"], "far": FAR})

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        """The same with whether each pair is of one identity, by the threshold."""
        shown = super().compare(names, answers, problem, limit=limit)
        threshold = problem.facts.get("threshold")
        number = float(threshold) if isinstance(threshold, int | float) else None
        matched = matches([answer["embedding"] for answer in answers], number, limit)
        pairs: list[Json] = [
            {"a": names[a], "b": names[b], "similarity": score, "same": same} for a, b, score, same in matched
        ]
        facts = {name: problem.facts.get(name) for name in ("threshold", "far")}
        return replace(shown, record={**facts, "pairs": pairs})
