"""Is a bundle what zoo makes of its run?  Everything in it that the measuring does not look at, derived anew.

A bundle can be edited where no case looks: another operator behind a key that nobody turns, wide tolerances, golden
answers that nobody computed.  Each is compared with its own derivation; what a person runs or opens is compared
without torch as well, in `zoo.bundle.runtime.code_check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import onnx

from zoo.api.data import counted
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.parity_rule import K, Status
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.bundled_self_test import difference, roll_out
from zoo.bundle.runtime.code_check import zoo_version
from zoo.bundle.runtime.golden_replay import MIN_GOLDEN, stored_arrays
from zoo.bundle.runtime.manifest import GoldenCase
from zoo.models.outputs import Array
from zoo.models.pipeline import TorchPipeline, without_state
from zoo.registry.discovery import same_name
from zoo.runs.serialization import to_json
from zoo_export.bundle.golden_files import golden_files, tolerance
from zoo_export.bundle.write import manifest_of
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.compose import rename
from zoo_export.capture.onnx_graph import PREFIX, copy_of, nodes
from zoo_export.proof.prove import Proof
from zoo_export.reference.backends import DEFAULT, in_double
from zoo_export.reference.oracle import BackendRuns, DoubleOutputs, reference_outputs
from zoo_export.subject.results import Failed

FACTS = (
    "model",
    "task",
    "problem",
    "model_signature",
    "pipeline_signature",
    "postprocess",
    "opset",
    "licences",
    "metrics",
)
"""Fields of a manifest that follow from the subject."""
OF_A_VERSION = frozenset(f"{PREFIX}{key}" for key in ("schema", "plugin", "input", "problem_sha256"))
"""Metadata that another version of zoo writes otherwise; `zoo.bundle.runtime.bundle` compares it with the manifest."""
WIDE = K
"""How many times as wide as here a stored tolerance may be: noise differs between machines."""


def rederive(bundle: Bundle, proof: Proof) -> Finding:
    """Manifest, operators and golden cases against their own derivation; what cannot be compared warns."""
    wrong = [*_facts(bundle, proof), *_golden(bundle, proof)]
    unknown = []
    same_zoo = bundle.manifest.zoo == zoo_version()
    others = f"written by zoo {bundle.manifest.zoo}, not {zoo_version()}"
    for name in (MODEL, PIPELINE):
        file, fresh = proof.exported.file(name).model, proof.exported.derived(name).model
        if _exporter(file) != _exporter(fresh):
            unknown.append(f"the operators of {name}, written by {_exporter(file) or 'nobody'}, not {_exporter(fresh)}")
        elif same_zoo:
            wrong += [f"{name}: {sentence}" for sentence in unlike(file, fresh)]
        elif any(unlike(file, fresh, but=OF_A_VERSION)):
            unknown.append(f"the operators of {name}, {others}")
    if wrong:
        return Status.FAIL, "; ".join(wrong[:4]) + (f"; and {len(wrong) - 4} more" if len(wrong) > 4 else "")
    if unknown:
        return Status.WARN, f"not compared: {'; '.join(unknown)}"
    return Status.PASS, "manifest, operators and golden cases are those that zoo derives anew"


def _facts(bundle: Bundle, proof: Proof) -> Iterator[str]:
    stored = to_json(bundle.manifest)
    derived = to_json(manifest_of(proof, {}, (), "PASS"))
    unknown = {"postprocess"} if bundle.file.schema == 1 and not bundle.manifest.postprocess else set()
    if same_name(bundle.manifest.model, proof.subject.model):  # its plugin may have had another name then
        stored["model"] = derived["model"]
    if bundle.manifest.zoo != zoo_version():
        for manifest in (stored, derived):
            _drop_docs(manifest)
    for field in FACTS:
        if field not in unknown and stored[field] != derived[field]:
            target = proof.subject.lineage.target or proof.subject.model
            yield f"the manifest's {field.replace('_', ' ')} is not that of {target}"


def _drop_docs(manifest: dict[str, Any]) -> None:
    """Take out what ports say for people: another version may say the same in other words."""
    for signature in (manifest["model_signature"], manifest["pipeline_signature"]):
        for port in (*signature["inputs"], *signature["outputs"]):
            port["doc"] = ""


# --- operators ---


def _exporter(model: onnx.ModelProto) -> str:
    return next((entry.value for entry in model.metadata_props if entry.key == f"{PREFIX}exporter"), "")


def unlike(file: onnx.ModelProto, fresh: onnx.ModelProto, *, but: frozenset[str] = frozenset()) -> Iterator[str]:
    """The first differences of a file from the fresh export: operators, settings, ports, metadata.

    The metadata whose keys are in `but` may differ.
    """
    expected, actual = _renumbered(fresh, but), _renumbered(file, but)
    for what, entries, others in (
        ("inputs", expected.graph.input, actual.graph.input),
        ("outputs", expected.graph.output, actual.graph.output),
        ("opsets", expected.opset_import, actual.opset_import),
        ("metadata", expected.metadata_props, actual.metadata_props),
        ("functions", expected.functions, actual.functions),
    ):
        if [entry.SerializeToString(deterministic=True) for entry in entries] != [
            entry.SerializeToString(deterministic=True) for entry in others
        ]:
            yield f"its {what} are not those of a fresh export"
    nodes_expected, nodes_actual = list(expected.graph.node), list(actual.graph.node)
    for index, (right, node) in enumerate(zip(nodes_expected, nodes_actual, strict=False)):
        if right.SerializeToString(deterministic=True) != node.SerializeToString(deterministic=True):
            kinds = f"{node.op_type}, is not the {right.op_type}"
            yield f"its operator {index}, {kinds} of a fresh export, or set otherwise"
            return
    if len(nodes_expected) != len(nodes_actual):
        yield f"it has {counted(len(nodes_actual), 'operator')}, a fresh export {len(nodes_expected)}"


def other_operators(proof: Proof, name: str) -> str:
    """Of a single file that says it is an export of zoo by this exporter: how its operators differ from a fresh one's.

    Empty where they do not, and for files from elsewhere, which have operators of their own.
    """
    file, fresh = proof.exported.file(name).model, proof.exported.derived(name).model
    if not _exporter(file) or _exporter(file) != _exporter(fresh):
        return ""
    metadata = frozenset(entry.key for model in (file, fresh) for entry in model.metadata_props)
    return "; ".join(unlike(file, fresh, but=metadata))


def _renumbered(model: onnx.ModelProto, but: frozenset[str]) -> onnx.ModelProto:
    """A copy whose inner values are numbered and whose nodes have no names: an exporter may choose other ones."""
    copied = copy_of(model)
    kept = {value.name for value in copied.graph.output}
    numbers: dict[str, str] = {}
    for node in nodes(copied.graph):
        for name in node.output:
            if name and name not in kept:
                numbers.setdefault(name, f"value {len(numbers)}")
    rename(copied.graph, lambda name: numbers.get(name, name))
    for node in nodes(copied.graph):
        node.name = ""
    entries = sorted((entry.key, entry.value) for entry in copied.metadata_props if entry.key not in but)
    del copied.metadata_props[:]
    for key, value in entries:
        copied.metadata_props.add(key=key, value=value)
    return copied


# --- golden cases ---


def _golden(bundle: Bundle, proof: Proof) -> Iterator[str]:
    single = proof.subject.torch_pipeline()
    double = None
    if proof.evidence.reference.kind == "fp64":
        precision, example = proof.evidence.reference.precision, proof.inputs.model[0].inputs
        module = in_double(single.model, single.model_signature, example, precision=precision)
        double = None if isinstance(module, Failed) else single.in_double(module)
    written, fresh = bundle.manifest.golden, list(golden_files(proof))
    if bundle.file.schema != 1 and len(written) < min(MIN_GOLDEN, len(fresh)):  # 0.1 wrote fewer
        yield f"it has {len(written)} of at least {min(MIN_GOLDEN, len(fresh))} golden cases"
    for case in written:
        yield from _golden_case(bundle, case, single, double, proof)


def _golden_case(
    bundle: Bundle, case: GoldenCase, single: TorchPipeline, double: TorchPipeline | None, proof: Proof
) -> Iterator[str]:
    inputs, stored = (stored_arrays(bundle.path, case, prefix=prefix, read=bundle.read) for prefix in ("in.", "out."))

    def answers(pipeline: TorchPipeline) -> dict[str, Array]:
        step = pipeline.outputs if case.graph == MODEL else pipeline.with_margin
        return roll_out(step, inputs, steps=case.steps, feedback=case.feedback)

    wide = None if double is None else DoubleOutputs(outputs=answers(double))
    expected = reference_outputs(BackendRuns(double=wide, single={DEFAULT: answers(single)}))
    assert not isinstance(expected, Failed), "runs give outputs"
    signature = single.model_signature if case.graph == MODEL else single.signature
    toleranced = without_state(signature) if case.feedback else signature
    missing = {port.name for port in toleranced.outputs} - {output.name for output in case.outputs}
    if missing:
        yield f"the golden case {case.name} leaves out {', '.join(sorted(missing))}"
    for output in case.outputs:
        allowed = tolerance(output.name, expected, case.graph, signature, proof)
        wrong = difference(stored[output.name], expected.reference[output.name], to_json(allowed))
        if wrong:
            yield f"the golden answer of {case.name}, {output.name}, is not the model's: it {wrong}"
        if output.compare != allowed.compare or not (
            (output.rms or 0.0) <= WIDE * (allowed.rms or 0.0) and (output.max or 0.0) <= WIDE * (allowed.max or 0.0)
        ):
            yield f"the golden case {case.name} would let another {output.name} pass: its tolerance is too wide"
