"""Answers that are unit vectors: agreement, showing and comparing.  Torch-free."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.api.problem import Json, Problem
from zoo.api.task import Agreement, Case, Shown
from zoo.data.embedding.agreement import agreement
from zoo.data.embedding.compare import described, in_words, matches

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class EmbeddingAnswers:
    """`embedding`, float32 [d] or [1, d], of unit length."""

    no_classes = "an embedding has no classes"

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same directions, and the same pairs taken for one identity."""
        return agreement(vectors(reference), vectors(candidate), cases=cases, noise=noise)

    def facts(self, case: Case, answer: Arrays, problem: Problem) -> dict[str, Json]:  # noqa: ARG002  for overriding
        """What a record says beside the vector."""
        return {}

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  nothing is ranked
        """Size, length and the first numbers in words; all numbers as .npy."""
        values = answer["embedding"].reshape(-1)
        memory = io.BytesIO()
        np.save(memory, values, allow_pickle=False)
        numbers: list[Json] = [float(value) for value in values]
        record = {**self.facts(case, answer, problem), "embedding": numbers}
        return Shown(text=in_words(values), record=record, files={".npy": memory.getvalue()})

    def compare(self, names: Sequence[str], answers: Sequence[Arrays], problem: Problem, *, limit: int = 5) -> Shown:
        """How similar two answers are, or which are most similar to each; with a threshold, whether they are one."""
        value = problem.facts.get("threshold")
        threshold = float(value) if isinstance(value, int | float) else None
        matched = matches([answer["embedding"].reshape(-1) for answer in answers], threshold, limit)
        pairs: list[Json] = [{"a": names[a], "b": names[b], "similarity": score} for a, b, score, _ in matched]
        return Shown(text=described(names, matched, problem.facts), record={"pairs": pairs})


def vectors(answers: Sequence[Arrays]) -> list[Arrays]:
    """The embedding of each answer, float32 [d]."""
    return [{"embedding": answer["embedding"].reshape(-1)} for answer in answers]
