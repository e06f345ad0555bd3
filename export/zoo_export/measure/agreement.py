"""The task's own comparison of the answers of PyTorch and of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.api.task import Agreement, Case
from zoo.bundle.judge.evidence import CaseEvidence
from zoo_export.measure.outputs import Given
from zoo_export.subject.module_io import Array

Others = Callable[[int], Iterable[Mapping[str, Array]] | None]
"""(place of a case) -> other answers to it that are as right, because near-equal parts were chosen otherwise; None
where they are too many to say."""
Near = Callable[[int], Iterable[Mapping[str, Array]]]
"""(place of a case) -> PyTorch's answers to it where its own outputs are off by their noise."""


def noise_of(cases: Sequence[CaseEvidence]) -> dict[str, float]:
    """Per float output, PyTorch's own largest error over the gating cases."""
    noise: dict[str, float] = {}
    for case in cases:
        for output in case.outputs:
            if case.gates and output.torch is not None and output.torch.max is not None:
                noise[output.name] = max(noise.get(output.name, 0.0), output.torch.max)
    return noise


def agree(
    task: Task,
    cases: Sequence[Case],
    reference: Sequence[Mapping[str, Array]],
    given: Sequence[Given],
    *,
    problem: Problem,
    noise: Mapping[str, float],
    others: Others = lambda _: (),
    near: Near = lambda _: (),
) -> Agreement | None:
    """How the answers compare; None without items.  An item that the file cannot answer, or with no number, disagrees.

    A task looks for the largest score, and of scores that are no numbers the first is the largest.  A disagreeing item
    is undecided where the file gives an answer that is as right, or near PyTorch's, and unknown where those are too
    many to say; everything else is compared as if there were no such items.
    """
    if not cases:
        return None
    rows = zip(cases, reference, given, strict=True)
    failed = [f"{case.name}: {reason}" for case, right, one in rows if (reason := _unanswered(right, one))]
    if failed:
        return Agreement(items=len(cases), agreeing=0, undecided=0, disagreements=tuple(failed[:12]))
    candidate = [one for one in given if not isinstance(one, str)]
    found = task.answers.agreement(reference, candidate, cases=cases, noise=noise)
    if found.items != len(cases):
        sentence = f"{task.name} compared {found.items} of {len(cases)} answers"
        return replace(found, items=len(cases), agreeing=0, undecided=0, disagreements=(sentence,))
    found = replace(
        found,
        reference_metrics=task.answers.metrics(reference, cases, problem),
        candidate_metrics=task.answers.metrics(candidate, cases, problem),
    )
    if found.holds:
        return found

    def alike(place: int, right: Mapping[str, Array], one: Mapping[str, Array]) -> bool:
        alone = task.answers.agreement([right], [one], cases=[cases[place]], noise=noise)
        return alone.items == alone.agreeing == 1

    firm, unknown = [], 0
    for place, ours in enumerate(candidate):
        if alike(place, reference[place], ours):
            firm.append(place)
            continue
        more = others(place)
        if more is None:
            unknown += 1
        elif not any(alike(place, one, ours) for one in chain(more, near(place))):
            firm.append(place)
    if len(firm) == len(cases):
        return found
    chosen = [[rows[place] for place in firm] for rows in (reference, candidate, cases)]
    rest = task.answers.agreement(chosen[0], chosen[1], cases=chosen[2], noise=noise) if firm else found  # type: ignore[arg-type]
    return replace(
        found,
        agreeing=rest.agreeing if firm else 0,
        undecided=(rest.undecided if firm else 0) + len(cases) - len(firm),
        unknown=unknown,
        disagreements=rest.disagreements if firm else (),
    )


def _unanswered(right: Mapping[str, Array], given: Given) -> str:
    """Why the file has no answer: what the runtime said, or an output that is not finite where PyTorch's is."""
    if isinstance(given, str):
        return given
    broken = [name for name, one in given.items() if not _finite(one) and name in right and _finite(right[name])]
    return f"{', '.join(broken)} is not finite, PyTorch's is" if broken else ""


def _finite(values: Array) -> bool:
    return not np.issubdtype(values.dtype, np.floating) or bool(np.isfinite(values).all())
