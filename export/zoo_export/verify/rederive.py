"""Is a bundle what zoo makes of its run?  Everything in it that the measuring does not look at, derived anew.

A bundle can be edited where no case looks: another operator behind a key that nobody turns, wide tolerances, golden
answers that nobody computed, a runner that always says yes.  Each is compared with its own derivation.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial

import onnx
import torch

from zoo.api.task import Signature
from zoo.bundle import schema_1
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.rule import K, Status
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.golden import stored_arrays
from zoo.bundle.runtime.manifest import GoldenCase
from zoo.bundle.runtime.run_template import difference, roll_out
from zoo.registry.discovery import same_name
from zoo.runs.serialization import to_json
from zoo_export.bundle.golden import tolerance
from zoo_export.bundle.write import ROLES, manifest_of, runner, zoo_version
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.capture.compose import rename
from zoo_export.capture.onnx_graph import PREFIX, nodes
from zoo_export.proof.prove import Proof
from zoo_export.reference.oracle import Runs, settle
from zoo_export.reference.postprocess import Finisher
from zoo_export.subject.module_io import Array, call

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
    """Manifest, operators, golden cases and runner against their own derivation; what cannot be compared warns."""
    wrong = [*_facts(bundle, proof), *_strangers(bundle), *_golden(bundle, proof)]
    unknown = []
    same_zoo = bundle.manifest.zoo == zoo_version()
    others = f"written by zoo {bundle.manifest.zoo}, not {zoo_version()}"
    for name in _other_runners(bundle, proof):
        if same_zoo:
            wrong.append(f"{name} is not the one that zoo {zoo_version()} writes")
        else:
            unknown.append(f"{name}, {others}")
    for name in (MODEL, PIPELINE):
        file, fresh = proof.exported.models[name], derived(proof, name)
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
    return Status.PASS, "manifest, operators, golden cases and runner are those that zoo derives anew"


def derived(proof: Proof, name: str) -> onnx.ModelProto:
    """The graph as it was just exported, whatever files were measured."""
    return proof.exported.graph.shipped if name == MODEL else proof.exported.pipeline.shipped


def _facts(bundle: Bundle, proof: Proof) -> Iterator[str]:
    told = to_json(bundle.manifest)
    ours = to_json(manifest_of(proof, {}, (), "PASS"))
    unknown = {"postprocess"} if bundle.file.schema == 1 and not bundle.manifest.postprocess else set()
    if same_name(bundle.manifest.model, proof.subject.model):  # its plugin may have had another name then
        told["model"] = ours["model"]
    for field in FACTS:
        if field not in unknown and told[field] != ours[field]:
            yield f"the manifest's {field.replace('_', ' ')} is not that of {proof.subject.lineage.target}"


def _strangers(bundle: Bundle) -> Iterator[str]:
    known = {*ROLES, *(case.file for case in bundle.manifest.golden)}
    for file in bundle.manifest.files:
        if file.name not in known:
            yield f"{file.name} is no file of a bundle"


def _other_runners(bundle: Bundle, proof: Proof) -> Iterator[str]:
    """Names of runner files that are neither what this zoo writes nor what zoo 0.1 is known to have written."""
    for name, data in runner(proof.subject).items():
        written = (bundle.path / name).read_bytes()
        known = bundle.file.schema == 1 and schema_1.is_runner(name, written, task=bundle.manifest.task)
        if written != data and not known:
            yield name


# --- operators ---


def _exporter(model: onnx.ModelProto) -> str:
    return next((entry.value for entry in model.metadata_props if entry.key == f"{PREFIX}exporter"), "")


def unlike(file: onnx.ModelProto, fresh: onnx.ModelProto, *, but: frozenset[str] = frozenset()) -> Iterator[str]:
    """The first places where a file is another program than the fresh export: operators, settings, ports, metadata.

    The metadata whose keys are in `but` may differ.
    """
    ours, theirs = _renamed(fresh, but), _renamed(file, but)
    for what, one, other in (
        ("inputs", ours.graph.input, theirs.graph.input),
        ("outputs", ours.graph.output, theirs.graph.output),
        ("opsets", ours.opset_import, theirs.opset_import),
        ("metadata", ours.metadata_props, theirs.metadata_props),
        ("functions", ours.functions, theirs.functions),
    ):
        if [entry.SerializeToString(deterministic=True) for entry in one] != [
            entry.SerializeToString(deterministic=True) for entry in other
        ]:
            yield f"its {what} are not those of a fresh export"
    here, there = list(ours.graph.node), list(theirs.graph.node)
    for place, (mine, its) in enumerate(zip(here, there, strict=False)):
        if mine.SerializeToString(deterministic=True) != its.SerializeToString(deterministic=True):
            yield f"its operator {place}, {its.op_type}, is not the {mine.op_type} of a fresh export, or set otherwise"
            return
    if len(here) != len(there):
        yield f"it has {len(there)} operators, a fresh export {len(here)}"


def _renamed(model: onnx.ModelProto, but: frozenset[str]) -> onnx.ModelProto:
    """A copy whose inner values are numbered and whose nodes have no names: an exporter may choose other ones."""
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
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
    eager = _Eager(proof)
    with torch.no_grad():
        for case in bundle.manifest.golden:
            yield from _golden_case(bundle, case, eager, proof)


def _golden_case(bundle: Bundle, case: GoldenCase, eager: _Eager, proof: Proof) -> Iterator[str]:
    feeds, stored = (stored_arrays(bundle.path, case, prefix=prefix) for prefix in ("in.", "out."))
    runs = {
        double: roll_out(partial(eager, case.graph, double=double), feeds, steps=case.steps, feedback=case.feedback)
        for double in ((False, True) if eager.wide is not None else (False,))
    }
    answer = settle(Runs(runs.get(True), {"default": runs[False]}))
    signature = eager.model if case.graph == MODEL else eager.pipeline
    for output in case.outputs:
        allowed = tolerance(output.name, answer, case.graph, signature, proof)
        wrong = difference(stored[output.name], answer.reference[output.name], to_json(allowed))
        if wrong:
            yield f"the golden answer of {case.name}, {output.name}, is not the model's: it {wrong}"
        if output.compare != allowed.compare or not (
            (output.rms or 0.0) <= WIDE * (allowed.rms or 0.0) and (output.max or 0.0) <= WIDE * (allowed.max or 0.0)
        ):
            yield f"the golden case {case.name} would let another {output.name} pass: its tolerance is too wide"


class _Eager:
    """The user's own model, as model.onnx and as pipeline.onnx, in either precision."""

    def __init__(self, proof: Proof) -> None:
        subject = proof.subject
        self.model, self.pipeline = subject.signature, subject.pipeline_signature
        self.narrow = subject.module
        self.wide = copy.deepcopy(subject.module).double() if proof.evidence.reference.kind == "fp64" else None
        self.prepare = subject.prepare()
        self.finisher = Finisher(subject.finish(), self.model, self.pipeline)

    def __call__(self, graph: str, feeds: Mapping[str, Array], *, double: bool) -> dict[str, Array]:
        module = self.wide if double and self.wide is not None else self.narrow
        if graph == MODEL:
            return call(module, feeds, self.model, double=double)
        prepared = call(self.prepare, feeds, Signature(inputs=self.pipeline.inputs, outputs=self.model.inputs))
        outputs = call(module, prepared, self.model, double=double)
        return (self.finisher.double if double else self.finisher.single)(outputs, feeds)
