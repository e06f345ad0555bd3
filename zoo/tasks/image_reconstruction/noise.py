"""The noise beside the pictures of cases, for models that take any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from zoo.api.task import Case, Purpose


def with_noise(cases: Iterable[Case], size: int, purpose: Purpose) -> Iterator[Case]:
    """The cases with `noise`: zeros for evaluation items, so that the mean is measured, else a draw for each."""
    shape = (1, size) if purpose is Purpose.MODEL else (size,)
    for number, case in enumerate(cases):
        noise = np.random.default_rng(100 + number).standard_normal(shape, np.float32)
        zeros = purpose is Purpose.EVALUATION or case.kind == "zeros"
        yield replace(case, inputs={**case.inputs, "noise": np.zeros(shape, np.float32) if zeros else noise})
