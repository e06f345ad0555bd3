"""The pipeline for batches, measured: every picture of every batch against PyTorch's answer to it alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import onnx
import torch

from zoo.api.errors import Refused
from zoo.api.task import Case, Signature
from zoo.bundle.judge.evidence import BEYOND, RANGE, Determinism, Evidence, File, GraphEvidence
from zoo.bundle.judge.form_rule import BATCH
from zoo.bundle.runtime.golden_replay import golden_bytes
from zoo.bundle.runtime.manifest import GoldenCase, GoldenOutput
from zoo.bundle.sandbox.runtime import Runtime
from zoo.training.engine.threads import restored_torch
from zoo_export.bundle.golden_files import FOLDER, tolerance
from zoo_export.bundle.variant import VariantGolden
from zoo_export.capture.capture import PIPELINE, GraphFile
from zoo_export.capture.torch_export import serialize
from zoo_export.measure.graph import compare_cases
from zoo_export.measure.graph_run import GraphRun
from zoo_export.measure.onnx_facts import graph_facts
from zoo_export.proof.prove import Proof
from zoo_export.proof.references import pipeline_references
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.runtime.runs import MAX_BATCH_ELEMENTS, Loaded, load, run, run_one_by_one
from zoo_export.subject.batching import SPATIAL
from zoo_export.subject.golden_cases import OWN_DATA
from zoo_export.subject.results import Failed, RuntimeOutputs, RuntimeResult
from zoo_export.variants.fixed_size import stretched_to

SIZES: Final = (3, 1, 2, 8, 65)
"""Pictures in a batch; 65 only where so many numbers fit (`MAX_BATCH_ELEMENTS`)."""
FEW_SIZES: Final = (3, 1, 2)
"""Of pictures of the second size."""
PICTURES, FEW_PICTURES = 6, 3
MUTANT_SIZES: Final = (3, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Different pictures of one size, each with what is right for it."""

    cases: tuple[Case, ...]
    references: tuple[ReferenceOutputs | Failed, ...]
    sizes: tuple[int, ...]
    """Of the batches that are made of them."""

    def batch(self, count: int) -> list[int]:
        """Which picture stands at each position of a batch: one after the other, again and again."""
        return [index % len(self.cases) for index in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRun:
    """What a batch pipeline gave, picture by picture, with the batches that gave no answer for each of theirs."""

    run: GraphRun
    tried: tuple[int, ...]
    failures: tuple[str, ...]


@restored_torch()
@torch.no_grad()
def batch_pictures(proof: Proof, runtime: Runtime) -> tuple[Pictures, ...]:
    """The usual pictures of a proof, at their first size and at another; Refused where there are too few."""
    usual = [case for case in proof.inputs.raw if case.gates and case.kind not in BEYOND | {RANGE}]
    usual.sort(key=lambda case: case.origin == OWN_DATA)  # those that may travel first
    ports = proof.subject.pipeline_signature
    axes = {n: s for p in ports.inputs for n, s in zip(p.shape, usual[0].inputs[p.name].shape, strict=True)}
    first = {name: size for name, size in axes.items() if isinstance(name, str)}
    other = {name: size // 2 + 7 if name in SPATIAL else size for name, size in first.items()}
    groups: list[tuple[list[Case], tuple[int, ...]]] = [(_at_size(usual, ports, first, PICTURES), SIZES)]
    if other != first:
        groups.append((_at_size(usual, ports, other, FEW_PICTURES), FEW_SIZES))
    if min(len(cases) for cases, _ in groups) < 2:
        raise Refused(f"{proof.subject.model} has fewer than two different pictures to prove the order of a batch with")
    session = load(runtime, serialize(proof.exported.pipeline.preprocess), title="the preprocess")
    preprocess = partial(run_one_by_one, runtime, session)
    joined = [case for cases, _ in groups for case in cases]
    references = iter(pipeline_references(proof.subject, joined, preprocess))
    return tuple(
        Pictures(cases=tuple(cases), references=tuple(next(references) for _ in cases), sizes=sizes)
        for cases, sizes in groups
    )


def _at_size(cases: Sequence[Case], ports: Signature, sizes: dict[str, int], limit: int) -> list[Case]:
    """At most so many different ones, repeated or cut to these sizes."""
    words = "x".join(str(size) for size in sizes.values())
    different: dict[bytes, Case] = {}
    for case in cases:
        inputs = stretched_to(case.inputs, ports, sizes)
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(inputs[p.name]).tobytes() for p in ports.inputs)).digest()
        different.setdefault(
            digest, replace(case, name=f"{case.name} at {words}", inputs=inputs, truth=None, item=None)
        )
    return list(different.values())[:limit]


def run_batches(
    data: bytes,
    signature: Signature,
    pictures: Sequence[Pictures],
    proof: Proof,
    runtime: Runtime,
    *,
    sizes: Sequence[int] = (),
) -> BatchRun:
    """Every batch of the pictures, or those of these sizes; the answers are compared picture by picture."""
    session = load(runtime, data, title=f"the {BATCH} pipeline")
    cases: list[Case] = []
    references: list[ReferenceOutputs | Failed] = []
    outputs: list[RuntimeOutputs] = []
    tried, failures, repeated = list[int](), list[str](), list[bool]()
    for group in pictures:
        for size in [size for size in group.sizes if (size in sizes or not sizes) and _fits(group, size, proof)]:
            indices = group.batch(size)
            rows = _answers(runtime, session, [group.cases[index] for index in indices], signature, proof)
            tried.append(size)
            failures += [f"a batch of {size}: {row.reason}" for row in rows[:1] if isinstance(row, Failed)]
            if not repeated:  # the first batch once more
                again = _answers(runtime, session, [group.cases[index] for index in indices], signature, proof)
                repeated.append(all(map(_same, rows, again)))
            cases += [
                replace(group.cases[i], name=f"{group.cases[i].name}, {n} of {size}") for n, i in enumerate(indices, 1)
            ]
            references += [group.references[index] for index in indices]
            outputs += rows
    if not isinstance(session, Failed):
        runtime.close(session)
    file = GraphFile(
        name=PIPELINE,
        role="pipeline",
        data=data,
        model=onnx.ModelProto.FromString(data),
        sha256=hashlib.sha256(data).hexdigest(),
        signature=proof.subject.pipeline_signature,
        cases=tuple(cases),
        example={},
        guard_violations=(),
    )
    result = RuntimeResult(outputs=tuple(outputs), repeats_equal=repeated[0] if repeated else None)
    graph = GraphRun(file=file, references=tuple(references), result=result)
    return BatchRun(run=graph, tried=tuple(sorted(set(tried))), failures=tuple(failures))


