"""Does PyTorch's answer to an item depend on what else is in its batch?

Statistics of the batch, or a branch on its size, make it so; a device that asks for one item at a time then gets
another answer than the evaluation in batches did, and every graph is right for one of them only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.api.task import Case, Signature
from zoo_export.reference.backends import DISAGREE
from zoo_export.reference.oracle import Oracle, Runs, distance
from zoo_export.subject.batching import batches

SAME = 1e-6
"""Relative difference that double precision cannot make by adding up in another order."""


def company(oracle: Oracle, cases: Sequence[Case], runs: Sequence[Runs], signature: Signature) -> str:
    """What one item's answer is alone and beside others, in a sentence; empty where they are the same.

    `runs` are the oracle's, in which cases of one shape went through together.
    """
    groups = batches([case.inputs for case in cases], signature, largest=8)
    place = next((group[-1] for group in groups if len(group) > 1 and not runs[group[-1]].error), None)
    if place is None:
        return ""
    alone, beside = oracle.at(runs[place], cases[place].inputs), runs[place]
    allowed, pairs = SAME, [(alone.double, beside.double)]
    if alone.double is None or beside.double is None:
        single = oracle.runs([cases[place].inputs])[0].single.get("default", {})
        allowed, pairs = DISAGREE, [(single, beside.single["default"])]
    for one, other in pairs:
        for name, value in (one or {}).items():
            there = (other or {})[name]
            if not np.issubdtype(value.dtype, np.floating):
                continue
            apart = distance(value, there).max
            if apart is None or apart > allowed * float(np.abs(there).max(initial=0.0)):
                return (
                    f"PyTorch's own {name} to {cases[place].name} depends on what else is in the batch: alone it is "
                    f"another, by up to {'any amount' if apart is None else f'{apart:.2g}'}"
                )
    return ""
