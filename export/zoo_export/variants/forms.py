"""Variants in single precision: the proved pipeline for pictures of one size, or for batches, each with its verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import onnx

from zoo.api.errors import PluginError, Refused, UsageError
from zoo.api.task import Signature
from zoo.bundle.judge.evidence import File, MutantResult
from zoo.bundle.judge.form_rule import BATCH, FIXED, FormEvidence, WantedForms, judge_form
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.bundle.form import Form
from zoo_export.bundle.golden_files import golden_files
from zoo_export.bundle.variant import VariantGolden
from zoo_export.capture.capture import PIPELINE
from zoo_export.capture.onnx_graph import copy_of, describe, name_axes
from zoo_export.capture.torch_export import serialize
from zoo_export.measure.graph_run import Declared, GraphRun, judge_for
from zoo_export.measure.outputs import compare_case
from zoo_export.proof.prove import Progress, Proof, prove
from zoo_export.runtime.runs import load, run
from zoo_export.subject.results import Failed
from zoo_export.subject.subject import Subject, metadata
from zoo_export.variants.batch import (
    MUTANT_SIZES,
    Pictures,
    batch_golden,
    batch_pictures,
    batch_proof,
    run_batches,
)
from zoo_export.variants.batch_graph import AXIS, batch_graph, batch_signature
from zoo_export.variants.fixed_size import check_takes_pictures, fixed_subject
from zoo_export.variants.form_mutants import FormMutation, batch_mutations, fixed_size_mutations

MAX_SIDE: Final = 8_192
"""Pixels of a side: a proof runs PyTorch in double precision on such pictures."""
LARGE_WEIGHT: Final = 1_024
"""Bytes from which on a tensor is a weight."""


def check_forms(wanted: WantedForms) -> None:
    """What can be refused before anything is loaded."""
    for height, width in wanted.fixed_sizes:
        if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
            raise UsageError(f"--fixed-size is {height}x{width}; a side has 1 to {MAX_SIDE:,} pixels")


def check_inputs(subject: Subject, wanted: WantedForms) -> None:
    """What can be refused before anything is exported."""
    if wanted.fixed_sizes:
        check_takes_pictures(subject)


def make_forms(
    proof: Proof, wanted: WantedForms, *, golden_of_users: bool, progress: Progress = lambda _: None
) -> tuple[Form, ...]:
    """The variants that were asked for, each with its verdict; `golden_of_users` is as in `prove`."""
    forms = []
    for height, width in dict.fromkeys(wanted.fixed_sizes):
        name = f"{FIXED}{height}x{width}"
        progress(f"{name}: the whole proof, for pictures of this size")
        evidence = _evidence(proof, name)
        evidence = replace(evidence, kind="fixed size", method=f"captured for pictures of {height}x{width}")
        try:
            forms.append(_fixed(proof, evidence, {"height": height, "width": width}, golden_of_users=golden_of_users))
        except (Refused, PluginError) as error:
            forms.append(_refused(evidence, error))
    if wanted.batch:
        progress(f"{BATCH}: batches of pictures, each beside PyTorch's answer to it alone")
        try:
            forms.append(_batch(proof, _evidence(proof, BATCH)))
        except (Refused, PluginError) as error:
            forms.append(_refused(_evidence(proof, BATCH), error))
    return tuple(forms)


def _evidence(proof: Proof, name: str) -> FormEvidence:
    return FormEvidence(
        name=name,
        kind="batch",
        method=f"preprocess and postprocess of {PIPELINE} in a loop over the pictures, the model once on all of them",
        made_from=proof.exported.sha256,
    )


def _refused(evidence: FormEvidence, error: Refused | PluginError) -> Form:
    words = f"{error.message} ({error.hint})" if error.hint else error.message
    evidence = replace(evidence, refused=words)
    return Form(evidence=evidence, verdict=judge_form(evidence, published={}), files={})


def _one_file(proof: Proof) -> None:
    if proof.exported.weights is not None:
        raise Refused(f"{proof.subject.model} has its weights beside its graphs, and such a variant is a single file")


def _judged(proof: Proof, evidence: FormEvidence, data: bytes, golden: Sequence[VariantGolden], opset: int) -> Form:
    assert evidence.file is not None, "it was made"
    published = {**proof.exported.sha256, evidence.file.name: evidence.file.sha256}
    return Form(
        evidence=evidence,
        verdict=judge_form(evidence, published=published),
        files={evidence.file.name: data},
        golden=tuple(golden),
        opset=opset,
    )


def _with_file(evidence: FormEvidence, data: bytes, signature: Signature, runtime: Runtime) -> FormEvidence:
    """With what the file itself says: its bytes, its inputs, how many of its values have a dynamic shape."""
    name = f"variants/{evidence.name}/{PIPELINE}"
    inferred = onnx.shape_inference.infer_shapes(onnx.ModelProto.FromString(data), data_prop=True).graph
    values = [*inferred.value_info, *inferred.output]
    dynamic = [v for v in values if not all(dim.HasField("dim_value") for dim in v.type.tensor_type.shape.dim)]
    session = load(runtime, data, title=name)
    return replace(
        evidence,
        file=File(name=name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data)),
        signature=signature,
        inputs={} if isinstance(session, Failed) else {port.name: port.shape for port in session.inputs},
        dynamic=len(dynamic),
        values=len(values),
    )


# --- pictures of one size ---


def _fixed(proof: Proof, evidence: FormEvidence, sizes: dict[str, int], *, golden_of_users: bool) -> Form:
    _one_file(proof)
    subject = proof.subject
    fixed = fixed_subject(subject, sizes, proof.inputs.raw[0].inputs)
    opset = proof.exported.graph.shipped.model.opset_import[0].version
    again = prove(fixed, opset=opset, evaluate=0, golden_of_users=golden_of_users)
    data, folder = again.exported.files[PIPELINE], f"variants/{evidence.name}/"
    golden = [
        VariantGolden(
            record=replace(file.record, file=folder + file.record.file, graph=folder + PIPELINE), data=file.data
        )
        for file in golden_files(again)
        if file.record.graph == PIPELINE
    ]
    with Runtime(limits=Limits()) as runtime:
        evidence = replace(
            _with_file(evidence, data, fixed.pipeline_signature, runtime),
            proof=again.evidence,
            mutants=tuple(_fixed_mutant(again, mutation, runtime) for mutation in fixed_size_mutations(_model(data))),
        )
    return _judged(proof, evidence, data, golden, opset)


def _model(data: bytes) -> onnx.ModelProto:
    model: onnx.ModelProto = onnx.ModelProto.FromString(data)
    return model


def _fixed_mutant(proof: Proof, mutation: FormMutation, runtime: Runtime) -> MutantResult:
    """A mutant on the usual pictures; it is rejected where its inputs have another size, or an answer is wrong."""
    mutant = copy_of(proof.exported.file(PIPELINE).model)
    mutation.edit(mutant)
    session = load(runtime, mutant.SerializeToString(deterministic=True), title="a mutant")
    file = proof.exported.file(PIPELINE)
    shapes = {} if isinstance(session, Failed) else {port.name: port.shape for port in session.inputs}
    if any(shapes.get(port.name) != port.shape for port in file.signature.inputs):
        return MutantResult(name=mutation.name, applied=True, detail=mutation.detail, killed_by=("shape",))
    rows = list(zip(file.cases, proof.answers, proof.references[PIPELINE], strict=True))
    usual = [(case, mine, right) for case, mine, right in rows if case.gates and not isinstance(right, Failed)]
    exact = [compare_case(case, mine, right, file.signature, exact=True) for case, mine, right in usual]
    judge = judge_for(exact, file.signature, _declared(proof))
    right_before = [row for row, before in zip(usual, exact, strict=True) if not judge.failure(before)]
    for case, _, right in right_before:
        compared = compare_case(case, run(runtime, session, case.inputs), right, file.signature, exact=True)
        if compared.error or judge.failure(compared):
            return MutantResult(name=mutation.name, applied=True, detail=mutation.detail, killed_by=("pipeline",))
    return MutantResult(name=mutation.name, applied=True, detail=mutation.detail)


def _declared(proof: Proof) -> Declared:
    evidence = proof.evidence
    return Declared(opset=0, precision=evidence.reference.precision, waivers=evidence.waivers)


# --- batches ---


def _batch(proof: Proof, evidence: FormEvidence) -> Form:
    _one_file(proof)
    subject = proof.subject
    signature = batch_signature(subject)
    graph = batch_graph(proof.exported, subject, signature)
    opset = next(entry.version for entry in graph.opset_import if entry.domain in ("", "ai.onnx"))
    name_axes(graph, signature, subject.export.declared_arithmetic)
    describe(graph, metadata(subject, role="pipeline", opset=opset, exporter=f"{BATCH} of {PIPELINE}"))
    data = serialize(graph)
    with Runtime(limits=Limits()) as runtime:
        pictures = batch_pictures(proof, runtime)
        measured = run_batches(data, signature, pictures, proof, runtime)
        evidence = _with_file(evidence, data, signature, runtime)
        assert evidence.file is not None, "it was made"
        equal, other = _weights(graph, proof.exported.file(PIPELINE).model)
        evidence = replace(
            evidence,
            batches=measured.tried,
            batch_failures=measured.failures,
            weights=equal,
            other_weights=other,
            proof=batch_proof(measured, proof, name=evidence.file.name),
            mutants=tuple(
                _batch_mutant(graph, mutation, signature, pictures, proof=proof, runtime=runtime)
                for mutation in batch_mutations(graph)
            ),
        )
        golden = list(batch_golden(pictures, signature, proof, folder=f"variants/{BATCH}/"))
    return _judged(proof, evidence, data, golden, opset)


def _weights(graph: onnx.ModelProto, pipeline: onnx.ModelProto) -> tuple[int, tuple[str, ...]]:
    """How many tensors are those of the pipeline, and the names of the others and of large ones that are missing."""
    known = {tensor.name: tensor for tensor in pipeline.graph.initializer}
    held = {tensor.name: tensor for tensor in graph.graph.initializer if tensor.name != AXIS}
    other = [name for name, tensor in held.items() if name not in known or known[name] != tensor]
    missing = [name for name, tensor in known.items() if tensor.ByteSize() >= LARGE_WEIGHT and name not in held]
    return len(held) - len(other), (*other, *missing)


def _batch_mutant(
    graph: onnx.ModelProto,
    mutation: FormMutation,
    signature: Signature,
    pictures: Sequence[Pictures],
    *,
    proof: Proof,
    runtime: Runtime,
) -> MutantResult:
    """A mutant on a few batches; it is rejected where a batch or the answer to one of its pictures is wrong."""
    mutant = copy_of(graph)
    mutation.edit(mutant)
    data = mutant.SerializeToString(deterministic=True)
    measured = run_batches(data, signature, pictures[:1], proof, runtime, sizes=MUTANT_SIZES)
    killed = ["batches"] if measured.failures else []
    killed += ["pipeline"] if _fails(measured.run, proof) else []
    return MutantResult(name=mutation.name, applied=True, detail=mutation.detail, killed_by=tuple(killed))


def _fails(measured: GraphRun, proof: Proof) -> bool:
    rows = zip(measured.file.cases, measured.result.outputs, measured.references, strict=True)
    compared = [compare_case(case, actual, right, measured.file.signature) for case, actual, right in rows]
    judge = judge_for(compared, measured.file.signature, _declared(proof))
    return any(not case.error and judge.failure(case) for case in compared)
