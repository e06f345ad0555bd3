"""Does PyTorch's answer to an item depend on what else is in its batch?

Statistics of the batch, or a branch on its size, make it so.  A device that runs one item at a time then gives another
answer than the evaluation in batches did, and every graph is right for one of the two only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.api.task import Case
from zoo_export.reference.backends import DEFAULT, DISAGREE
from zoo_export.reference.oracle import BackendRuns, Oracle, distance
from zoo_export.subject.batching import batches
from zoo_export.subject.results import Failed, Outputs

SAME = 1e-6
"""Relative difference that double precision cannot reach by summing in another order."""


def batch_dependence(oracle: Oracle, cases: Sequence[Case], runs: Sequence[BackendRuns | Failed]) -> str:
    """How one item's answer differs alone and in a batch, in a sentence; empty where it does not.

    `runs` are the oracle's, in which cases of one shape went through together.
    """
    groups = batches([case.inputs for case in cases], oracle.signature, largest=8)
    last = [group[-1] for group in groups if len(group) > 1]
    index, batched = next(((i, run) for i in last if not isinstance(run := runs[i], Failed)), (None, None))
    if index is None or batched is None:
        return ""
    case = cases[index]
    if batched.double is not None:
        alone = oracle.backends.run_double(case.inputs) or {}
        return _difference(case, alone, batched.double.outputs, allowed=SAME)
    single = oracle.run(case.inputs)
    alone = {} if isinstance(single, Failed) else single.single[DEFAULT]
    return _difference(case, alone, batched.single[DEFAULT], allowed=DISAGREE)


def _difference(case: Case, alone: Outputs, batched: Outputs, *, allowed: float) -> str:
    for name, value in alone.items():
        if not np.issubdtype(value.dtype, np.floating):
            continue
        largest = distance(value, batched[name]).max
        if largest is None or largest > allowed * float(np.abs(batched[name]).max(initial=0.0)):
            return (
                f"PyTorch's own {name} to {case.name} depends on what else is in the batch: alone it is "
                f"another, by up to {'any amount' if largest is None else f'{largest:.2g}'}"
            )
    return ""
