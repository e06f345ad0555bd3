"""The task's own comparison of the answers of PyTorch and of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.api.task import Agreement, Case
from zoo.bundle.judge.evidence import BEYOND, CaseEvidence, GraphEvidence
from zoo.models.outputs import Array
from zoo_export.subject.results import Failed, Outputs, RuntimeOutputs

Alternatives = Callable[[int], Iterable[Outputs] | Failed]
"""(index of a case) -> other answers to it that are as right, because a tie was decided in another way; a failure where
they are too many to say."""
WithinNoise = Callable[[int], Iterable[Outputs]]
"""(index of a case) -> PyTorch's answers to it where its own outputs are off by their noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementCases:
    """Cases with PyTorch's answers, and what else would be as right."""

    task: Task
    problem: Problem
    cases: Sequence[Case]
    reference: Sequence[Outputs]
    noise: Mapping[str, float]
    alternatives: Alternatives = lambda _: ()
    within_noise: WithinNoise = lambda _: ()

    def on(self, indices: Sequence[int]) -> AgreementCases:
        """These cases alone, in this order."""
        return replace(
            self,
            cases=[self.cases[index] for index in indices],
            reference=[self.reference[index] for index in indices],
            alternatives=lambda index: self.alternatives(indices[index]),
            within_noise=lambda index: self.within_noise(indices[index]),
        )

    def compared(self, actual: Sequence[Outputs]) -> Agreement:
        """The task's comparison as it is, and its metrics of both."""
        answers = self.task.answers
        agreement = answers.agreement(self.reference, actual, cases=self.cases, noise=self.noise)
        return replace(
            agreement,
            reference_metrics={
                **agreement.reference_metrics,
                **answers.metrics(self.reference, self.cases, self.problem),
            },
            candidate_metrics={**agreement.candidate_metrics, **answers.metrics(actual, self.cases, self.problem)},
        )


def noise_of(cases: Sequence[CaseEvidence]) -> dict[str, float]:
    """Per float output, PyTorch's own largest error over the gating cases."""
    noise: dict[str, float] = {}
    for case in cases:
        for output in case.outputs:
            if case.gates and case.kind not in BEYOND and output.torch is not None and output.torch.max is not None:
                noise[output.name] = max(noise.get(output.name, 0.0), output.torch.max)
    return noise


def measure_agreement(expected: AgreementCases, outputs: Sequence[RuntimeOutputs]) -> Agreement | None:
    """How the answers compare; None without items.  An item that the file cannot answer, or with no number, disagrees.

    A task looks for the largest score, and of scores that are no numbers the first is the largest.  A disagreeing item
    is undecided where the file gives an answer that is as right, or near PyTorch's, and unknown where those are too
    many to say; everything else is compared as if there were no such items.
    """
    count = len(expected.cases)
    if not count:
        return None
    rows = zip(expected.cases, expected.reference, outputs, strict=True)
    failures = [f"{case.name}: {reason}" for case, right, actual in rows if (reason := _no_answer(right, actual))]
    if failures:
        return Agreement(items=count, agreeing=0, undecided=0, disagreements=tuple(failures[:12]))
    answers = [actual for actual in outputs if not isinstance(actual, Failed)]
    try:
        agreement = expected.compared(answers)
    except Exception as error:  # a task expects answers of its own shapes
        unlike = [_unlike(*row) for row in zip(expected.cases, expected.reference, answers, strict=True)]
        if not any(unlike):
            raise
        sentence = f"{next(filter(None, unlike))} ({type(error).__name__}: {error})".splitlines()[0]
        return Agreement(items=count, agreeing=0, undecided=0, disagreements=(sentence,))
    if agreement.items != count:
        sentence = f"{expected.task.name} compared {agreement.items} of {count} answers"
        return replace(agreement, items=count, agreeing=0, undecided=0, disagreements=(sentence,))
    return agreement if agreement.holds else _without_ties(agreement, expected, answers)


def _without_ties(agreement: Agreement, expected: AgreementCases, answers: Sequence[Outputs]) -> Agreement:
    """The agreement over the items that are not excused, the others counted as undecided."""
    decided, unknown = [], 0
    for index, answer in enumerate(answers):
        if _agrees(expected, index, expected.reference[index], answer):
            decided.append(index)
            continue
        alternatives = expected.alternatives(index)
        if isinstance(alternatives, Failed):
            unknown += 1
        elif not any(
            _agrees(expected, index, right, answer) for right in chain(alternatives, expected.within_noise(index))
        ):
            decided.append(index)
    if len(decided) == len(answers):
        return agreement
    rest = expected.on(decided).compared([answers[index] for index in decided]) if decided else None
    return replace(
        agreement,
        agreeing=0 if rest is None else rest.agreeing,
        undecided=(0 if rest is None else rest.undecided) + len(answers) - len(decided),
        unknown=unknown,
        disagreements=() if rest is None else rest.disagreements,
    )


def _agrees(expected: AgreementCases, index: int, right: Outputs, answer: Outputs) -> bool:
    case = expected.cases[index]
    alone = expected.task.answers.agreement([right], [answer], cases=[case], noise=expected.noise)
    return alone.items == alone.agreeing == 1


def _no_answer(right: Outputs, actual: RuntimeOutputs) -> str:
    """Why the file has no answer: what the runtime said, or an output that is not finite where PyTorch's is."""
    if isinstance(actual, Failed):
        return actual.reason
    broken = [name for name, value in actual.items() if not _finite(value) and name in right and _finite(right[name])]
    return f"{', '.join(broken)} is not finite, PyTorch's is" if broken else ""


def _unlike(case: Case, right: Outputs, actual: Outputs) -> str:
    """How the shapes of an answer differ from those of PyTorch's, in a sentence; empty where they do not."""
    shapes = [
        (name, list(value.shape), list(actual[name].shape) if name in actual else "missing")
        for name, value in right.items()
    ]
    different = [f"{name} is {found} instead of {wanted}" for name, wanted, found in shapes if wanted != found]
    return f"{case.name}: {', '.join(different)}, and cannot be compared" if different else ""


def _finite(values: Array) -> bool:
    return not np.issubdtype(values.dtype, np.floating) or bool(np.isfinite(values).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAgreement:
    """The raw cases of the pipeline as the task compares them."""

    indices: tuple[int, ...]
    """The raw cases that gate and have a reference."""
    expected: AgreementCases
    """These cases, in this order, with the noise of answers of free length."""

    def measure(
        self, indices: Sequence[int], outputs: Sequence[RuntimeOutputs], *, noise: Mapping[str, float]
    ) -> Agreement | None:
        """Over those of the raw cases `indices` that gate; `outputs` are what a pipeline gave for `indices`."""
        position = {raw: at for at, raw in enumerate(self.indices)}
        rows = [(position[raw], actual) for raw, actual in zip(indices, outputs, strict=True) if raw in position]
        expected = self.expected.on([at for at, _ in rows])
        expected = replace(expected, noise={**noise, **expected.noise})
        return measure_agreement(expected, [actual for _, actual in rows])


def with_answers(
    graph: GraphEvidence, raw: RawAgreement, indices: Sequence[int], outputs: Sequence[RuntimeOutputs]
) -> GraphEvidence:
    """With the task's comparison of the outputs for these raw cases, where only the task can compare them."""
    if not any(output.compare == "agreement" for case in graph.cases for output in case.outputs):
        return graph
    return replace(graph, answers=raw.measure(indices, outputs, noise=noise_of(graph.cases)))
