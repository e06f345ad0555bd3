"""From runs to evidence: one graph, its cases, what PyTorch says and what the runtime says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import onnx
import torch
from torch import nn

from zoo.api.task import Case, Signature
from zoo.bundle.judge.evidence import (
    Axes,
    Axis,
    CaseEvidence,
    Determinism,
    EvalMode,
    GraphEvidence,
    Magnitude,
    Waiver,
)
from zoo.bundle.judge.rule import Status, judge_output, usual_noise
from zoo_export.measure.onnx_facts import arithmetic, declared_axes, graph_facts
from zoo_export.measure.outputs import compare_case, liveness
from zoo_export.reference.oracle import Answer
from zoo_export.subject.batching import batch_name
from zoo_export.subject.module_io import call
from zoo_export.subject.results import Given, Trial

Answers = Sequence[Answer | str]
"""Per case what is right, or why PyTorch cannot say."""
Noise = Mapping[str, Magnitude | None]
"""Per output PyTorch's usual noise."""
Judge = Callable[[CaseEvidence], str]
"""What fails in a case; empty when nothing does."""


def eval_mode(module: nn.Module) -> EvalMode:
    """Which parts of the module are in training mode."""
    parts = [(path or "the module itself", part.training) for path, part in module.named_modules()]
    return EvalMode(modules=len(parts), training=tuple(path for path, training in parts if training))


def torch_repeats(module: nn.Module, cases: Sequence[Case], signature: Signature) -> bool:
    """Whether eager PyTorch gives the same bits under two seeds."""
    state = torch.random.get_rng_state()
    try:
        answers = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            answers.append([call(module, case.inputs, signature) for case in cases])
    finally:
        torch.random.set_rng_state(state)
    first, second = answers
    return all(
        one[name].tobytes() == two[name].tobytes() for one, two in zip(first, second, strict=True) for name in one
    )


def measure_graph(
    *,
    name: str,
    role: str,
    sha256: str,
    model: onnx.ModelProto,
    signature: Signature,
    cases: Sequence[Case],
    answers: Answers,
    trial: Trial,
    opset: int,
    torch_equal: bool,
    example: Mapping[str, tuple[int, ...]],
    declared_arithmetic: Sequence[str] = (),
    waivers: Sequence[Waiver] = (),
) -> GraphEvidence:
    """Everything measured about one graph."""
    compared = [
        compare_case(case, given, answer, signature)
        for case, given, answer in zip(cases, trial.given, answers, strict=True)
    ]
    pairs = [
        (answer, given)
        for place, (answer, given) in enumerate(zip(answers, trial.given, strict=True))
        if not isinstance(answer, str) and not isinstance(given, str) and _complete(given, signature)
        if not any(_same(cases[place], other) for other in cases[:place])  # the same input twice moves nothing
    ]
    return GraphEvidence(
        name=name,
        role="pipeline" if role == "pipeline" else "model",
        sha256=sha256,
        cases=tuple(compared),
        facts=graph_facts(model, opset_asked=opset),
        determinism=None
        if trial.equal is None
        else Determinism(torch_equal=torch_equal, runtime_equal=trial.equal, repeats=2),
        liveness=liveness(signature, [answer for answer, _ in pairs], [given for _, given in pairs]),
        axes=_axes(
            model,
            signature=signature,
            cases=cases,
            compared=compared,
            answers=answers,
            trial=trial,
            example=example,
            declared_arithmetic=declared_arithmetic,
            waivers=waivers,
        ),
        outputs=tuple(port.name for port in signature.outputs),
    )


def _same(one: Case, other: Case) -> bool:
    return one.inputs.keys() == other.inputs.keys() and all(
        np.array_equal(value, other.inputs[name]) for name, value in one.inputs.items()
    )


def _complete(given: Mapping[str, np.ndarray], signature: Signature) -> bool:
    return all(port.name in given for port in signature.outputs)


# --- axes ---


def _axes(
    model: onnx.ModelProto,
    *,
    signature: Signature,
    cases: Sequence[Case],
    compared: Sequence[CaseEvidence],
    answers: Answers,
    trial: Trial,
    example: Mapping[str, tuple[int, ...]],
    declared_arithmetic: Sequence[str],
    waivers: Sequence[Waiver],
) -> Axes:
    batch = batch_name(signature)
    gating = [output for case in compared if case.gates for output in case.outputs]
    usual = {p.name: usual_noise(one for one in gating if one.name == p.name) for p in signature.outputs}
    judge = partial(_wrong, usual=usual, waivers={waiver.output: waiver for waiver in waivers})
    by_batch = _batch_failures(signature, cases, answers, trial, judge)
    tested = []
    for port in signature.inputs:
        for index, axis in enumerate(port.shape):
            if not isinstance(axis, str):
                continue
            if axis == batch:
                sizes, failures = tuple(sorted(by_batch)), tuple(s for rows in by_batch.values() for s in rows)
            else:
                sizes, failures = _sizes(port.name, index, compared)
            tested.append(
                Axis(
                    input=port.name,
                    index=index,
                    name=axis,
                    tested=sizes,
                    example=example[port.name][index],
                    failures=failures,
                )
            )
    return Axes(
        tested=tuple(tested),
        arithmetic=arithmetic(model, declared_arithmetic),
        undeclared=declared_axes(model, signature),
        static="" if tested else "every input of this graph has one size",
    )


def _sizes(port: str, index: int, compared: Sequence[CaseEvidence]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sizes at which cases were compared, and what went wrong at any of them."""
    sizes, failures = set(), []
    for case in compared:
        if case.reference_error:
            continue
        size = case.inputs[port][index]
        sizes.add(size)
        broken = case.error or _wrong(case, usual={}, waivers={}, broken=True)
        if broken and case.gates:
            failures.append(f"size {size} ({case.name}): {broken}")
    return tuple(sorted(sizes)), tuple(failures)


def _batch_failures(
    signature: Signature, cases: Sequence[Case], answers: Answers, trial: Trial, judge: Judge
) -> dict[int, tuple[str, ...]]:
    found = {}
    for size, rows in trial.by_batch.items():
        sentences = [_batch_failure(cases[place], given, answers[place], signature, judge) for place, given in rows]
        found[size] = tuple(f"batch {size}: {sentence}" for sentence in dict.fromkeys(filter(None, sentences)))
    return found


def _batch_failure(case: Case, given: Given, answer: Answer | str, signature: Signature, judge: Judge) -> str:
    if isinstance(answer, str) or not case.gates:
        return given if isinstance(given, str) else ""
    compared = compare_case(case, given, answer, signature)
    return compared.error or judge(compared)


def _wrong(case: CaseEvidence, *, usual: Noise, waivers: Mapping[str, Waiver], broken: bool = False) -> str:
    """The first output that fails; with `broken` only for its shape, dtype or finiteness: the rest is parity's."""
    cells = [(one.name, judge_output(one, waivers.get(one.name), usual=usual.get(one.name))) for one in case.outputs]
    failed = [(name, cell) for name, cell in cells if cell.status == Status.FAIL and (cell.broken or not broken)]
    return next((f"{case.name}, {name}: {cell.why}" for name, cell in failed), "")
