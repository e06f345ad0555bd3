"""Mutants of an input that the model does not read: they compute the same function, whatever they make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import onnx

from zoo.api.task import Case
from zoo.bundle.judge.evidence import MutantResult
from zoo.bundle.judge.gates import is_killed
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline, without_state
from zoo_export.controls.mutants import Mutant, NotApplied
from zoo_export.subject.ranges import is_range

MAX_CASES: Final = 4


def with_equivalence(
    scored: Sequence[MutantResult],
    mutants: Mapping[str, Mutant | NotApplied],
    original: onnx.ModelProto,
    *,
    pipeline: TorchPipeline,
    cases: Sequence[Case],
) -> tuple[MutantResult, ...]:
    """The results; a survivor that only touches inputs which PyTorch itself does not read is equivalent."""
    surviving = [result.name for result in scored if result.applied and not is_killed(result)]
    touched = {
        name: _touched(original, mutant.model)
        for name in surviving
        if isinstance(mutant := mutants[name], Mutant) and mutant.role == "pipeline"
    }
    if not any(touched.values()):
        return tuple(scored)
    unread = unread_inputs(pipeline, cases)
    return tuple(
        replace(result, equivalence=f"PyTorch's own answers do not depend on {', '.join(sorted(inputs))}")
        if (inputs := touched.get(result.name)) and inputs <= unread and not result.equivalence
        else result
        for result in scored
    )


def unread_inputs(pipeline: TorchPipeline, cases: Sequence[Case]) -> frozenset[str]:
    """Inputs of the pipeline whose values change no bit of PyTorch's answer to any of a few cases."""
    usual = [case for case in cases if case.gates and not is_range(case)][:MAX_CASES]
    names = [port.name for port in without_state(pipeline.signature).inputs]
    return frozenset(name for name in names if usual and all(_same(pipeline, case.inputs, name) for case in usual))


def _same(pipeline: TorchPipeline, inputs: Mapping[str, Array], name: str) -> bool:
    """Whether ones, which every input may hold, give the same answer as the input's own values."""
    try:
        before, after = pipeline(inputs), pipeline({**inputs, name: np.ones_like(inputs[name])})
    except Exception:  # the model reads it, or it would not mind
        return False
    return all(np.array_equal(value, after[output]) for output, value in before.items())


def _touched(original: onnx.ModelProto, mutated: onnx.ModelProto) -> frozenset[str]:
    """Inputs of the graph that a node no longer reads, and those that only new nodes read."""
    names = {value.name for value in original.graph.input}
    readers = {name: (_readers(original, name), _readers(mutated, name)) for name in names}
    return frozenset(name for name, (before, after) in readers.items() if before - after or (after and not before))


def _readers(model: onnx.ModelProto, name: str) -> frozenset[bytes]:
    return frozenset(node.SerializeToString(deterministic=True) for node in model.graph.node if name in node.input)
