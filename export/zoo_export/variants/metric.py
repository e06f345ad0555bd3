"""How far the task's metric falls: on the same items for both, with a paired bootstrap of the items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.api.task import Case
from zoo.bundle.answer_metrics import answer_metrics
from zoo.bundle.judge.variant_evidence import MetricDrop
from zoo.models.outputs import Array
from zoo_export.subject.results import Failed, Outputs

RESAMPLES: Final = 1_000
RESAMPLES_AS_A_WHOLE: Final = 200
"""Of a metric that is no mean over items, and is computed anew each time."""
SEED: Final = 0
_Metric = Callable[[Sequence[Outputs], Sequence[Case]], float]


def metric_drop(
    task: Task, problem: Problem, cases: Sequence[Case], baseline: Sequence[Outputs], actual: Sequence[Outputs]
) -> MetricDrop | Failed:
    """The task's monitored metric of both answers to these items; why there is none, where that is so."""
    known = [index for index, case in enumerate(cases) if case.truth is not None]
    if not known:
        return Failed("there are no evaluation items with a known truth at hand, so that no loss can be measured")
    items = [replace(cases[index], inputs={}) for index in known]
    expected, answers = ([given[index] for index in known] for given in (baseline, actual))
    name = task.monitor.metric
    if name not in answer_metrics(task, expected, items, problem).metrics:
        return Failed(f"the task {task.name} has no {name} of single answers, so that no loss can be measured")

    def metric(given: Sequence[Outputs], of: Sequence[Case]) -> float:
        return answer_metrics(task, given, of, problem).metrics.get(name, float("nan"))

    sign = 1.0 if task.monitor.mode == "max" else -1.0
    before, after = metric(expected, items), metric(answers, items)
    drops = _resampled(metric, (expected, answers), items, (before, after))
    return MetricDrop(
        name=name,
        mode=task.monitor.mode,
        items=len(items),
        baseline=before,
        value=after,
        resampled=tuple(round(sign * float(drop), 9) + 0.0 for drop in drops),
    )


def _resampled(
    metric: _Metric, sides: Sequence[Sequence[Outputs]], items: Sequence[Case], wholes: Sequence[float]
) -> Array:
    """Baseline - variant over resampled items; `sides` are the answers of both, `wholes` their metrics."""
    rng, count = np.random.default_rng(SEED), len(items)
    singles = [np.array([metric([given], [case]) for given, case in zip(side, items, strict=True)]) for side in sides]
    if all(np.isclose(side.mean(), whole, rtol=1e-9) for side, whole in zip(singles, wholes, strict=True)):
        chosen = rng.integers(0, count, (RESAMPLES, count))
        means: Array = (singles[0] - singles[1])[chosen].mean(1)
        return means
    drops = []
    for _ in range(RESAMPLES_AS_A_WHOLE):
        rows = rng.integers(0, count, count)
        of = [items[row] for row in rows]
        expected, actual = (metric([side[row] for row in rows], of) for side in sides)
        drops.append(expected - actual)
    return np.array(drops)
