"""Text embedding: data and answers.  Torch-free; the other half is in `tensors`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataSource
from zoo.api.errors import DataError
from zoo.api.problem import Json, Problem
from zoo.api.task import Case, Progress
from zoo.data.embedding.retrieval import retrieval
from zoo.data.text.encoding import decode
from zoo.tasks.bases.embeddings import EmbeddingAnswers
from zoo.tasks.bases.texts import TextAnswers, TextData

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class LabelledTextData(TextData):
    """Texts with labels, some of which train does not have."""

    has_classes = False

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every row or file read; DataError where a split has no two texts of one label, so that none can be found."""
        card = super().check(source, progress=progress)
        for split, items in card.splits.items():
            if items and max(Counter(item.label for item in items).values()) < 2:
                raise DataError(
                    f"no two {split} texts have the same label, so there is nothing to find",
                    hint="give each meaning a label, and at least two texts",
                )
        return card


class TextEmbeddingAnswers(EmbeddingAnswers, TextAnswers):
    """Embeddings of texts; the truth of a case is the label."""

    def measured(self, embeddings: npt.NDArray[np.float64], truths: Sequence[Any]) -> Mapping[str, float]:
        """retrieval_accuracy and the mean cosines of pairs of one label and of two."""
        return retrieval(embeddings, np.array(list(map(str, truths))))

    def facts(self, case: Case, answer: Arrays, problem: Problem) -> dict[str, Json]:  # noqa: ARG002
        """The text."""
        length = int(case.inputs["lengths"][0])
        return {"text": decode(case.inputs["tokens"][0, :length].tolist(), problem)}