def _fits(group: Pictures, size: int, proof: Proof) -> bool:
    """Whether the numbers of a batch fit: those of the pictures, as the model reads them, and of the answers."""
    largest = max(sum(value.size for value in case.inputs.values()) for case in proof.inputs.model[: len(group.cases)])
    own = sum(value.size for value in group.cases[0].inputs.values())
    return size <= max(FEW_SIZES) or size * (largest + own) <= MAX_BATCH_ELEMENTS


def _same(first: RuntimeOutputs, again: RuntimeOutputs) -> bool:
    if isinstance(first, Failed) or isinstance(again, Failed):
        return False
    return all(value.tobytes() == again[name].tobytes() for name, value in first.items())


def _answers(
    runtime: Runtime, session: Loaded, cases: Sequence[Case], signature: Signature, proof: Proof
) -> list[RuntimeOutputs]:
    """What one batch gave for each of its pictures, under the names that one picture has."""
    own = proof.subject.pipeline_signature
    names = list(zip((port.name for port in own.inputs), (port.name for port in signature.inputs), strict=True))
    answer = run(runtime, session, {to: np.stack([case.inputs[name] for case in cases]) for name, to in names})
    if isinstance(answer, Failed):
        return [answer] * len(cases)
    given = [(port.name, answer.get(to.name)) for port, to in zip(own.outputs, signature.outputs, strict=True)]
    short = [name for name, rows in given if rows is None or rows.shape[:1] != (len(cases),)]
    if short:
        return [Failed(f"{', '.join(short)} has no answer for each of the {len(cases)} pictures")] * len(cases)
    return [{name: rows[index] for name, rows in given if rows is not None} for index in range(len(cases))]


def batch_proof(measured: BatchRun, proof: Proof, *, name: str) -> Evidence:
    """The measurements as a proof of this file alone, by the reference of the whole proof."""
    file, result = measured.run.file, measured.run.result
    model = proof.evidence.graphs[0].determinism
    graph = GraphEvidence(
        name=PIPELINE,
        role="pipeline",
        sha256=file.sha256,
        cases=compare_cases(measured.run),
        facts=graph_facts(file.model, opset_asked=proof.exported.graph.shipped.opset_import[0].version, weights=None),
        determinism=None
        if result.repeats_equal is None or model is None
        else Determinism(torch_equal=model.torch_equal, runtime_equal=result.repeats_equal, repeats=2),
        outputs=tuple(port.name for port in file.signature.outputs),
    )
    files = (File(name=name, sha256=file.sha256, bytes=len(file.data)),)
    return replace(
        proof.evidence,
        subject=replace(proof.evidence.subject, files=files, scope="file"),
        graphs=(graph,),
        skew=(),
        lineage=None,
        labels=None,
        agreement=None,
        truth=None,
        mutants=(),
        golden=(),
        seconds={},
    )


def batch_golden(
    pictures: Sequence[Pictures], signature: Signature, proof: Proof, *, folder: str
) -> Iterator[VariantGolden]:
    """A batch of the pictures of each size that may travel, with the answers of double precision."""
    own = proof.subject.pipeline_signature
    for group in pictures:
        rows = [
            (case, expected)
            for case, expected in zip(group.cases, group.references, strict=True)
            if case.origin != OWN_DATA and not isinstance(expected, Failed)
        ][:3]
        if not rows:
            continue
        inputs = {
            to.name: np.stack([case.inputs[port.name] for case, _ in rows])
            for port, to in zip(own.inputs, signature.inputs, strict=True)
        }
        answers = {
            to.name: np.stack([expected.reference[port.name] for _, expected in rows])
            for port, to in zip(own.outputs, signature.outputs, strict=True)
        }
        outputs = [
            _widest(to.name, [tolerance(port.name, expected, PIPELINE, own, proof) for _, expected in rows])
            for port, to in zip(own.outputs, signature.outputs, strict=True)
        ]
        stem = f"batch-of-{len(rows)}-{'x'.join(map(str, rows[0][0].inputs[own.inputs[0].name].shape))}"
        record = GoldenCase(
            name=stem,
            file=f"{folder}{FOLDER}/{stem}.npz",
            graph=folder + PIPELINE,
            origin="; ".join(dict.fromkeys(case.origin or "synthetic" for case, _ in rows)),
            outputs=tuple(outputs),
        )
        yield VariantGolden(record=record, data=golden_bytes(inputs, answers))


def _widest(name: str, tolerances: Sequence[GoldenOutput]) -> GoldenOutput:
    """The tolerance of a stacked answer: that of the picture with the most noise."""
    if tolerances[0].compare != "tolerance":
        return replace(tolerances[0], name=name)
    return replace(
        tolerances[0], name=name, rms=max(t.rms or 0.0 for t in tolerances), max=max(t.max or 0.0 for t in tolerances)
    )
