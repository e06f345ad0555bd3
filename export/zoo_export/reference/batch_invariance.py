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
from zoo_export.subject.batching import batches, group_size, join, split
from zoo_export.subject.results import Failed, Outputs

SAME = 1e-6
"""Relative difference that double precision cannot reach by summing in another order."""


def batch_dependence(oracle: Oracle, cases: Sequence[Case], runs: Sequence[BackendRuns | Failed]) -> str:
    """How one item's answer differs alone and in a batch, in a sentence; empty where it does not.

    `runs` are the oracle's, in which small cases of one shape went through together; of large ones two do so here.
    """
    inputs = [case.inputs for case in cases]
    last = [group[-1] for group in oracle.groups(inputs) if len(group) > 1]
    if not last:
        return _dependence_of_two(oracle, cases, runs)
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


def _dependence_of_two(oracle: Oracle, cases: Sequence[Case], runs: Sequence[BackendRuns | Failed]) -> str:
    """The same of the last two cases of one shape, in plain fp32."""
    pairs = batches([case.inputs for case in cases], oracle.signature, largest=2)
    for first, second in (pair for pair in reversed(pairs) if len(pair) == 2):
        alone = runs[second]
        if isinstance(alone, Failed):
            continue
        group = [cases[first].inputs, cases[second].inputs]
        sizes = [group_size(inputs, oracle.signature) for inputs in group]
        together = oracle.backends.run_single(DEFAULT, join(group, oracle.signature.inputs))
        batched = split(together, oracle.signature, sizes)[1]
        return _difference(cases[second], alone.single[DEFAULT], batched, allowed=max(DISAGREE, 8 * _noise(alone)))
    return ""


def _noise(runs: BackendRuns) -> float:
    """PyTorch's own largest error, as a share of the scale."""
    if runs.double is None:
        return 0.0
    single, double = runs.single[DEFAULT], runs.double.outputs
    floats = [name for name, value in single.items() if np.issubdtype(value.dtype, np.floating) and value.size]
    errors = ((distance(single[name], double[name]).max or 0.0, float(np.abs(single[name]).max())) for name in floats)
    return max((error / scale for error, scale in errors if scale), default=0.0)


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
