"""What the answers of a bundle reach on items whose truth is known: as the task counts it, else in the usual measures.

A task of API 1 may have no metrics for answers.  Where the truth of an item is a class, a number or an array shaped
like one output, the usual measures need no task: accuracy, mean absolute error, root mean squared error, R².
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.api.task import Case

if TYPE_CHECKING:
    from zoo.api.task import Arrays

Floats = npt.NDArray[np.float64]


class Measured(NamedTuple):
    """The metrics of some answers."""

    metrics: dict[str, float]
    """By name."""
    stand_ins: tuple[str, ...]
    """Those that zoo computed, because the task does not."""


def answer_metrics(
    task: Task, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem, *, wanted: Iterable[str] = ()
) -> Measured:
    """The task's metrics of the answers; without any, those usual measures that are `wanted` by the task's own name.

    The task's monitor is always wanted.  Empty where no truth is known, or has another form.
    """
    own = {name: float(value) for name, value in task.answers.metrics(answers, cases, problem).items()}
    if own:
        return Measured(own, ())
    known = [(answer, case.truth) for answer, case in zip(answers, cases, strict=True) if case.truth is not None]
    names = dict.fromkeys((task.monitor.metric, *wanted))
    metrics = _usual(known, problem, names) if known else {}
    return Measured(metrics, tuple(metrics))


def _usual(known: Sequence[tuple[Arrays, Any]], problem: Problem, names: Iterable[str]) -> dict[str, float]:
    """The usual measures by the names that a task has for them."""
    answers, truths = zip(*known, strict=True)
    numbers, classes = _numbers(answers, truths), _classes(answers, truths, problem)
    metrics = {}
    for name in names:
        measure = _key(name)
        if measure in ACCURACIES and classes is not None:
            metrics[name] = float(np.mean(classes[0] == classes[1]))
        elif measure in ERRORS and numbers is not None:
            metrics[name] = ERRORS[measure](*numbers)
    return {name: value for name, value in metrics.items() if np.isfinite(value)}


def _key(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_").removeprefix("val_").removeprefix("test_")


# --- numbers ---


def _numbers(answers: Sequence[Arrays], truths: Sequence[Any]) -> tuple[Floats, Floats] | None:
    """Answers and truths, float64 [items, numbers]; None where no output, or more than one, has the truth's form."""
    try:
        wide = [np.asarray(truth, np.float64).reshape(-1) for truth in truths]
    except (TypeError, ValueError):
        return None
    fitting = [
        name
        for name, value in answers[0].items()
        if np.issubdtype(value.dtype, np.floating)
        and all(name in answer and answer[name].size == truth.size for answer, truth in zip(answers, wide, strict=True))
    ]
    if len(fitting) != 1 or len({truth.size for truth in wide}) != 1 or wide[0].size == 0:
        return None
    actual = [np.asarray(answer[fitting[0]], np.float64).reshape(-1) for answer in answers]
    return np.stack(actual), np.stack(wide)


def _r2(actual: Floats, truth: Floats) -> float:
    """The share of the variance that is explained, the mean over the numbers of an item."""
    error, spread = ((truth - actual) ** 2).sum(0), ((truth - truth.mean(0)) ** 2).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((1 - error / spread).mean())


def _mae(actual: Floats, truth: Floats) -> float:
    return float(np.abs(truth - actual).mean())


def _mse(actual: Floats, truth: Floats) -> float:
    return float(((truth - actual) ** 2).mean())


def _rmse(actual: Floats, truth: Floats) -> float:
    return float(np.sqrt(_mse(actual, truth)))


ERRORS: Final[Mapping[str, Callable[[Floats, Floats], float]]] = {
    "mae": _mae,
    "mean_absolute_error": _mae,
    "mse": _mse,
    "mean_squared_error": _mse,
    "rmse": _rmse,
    "root_mean_squared_error": _rmse,
    "r2": _r2,
    "r2_score": _r2,
}
ACCURACIES: Final = frozenset({"accuracy", "acc", "top1", "top_1"})


# --- classes ---


def _classes(answers: Sequence[Arrays], truths: Sequence[Any], problem: Problem) -> tuple[Any, Any] | None:
    """The chosen and the true classes, int64 [items]; None where no output, or more than one, chooses one class."""
    known = [_class_of(truth, problem) for truth in truths]
    if any(index is None for index in known):
        return None
    chosen = [name for name in answers[0] if all(_chosen(answer, name, problem) is not None for answer in answers)]
    if len(chosen) != 1:
        return None
    return np.array([_chosen(answer, chosen[0], problem) for answer in answers]), np.array(known)


def _class_of(truth: Any, problem: Problem) -> int | None:
    """The index of a class, given as such or by name."""
    if isinstance(truth, str):
        return problem.classes.index(truth) if truth in problem.classes else None
    array = np.asarray(truth)
    if array.size != 1 or not (np.issubdtype(array.dtype, np.integer) or array.dtype == bool):
        return None
    return int(array.reshape(-1)[0])


def _chosen(answer: Arrays, name: str, problem: Problem) -> int | None:
    """The class that an output chooses: the largest of a score for each, or one whole number."""
    value = answer.get(name)
    if value is None:
        return None
    if np.issubdtype(value.dtype, np.floating):
        return int(value.argmax()) if value.size == len(problem.classes) > 1 else None
    return int(value.reshape(-1)[0]) if value.size == 1 else None
