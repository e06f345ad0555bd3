"""From the two graphs of a variant to numbers, in the sandboxed runtime; no verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from zoo.api.errors import SandboxError
from zoo.api.task import Agreement, Case, Signature
from zoo.bundle.judge.evidence import BEYOND
from zoo.bundle.judge.variant_evidence import Latency, OutputFidelity
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import Session
from zoo.models.outputs import Array
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.measure.agreement import noise_of
from zoo_export.proof.prove import Proof
from zoo_export.subject.batching import batch_name, batches, join
from zoo_export.subject.results import Failed, Outputs

HELD_OUT = 32
"""Evaluation items on which the outputs of the model are compared."""
BLOCKS, LEAST_BLOCKS, RUNS_A_BLOCK, TIMED_SECONDS = 40, 16, 5, 2.0
BATCH = 3
NOTHING_ALIKE_DB = -999.0
"""Of outputs with another shape, or that are not finite; JSON has no infinity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The proved fp32 graphs, and what they gave; every variant is compared with it."""

    proof: Proof
    inputs: tuple[Outputs, ...]
    """Held-out inputs of model.onnx, one item each."""
    outputs: tuple[Outputs, ...]
    """What model.onnx gave for them."""
    sized: tuple[tuple[Case, Outputs], ...]
    """Inputs of other shapes and batches, with the outputs of model.onnx."""
    items: tuple[Case, ...]
    """Evaluation items."""
    answers: tuple[Outputs, ...]
    """What pipeline.onnx gave for them."""

    @property
    def floats(self) -> tuple[str, ...]:
        """The float outputs of model.onnx."""
        return tuple(port.name for port in self.proof.subject.signature.outputs if port.dtype.startswith("float"))


def measure_baseline(proof: Proof, runtime: Runtime) -> Baseline:
    """The fp32 graphs run on held-out inputs, on other shapes and on the evaluation items."""
    subject, exported = proof.subject, proof.exported
    pipeline = subject.torch_pipeline()
    usual = [case for case in proof.inputs.model if case.gates and case.kind not in BEYOND]
    items = proof.inputs.items[:HELD_OUT]
    prepared: tuple[Outputs, ...] = tuple(pipeline.inputs(case.inputs) for case in items)
    inputs = prepared or tuple(case.inputs for case in usual)
    sized = [*usual, *_batch(inputs, subject.signature)]
    model = runtime.session(exported.files[MODEL], title=MODEL)
    whole = runtime.session(exported.files[PIPELINE], title=PIPELINE)
    return Baseline(
        proof=proof,
        inputs=inputs,
        outputs=tuple(runtime.run(model, given) for given in inputs),
        sized=tuple((case, runtime.run(model, case.inputs)) for case in sized),
        items=proof.inputs.items,
        answers=item_answers(runtime, whole, proof.inputs.items, subject.pipeline_signature),
    )


def _batch(inputs: Sequence[Outputs], signature: Signature) -> list[Case]:
    """Several items as one batch, where the model takes batches."""
    if batch_name(signature) is None:
        return []
    group = batches(inputs, signature, largest=BATCH)[0]
    joined = join([inputs[index] for index in group], signature.inputs)
    return [Case(name=f"a batch of {len(group)}", kind="size", inputs=joined)]


def item_answers(
    runtime: Runtime, session: Session, items: Sequence[Case], signature: Signature
) -> tuple[Outputs, ...]:
    """The answers of a pipeline to items; where one continues another, with the state that the other left."""
    state = signature.initial_state()
    answers: list[Outputs] = []
    for case in items:
        before = answers[-1] if case.continues and answers else None
        carried = {name: before[output] for name, output in signature.feedback.items()} if before else state
        answers.append(runtime.run(session, {**case.inputs, **carried}))
    return tuple(answers)


def agreement(baseline: Baseline, answers: Sequence[Outputs]) -> Agreement | None:
    """The task's own comparison with the fp32 answers."""
    if not baseline.items:
        return None
    graph = baseline.proof.evidence.graph(PIPELINE)
    noise = noise_of(graph.cases) if graph is not None else {}
    return baseline.proof.subject.task.answers.agreement(baseline.answers, answers, cases=baseline.items, noise=noise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A converted model.onnx on the held-out inputs, in two arithmetics."""

    actual: tuple[Outputs, ...]
    """As it runs."""
    in_float: tuple[Outputs, ...]
    """The same graph unoptimised: it rounds to the steps, but computes in float."""


def execute(runtime: Runtime, data: bytes, inputs: Sequence[Outputs], *, title: str) -> Executed | Failed:
    """A converted model run both ways; why it does not run, where that is so."""
    try:
        fast = runtime.session(data, title=title)
        plain = runtime.session(data, title=title, optimize=False)
        executed = Executed(
            actual=tuple(runtime.run(fast, given) for given in inputs),
            in_float=tuple(runtime.run(plain, given) for given in inputs),
        )
        for session in (fast, plain):
            runtime.close(session)
    except (RuntimeRefused, SandboxError) as error:
        return Failed(error.message)
    return executed


def fidelity(
    expected: Sequence[Outputs], actual: Sequence[Outputs], in_float: Sequence[Outputs], names: Sequence[str]
) -> tuple[OutputFidelity, ...]:
    """Per float output, how far the variant is from fp32, and how far from its own float arithmetic."""
    return tuple(_fidelity(name, expected, actual, in_float) for name in names)


def _fidelity(
    name: str, expected: Sequence[Outputs], actual: Sequence[Outputs], in_float: Sequence[Outputs]
) -> OutputFidelity:
    right, given, plain = (_flat(outputs, name) for outputs in (expected, actual, in_float))
    shaped = right.shape == given.shape == plain.shape and right.size > 0
    return OutputFidelity(
        name=name,
        inputs=len(expected),
        sqnr_db=sqnr(expected, actual, name) if shaped else None,
        precision_error=_rms(plain - right) if shaped else None,
        execution_error=_rms(given - plain) if shaped else None,
        scale=_rms(right) or 0.0,
    )


def sqnr(expected: Sequence[Outputs], actual: Sequence[Outputs], name: str) -> float | None:
    """Signal to noise in dB, the signal without its mean over the inputs; None without error, or without signal."""
    right, given = _flat(expected, name), _flat(actual, name)
    if right.shape != given.shape or not np.isfinite(given).all():
        return NOTHING_ALIKE_DB
    shapes = {outputs[name].shape for outputs in expected}
    rows = right.reshape(len(expected), -1) if len(shapes) == 1 else right.reshape(-1, 1)
    signal, noise = float(((rows - rows.mean(0)) ** 2).sum()), float(((given - right) ** 2).sum())
    return round(10 * math.log10(signal / noise), 3) if signal > 0 and noise > 0 else None


def _flat(outputs: Sequence[Outputs], name: str) -> Array:
    return np.concatenate([np.asarray(given[name], np.float64).ravel() for given in outputs])


def _rms(values: Array) -> float | None:
    value = float(np.sqrt(np.mean(values**2))) if values.size else 0.0
    return value if math.isfinite(value) else None


def other_sizes(runtime: Runtime, data: bytes, baseline: Baseline) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cases of other shapes at which outputs have the shape of fp32's, and a sentence for each other case."""
    try:
        session = runtime.session(data, title="the variant's model.onnx")
    except (RuntimeRefused, SandboxError) as error:
        return (), (error.message,)
    held, failures = [], []
    for case, expected in baseline.sized:
        try:
            outputs = runtime.run(session, case.inputs)
        except (RuntimeRefused, SandboxError) as error:
            failures.append(f"{case.name}: {error.message}")
            continue
        wrong = [n for n, value in expected.items() if n not in outputs or not _alike(value, outputs[n])]
        if wrong:
            failures.append(f"{case.name}: {', '.join(wrong)} has another shape, or numbers that are not finite")
        else:
            held.append(case.name)
    return tuple(held), tuple(failures)


def _alike(expected: Array, actual: Array) -> bool:
    same = expected.shape == actual.shape and expected.dtype == actual.dtype
    return same and (actual.dtype.kind != "f" or bool(np.isfinite(actual).all()) or not np.isfinite(expected).all())


def latency(baseline: bytes, variant: bytes, feeds: Mapping[str, Array], runtime: Runtime) -> Latency:
    """Both pipelines on one input in one process, in turns, in processor time."""
    sessions = [runtime.session(data, title=PIPELINE, timed=True) for data in (baseline, variant)]
    timing = runtime.time(
        sessions,
        feeds,
        blocks=BLOCKS,
        least=LEAST_BLOCKS,
        size=RUNS_A_BLOCK,
        seconds=TIMED_SECONDS,
        processor=True,  # on a busy machine a long run is interrupted more often than a short one
    )
    for session in sessions:
        runtime.close(session)
    before, after = ([min(block) for block in blocks] for blocks in timing.runs)
    return Latency(
        milliseconds=round(1e3 * float(np.median(after)), 4),
        baseline_milliseconds=round(1e3 * float(np.median(before)), 4),
        ratios=tuple(round(actual / fp32, 4) for fp32, actual in zip(before, after, strict=True)),
        threads=runtime.threads,
    )


def saturates(runtime: Runtime, probe: bytes, feeds: Mapping[str, Array], expected: Array) -> bool:
    """Whether the probe of saturation gives another sum than the right one."""
    session = runtime.session(probe, title="the probe of saturation")
    output = runtime.run(session, feeds)["sum"]
    runtime.close(session)
    return not np.array_equal(output, expected)


def saturation_probe(opset: int) -> tuple[bytes, dict[str, Array], Array]:
    """A graph of one product of unsigned with signed bytes, the largest there are, with an input and the right sum.

    Without VNNI a processor adds two products in 16 bits, which hold 32,767; the two here make 64,770.
    """
    helper = onnx.helper
    largest = np.full((64, 16), 127, np.int8)
    weights = helper.make_tensor("weights", onnx.TensorProto.INT8, [64, 16], largest.tobytes(), raw=True)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["bytes", "weights"], ["sum"], name="product")],
        "saturation",
        [helper.make_tensor_value_info("bytes", onnx.TensorProto.UINT8, [4, 64])],
        [helper.make_tensor_value_info("sum", onnx.TensorProto.INT32, [4, 16])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    data: bytes = model.SerializeToString(deterministic=True)
    feeds = {"bytes": np.full((4, 64), 255, np.uint8)}
    return data, feeds, np.full((4, 16), 64 * 255 * 127, np.int32)
