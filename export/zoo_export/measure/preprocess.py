"""What a file's preprocess makes of a raw input, against the training-time preprocess, in grey levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zoo.api.problem import ImageInput, Problem
from zoo.bundle.judge.evidence import CaseEvidence, Prepared
from zoo.models.outputs import Array
from zoo_export.subject.results import Outputs

MAX_ROUNDING_SHARE = 2e-3
"""Largest share of a preprocessed picture's values whose rounding may depend on the kernel (measured: 2.3e-4)."""


def compare_preprocessed(actual: Outputs, expected: Outputs, problem: Problem) -> Prepared | None:
    """The file's own preprocessed picture against the training-time one; None where there is no picture."""
    differences = _level_differences(actual, expected, problem)
    if differences is None:
        return None
    return Prepared(
        against="training",
        elements=int(differences.size),
        differing=int(np.count_nonzero(differences > 0.5)),
        far=int(np.count_nonzero(differences > 1.25)),
    )


def differs_by_rounding(actual: Outputs, expected: Outputs, problem: Problem) -> bool:
    """Whether the file's preprocessed picture is the training-time one but for a few pixels, one whole level off.

    A preprocess rounds to whole levels.  Two resizing kernels differ by up to 0.011 levels before they round (PyTorch's
    own fp32 and fp64 by 0.006), so a pixel near a half is rounded either way, and both pictures are as right.
    """
    differences = _level_differences(actual, expected, problem)
    if differences is None or not differences.size:
        return False
    share = float(np.mean(differences > 0.5))
    whole = bool(np.all(np.abs(differences - np.round(differences)) < 0.01))
    return 0 < share <= MAX_ROUNDING_SHARE and whole and float(differences.max()) < 1.5


def _level_differences(actual: Outputs, expected: Outputs, problem: Problem) -> Array | None:
    if not isinstance(problem.input, ImageInput):
        return None
    if any(actual[name].shape != value.shape for name, value in expected.items()):
        return np.full(sum(value.size for value in expected.values()), np.inf)
    std = np.asarray(problem.input.std, dtype=np.float64).reshape(1, -1, 1, 1) * 255.0
    levels = [(np.abs(actual[name] - value) * std).ravel() for name, value in expected.items() if value.ndim == 4]
    return np.concatenate(levels) if levels else None


def with_preprocessed(
    cases: Sequence[CaseEvidence], preprocessed: Sequence[Prepared | None]
) -> tuple[CaseEvidence, ...]:
    """The cases with their preprocessed pictures; the last cases may have none."""
    pictures = [() if prepared is None else (prepared,) for prepared in preprocessed]
    first = [replace(case, prepared=prepared) for case, prepared in zip(cases, pictures, strict=False)]
    return (*first, *cases[len(first) :])
