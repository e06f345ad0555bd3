"""Do a bundle's manifest, its record and its two graphs tell the same story?

The manifest is what a device reads (class names, preparing, signatures), the record is about two graphs, and the graphs
describe themselves: whoever edits one of them must notice that the others say otherwise.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from zoo.api.task import Port, Signature
from zoo.api.untrusted import escaped_json
from zoo.bundle import schema_1
from zoo.bundle.judge.evidence import Evidence, GraphEvidence
from zoo.bundle.judge.verdict import Verdict
from zoo.bundle.report.record import Report
from zoo.bundle.runtime.golden_record import golden_against_record
from zoo.bundle.runtime.manifest import SCHEMA, Manifest, ManifestFile, PluginRecord
from zoo.bundle.sandbox.session import Session, TensorPort

PREFIX = "zoo."
COMMANDS = ("export", "verify")
"""What makes a report again."""
TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16"}


def classes_sha256(classes: Sequence[str]) -> str:
    """Digest of the class names in order, as a JSON list."""
    return hashlib.sha256(json.dumps(list(classes), ensure_ascii=False).encode(errors="surrogatepass")).hexdigest()


def problem_sha256(problem: Mapping[str, Any]) -> str:
    """Digest of every fact that preprocessing, postprocessing and showing depend on, the vocabulary among them."""
    text = json.dumps(problem, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def description(
    *,
    model: str,
    problem: Mapping[str, Any],
    plugin: PluginRecord,
    opset: int,
    weights_sha256: str,
    licences: Mapping[str, str],
    schema: int = SCHEMA,
) -> dict[str, str]:
    """What a graph carries about itself, by key, and what the manifest must say as well.

    `problem` is the one of the manifest, as plain JSON: read by a later zoo, it may have more fields.  `schema` is the
    manifest's own.
    """
    return {
        "schema": str(schema),
        "model": model,
        "task": str(problem["task"]),
        "plugin": f"{plugin.distribution} {plugin.version}",
        "opset": str(opset),
        "weights_sha256": weights_sha256,
        "input": json.dumps(problem["input"], ensure_ascii=False),
        "classes": escaped_json(json.dumps(problem["classes"], ensure_ascii=False)),
        "classes_sha256": classes_sha256(problem["classes"]),
        "problem_sha256": problem_sha256(problem),
        "licence": json.dumps(dict(licences), ensure_ascii=False),
    }


def against_evidence(report: Report, verdict: Verdict) -> Iterator[str]:
    """Where a report says something else than its own evidence, from which `verdict` was drawn.

    People read the sentences of a report, and type its commands.
    """
    if report.k != verdict.k:
        yield f"the limit is {report.k:g} there, and {verdict.k:g}"
    if report.sentence != verdict.sentence:
        yield f"{_short(report.sentence)!r} in place of {_short(verdict.sentence)!r}"
    claims = {gate.name: gate for gate in report.gates}
    names = [gate.name for gate in verdict.gates]
    if names != [gate.name for gate in report.gates]:
        yield f"the gates are {', '.join(claims) or 'none'} there, and {', '.join(names)}"
    for found in verdict.gates:
        claimed = claims.get(found.name, found)
        if (claimed.status, claimed.detail) != (found.status, found.detail):
            words = [f"{gate.status}: {_short(gate.detail)}" for gate in (found, claimed)]
            yield f"{found.name} is {words[0]}, and not {words[1]}"
    yield from _not_written_by_zoo(report)


def _not_written_by_zoo(report: Report) -> Iterator[str]:
    for command in report.reproduce:
        if not _is_command(command):
            yield f"{_short(command)!r} is no command of zoo that makes the report again"
    try:
        datetime.fromisoformat(report.created)
    except ValueError:
        yield f"{_short(report.created)!r} is no time"


def _is_command(line: str) -> bool:
    """Whether a shell runs nothing but zoo with these words."""
    try:
        words = shlex.split(line)
    except ValueError:
        return False
    return words[:1] == ["zoo"] and words[1:2] != [] and words[1] in COMMANDS and shlex.join(words) == line


def proved_sizes(evidence: Evidence) -> dict[str, int]:
    """The largest size at which each axis of the pipeline was tried and compared."""
    axes = next((graph.axes for graph in evidence.graphs if graph.role == "pipeline"), None)
    return {axis.name: max(axis.tested) for axis in (axes.tested if axes is not None else ()) if axis.tested}


def against_record(manifest: Manifest, evidence: Evidence) -> Iterator[str]:
    """Where the manifest says something else than the record of the proof."""
    subject, proved = evidence.subject, proved_sizes(evidence)
    recorded_classes = evidence.labels.expected_sha256 if evidence.labels is not None else None
    pairs: list[tuple[str, str, str | None]] = [
        ("the record is about", "bundle", subject.scope),
        ("the version of zoo is", manifest.zoo, evidence.environment.zoo),
        ("the model is", manifest.model, subject.model),
        ("the task is", manifest.task, subject.task),
        ("the task of the problem is", manifest.problem.task, subject.task),
        ("the weights are", manifest.lineage.weights, subject.weights),
        ("the digest of the weights is", manifest.lineage.weights_sha256, subject.weights_sha256),
        (
            "the digest of the class names is",
            classes_sha256(manifest.problem.classes),
            recorded_classes,
        ),
    ]
    signatures = {"model": manifest.model_signature, "pipeline": manifest.pipeline_signature}
    for graph in evidence.graphs:
        names = ", ".join(port.name for port in signatures[graph.role].outputs)
        opset = None if graph.facts is None else str(graph.facts.opset)
        yield from _left_out(graph, signatures[graph.role])
        pairs.append((f"the outputs of the {graph.role} are", names, ", ".join(graph.outputs)))
        pairs.append((f"the opset of the {graph.role} is", str(manifest.opset), opset))
    yield from _unprepared(manifest, evidence)
    if not schema_1.wrote(manifest.zoo):  # those bundles do not say it
        manifested, recorded = (json.dumps(dict(sizes), sort_keys=True) for sizes in (manifest.proved, proved))
        pairs.append(("the proved sizes are", manifested, recorded))
    yield from golden_against_record(manifest, evidence)
    for what, there, here in pairs:
        if there != here:
            yield f"{what} {there} in the manifest and {here} in the record"


def _left_out(graph: GraphEvidence, signature: Signature) -> Iterator[str]:
    """What the record does not measure although the signature has it."""
    if bool(signature.feedback) != graph.stateful:
        yield f"the {graph.role} {'has' if signature.feedback else 'has no'} state in the manifest, not in the record"
    tested = {(axis.input, axis.index) for axis in graph.axes.tested} if graph.axes is not None else set()
    for port in signature.inputs:
        for index, size in enumerate(port.shape):
            if isinstance(size, str) and (port.name, index) not in tested:
                yield f"{port.name}[{index}] ({size}) of the {graph.role} is dynamic in the manifest, not in the record"


def _unprepared(manifest: Manifest, evidence: Evidence) -> Iterator[str]:
    """A sentence where the model reads a picture, and no case compares how the pipeline prepares it."""
    prepared = any(case.prepared for graph in evidence.graphs for case in graph.cases if case.gates)
    raw = any(port.dtype == "uint8" and len(port.shape) == 3 for port in manifest.pipeline_signature.inputs)
    if raw and any(len(port.shape) == 4 for port in manifest.model_signature.inputs) and not prepared:
        yield "the record compares no prepared picture"


def against_graph(
    file: ManifestFile, name: str, session: Session, *, opset: int | None = None, signature: Signature | None = None
) -> Iterator[str]:
    """Where the manifest says something else than a loaded graph says of itself.

    `opset` is that of a variant, and `signature` its own where it has one.
    """
    manifest = file.manifest
    expected = description(
        schema=file.schema,
        model=manifest.model,
        problem=file.problem,
        plugin=manifest.plugin,
        opset=manifest.opset if opset is None else opset,
        weights_sha256=manifest.lineage.weights_sha256,
        licences=manifest.licences,
    )
    for key, value in expected.items():
        actual = session.metadata.get(PREFIX + key)
        if actual is None or escaped_json(actual) != value:  # before 0.2 control characters stood there as they are
            yield f"{name} says {_short(actual)} of {key} where the manifest says {_short(value)}"
    signature = signature or (manifest.model_signature if name.endswith("model.onnx") else manifest.pipeline_signature)
    for sentence in (*unlike(session, signature), *_feeds(signature), *_golden(manifest, name, signature)):
        yield f"{name}: {sentence}"


def _feeds(signature: Signature) -> Iterator[str]:
    """Outputs that are fed back to what is no state: a device would put zeros there in the first step."""
    inputs = {port.name: port for port in signature.inputs}
    for port in signature.outputs:
        state = inputs.get(port.feeds)
        if port.feeds and (state is None or (state.dtype, len(state.shape)) != (port.dtype, len(port.shape))):
            yield f"its output {port.name} cannot feed {port.feeds}"


def _golden(manifest: Manifest, name: str, signature: Signature) -> Iterator[str]:
    """Golden cases that go about a graph otherwise than its signature says."""
    floats = {port.name for port in signature.outputs if port.dtype.startswith("float")}
    for case in (*manifest.golden, *(case for record in manifest.variants for case in record.golden)):
        if case.graph != name:
            continue
        if case.steps > 1 and case.feedback != signature.feedback:
            yield f"the golden case {case.name} is fed back otherwise than the signature says"
        loose = [output.name for output in case.outputs if output.name in floats and output.compare != "tolerance"]
        if loose:
            yield f"the golden case {case.name} compares {', '.join(loose)} without a tolerance"


def unlike(session: Session, signature: Signature) -> Iterator[str]:
    """Where the ports of a loaded graph are not those of a signature, in its order."""
    for what, ports, tensors in (
        ("inputs", signature.inputs, session.inputs),
        ("outputs", signature.outputs, session.outputs),
    ):
        names, expected = [port.name for port in tensors], [port.name for port in ports]
        if names != expected:
            yield f"its {what} are {', '.join(names)}, not {', '.join(expected)}"
            continue
        yield from _unlike_shapes(zip(ports, tensors, strict=True), exact=what == "inputs")


def _unlike_shapes(pairs: Iterable[tuple[Port, TensorPort]], *, exact: bool) -> Iterator[str]:
    for port, tensor in pairs:
        dtype = TYPES.get(tensor.type, tensor.type.removeprefix("tensor(").removesuffix(")"))
        known = len(tensor.shape) == len(port.shape) and not any(
            declared != expected if isinstance(declared, int) else exact and isinstance(expected, int)
            for expected, declared in zip(port.shape, tensor.shape, strict=True)
        )
        if dtype != port.dtype or not known:
            yield f"{port.name} is {dtype} {list(tensor.shape)}, not {port.dtype} {list(port.shape)}"


def _short(text: str | None) -> str:
    if text is None:
        return "nothing"
    return text if len(text) <= 60 else text[:60] + " …"
