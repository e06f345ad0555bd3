"""Answers that are unit vectors: agreement, showing and comparing.  Torch-free."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from zoo.api.problem import Json, Problem
from zoo.api.task import Agreement, Case, Shown
from zoo.data.embedding.agreement import agreement, stacked
from zoo.data.embedding.compare import described, in_words, matches
from zoo.tasks.bases.items import with_truth

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class EmbeddingAnswers:
    """`embedding`, float32 [d] or [1, d], of unit length; a task adds `measured`."""

    no_classes = "an embedding has no classes"
    tells_same: ClassVar[bool] = False
    """Whether a comparison says which pairs are the same, by the threshold that validation gave."""

    def measured(self, embeddings: npt.NDArray[np.float64], truths: Sequence[Any]) -> Mapping[str, float]:
        """The metrics of unit vectors [n, d] whose truths are known."""
        raise NotImplementedError(f"{type(self).__name__} must say measured")

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

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """What `measured` says of the cases whose truth is known."""
        known = with_truth(answers, cases)
        if not known:
            return {}
        return self.measured(stacked(vectors([answer for answer, _ in known])), [case.truth for _, case in known])

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
        facts = problem.facts
        value = facts.get("threshold")
        threshold = float(value) if isinstance(value, int | float) else None
        matched = matches([answer["embedding"].reshape(-1) for answer in answers], threshold, limit)
        record: dict[str, Json] = {name: facts.get(name) for name in ("threshold", "far") if self.tells_same}
        record["pairs"] = [
            {"a": names[a], "b": names[b], "similarity": score, **({"same": same} if self.tells_same else {})}
            for a, b, score, same in matched
        ]
        return Shown(text=described(names, matched, facts), record=record)


def vectors(answers: Sequence[Arrays]) -> list[Arrays]:
    """The embedding of each answer, float32 [d]."""
    return [{"embedding": answer["embedding"].reshape(-1)} for answer in answers]
