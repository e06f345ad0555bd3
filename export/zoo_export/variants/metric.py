"""How far the task's metric falls: on the same items for both, with a paired bootstrap of the items."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.api.task import Case, ResampledMetrics
from zoo.bundle.answer_metrics import answer_metrics
from zoo.bundle.judge.variant_evidence import MetricDrop
from zoo.models.outputs import Array
from zoo_export.subject.results import Failed, Outputs

RESAMPLES: Final = 1_000
RESAMPLES_AS_A_WHOLE: Final = 200
"""Of a metric that is no mean over items."""
SEED: Final = 0
_Measure = Callable[[Sequence[int]], float]
"""Of indices of items, each as often as it was drawn: the metric of one side's answers to them."""


def metric_drop(
    task: Task, problem: Problem, cases: Sequence[Case], baseline: Sequence[Outputs], actual: Sequence[Outputs]
) -> MetricDrop | Failed:
    """The task's monitored metric of both answers to these items; why there is none, where that is so."""
    known = [index for index, case in enumerate(cases) if case.truth is not None]
    if not known:
        return Failed("there are no evaluation items with a known truth at hand, so that no loss can be measured")
    items = [replace(cases[index], inputs={}) for index in known]
    sides = [[given[index] for index in known] for given in (baseline, actual)]
    name, whole = task.monitor.metric, range(len(items))
    if name not in answer_metrics(task, sides[0], items, problem).metrics:
        return Failed(f"the task {task.name} has no {name} of single answers, so that no loss can be measured")
    plain = [_plain(task, problem, side, items) for side in sides]
    before, after = (measure(whole) for measure in plain)
    fast = [_resampling(task, problem, side, items) for side in sides]
    for expected, measure in zip((before, after), fast, strict=True):
        if measure is not None and not np.isclose(measure(whole), expected, rtol=1e-9, equal_nan=True):
            words = f"{measure(whole):.6g} as its resampled_metrics has it and {expected:.6g} as its metrics has it"
            return Failed(f"the task {task.name} gives two values of {name} for the same answers: {words}")
    drops = _mean_drops(plain, len(items), (before, after)) if None in fast else None
    if drops is None:
        drops = _whole_drops([quick or slow for quick, slow in zip(fast, plain, strict=True)], len(items))
    sign = 1.0 if task.monitor.mode == "max" else -1.0
    return MetricDrop(
        name=name,
        mode=task.monitor.mode,
        items=len(items),
        baseline=before,
        value=after,
        resampled=tuple(round(sign * float(drop), 9) + 0.0 for drop in drops),
    )


def _plain(task: Task, problem: Problem, answers: Sequence[Outputs], items: Sequence[Case]) -> _Measure:
    """The metric computed anew for every selection."""

    def measure(indices: Sequence[int]) -> float:
        chosen, of = [answers[index] for index in indices], [items[index] for index in indices]
        return answer_metrics(task, chosen, of, problem).metrics.get(task.monitor.metric, math.nan)

    return measure


def _resampling(task: Task, problem: Problem, answers: Sequence[Outputs], items: Sequence[Case]) -> _Measure | None:
    """The same by the task's own `resampled_metrics`; None where it has none."""
    if not isinstance(task.answers, ResampledMetrics):
        return None
    measure = task.answers.resampled_metrics(answers, items, problem)
    return lambda indices: measure(indices).get(task.monitor.metric, math.nan)


def _mean_drops(measures: Sequence[_Measure], count: int, wholes: Sequence[float]) -> Array | None:
    """Baseline - variant over resampled items, of a metric that is the mean of its items'; None of another metric."""
    singles = [np.array([measure([index]) for index in range(count)]) for measure in measures]
    if not all(np.isclose(side.mean(), whole, rtol=1e-9) for side, whole in zip(singles, wholes, strict=True)):
        return None
    chosen = np.random.default_rng(SEED).integers(0, count, (RESAMPLES, count))
    means: Array = (singles[0] - singles[1])[chosen].mean(1)
    return means


def _whole_drops(measures: Sequence[_Measure], count: int) -> Array:
    """The same of any metric: it is computed of each selection as a whole."""
    rng, drops = np.random.default_rng(SEED), []
    for _ in range(RESAMPLES_AS_A_WHOLE):
        chosen = rng.integers(0, count, count).tolist()
        expected, actual = (measure(chosen) for measure in measures)
        drops.append(expected - actual)
    return np.array(drops)
