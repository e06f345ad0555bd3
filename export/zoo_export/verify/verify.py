"""The proof derived anew, on files that are there already: a bundle of zoo's, or an .onnx from anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from zoo.api.errors import BadFile, HashMismatch, UsageError
from zoo.api.task import Port, Signature
from zoo.bundle.judge.evidence import Evidence, Labels
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.judge.verdict import Verdict, judge
from zoo.bundle.onnx_file.external_data import MAX_ONNX_BYTES, weights_beside
from zoo.bundle.onnx_file.safety.scan import Scan, Value, demand_safe, read_model
from zoo.bundle.report.record import Report, report_of
from zoo.bundle.runtime.bundle import Bundle, Checked, verify_bundle
from zoo.bundle.sandbox.installed_runtime import ONNXRUNTIME, find_runtime
from zoo.bundle.sandbox.runtime import Engine
from zoo.models.target import ModelTarget, RunTarget, Target, at_checkpoint, find_target, target_text
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import same_name
from zoo.runs.notebook import facts_html
from zoo.runs.serialization import to_json
from zoo.training.engine.threads import restored_torch
from zoo_export.capture.capture import MODEL, PIPELINE
from zoo_export.measure.labels import classes_of, measure_labels
from zoo_export.proof.prove import Progress, Proof, prove
from zoo_export.subject.load import find_subject
from zoo_export.subject.subject import Subject
from zoo_export.verify.first_divergence import explain as explain_divergence
from zoo_export.verify.other_runtime import budget_gates
from zoo_export.verify.rederive import other_operators, rederive


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What deriving the proof anew found.

    Examples:
        >>> verified = zoo.verify("bundle", against="cnn@digits")
        >>> verified.proved, verified.divergence
        (True, ())
    """

    report: Report
    """The proof as it was derived now."""
    proved: bool
    """Whether the outcome is that of the record, and publishes."""
    against: str
    """What it was proved against, as it was named."""
    files: Sequence[Mapping[str, Any]]
    """The files with their hashes."""
    divergence: tuple[str, ...] = ()
    """With `explain`: the first tensor that leaves the noise, in sentences."""

    @property
    def holds(self) -> bool:
        """The same question as `Checked.holds`."""
        return self.proved

    def _repr_html_(self) -> str:
        title = f"against {self.against}: {self.report.sentence}"
        return facts_html(title, [(gate.name, f"{gate.status} {gate.detail}") for gate in self.report.gates])


def verify(
    path: str | Path,
    *,
    against: str | Path | None = None,
    explain: bool = False,
    key: str | Path | None = None,
    runtime: Engine = "onnxruntime",
) -> Checked | Verified:
    """Check a bundle; with `against` a run or model@weights, derive its proof anew (also of any single .onnx file).

    Without `against` torch is not needed, and the result is a `Checked`; with it, a `Verified`.  `key` is the public
    key of whoever signed the bundle, `runtime` what executes the graphs.

    Args:
        path: A bundle, a run that was exported, or, with `against`, an .onnx file.
        against: A run, or model@weights, to prove it anew against.
        explain: Name the first tensor that leaves the noise.
        key: The public key of whoever signed it.
        runtime: "onnxruntime" or "openvino".

    Returns:
        A `Checked`; with `against` a `Verified`, whose `proved` says the outcome.

    Raises:
        UsageError: The path is nothing that can be verified, or needs `against`.
        BadFile: A file of the bundle cannot be read.

    Examples:
        >>> zoo.verify("bundle").verdict
        'PASS'
    """
    place = Path(target_text(path))
    public = None if key is None else Path(key)
    if against is None and not explain:
        return verify_bundle(place, key=public, engine=runtime)
    return verify_anew(
        place,
        against=None if against is None else target_text(against),
        explain=explain,
        key=public,
        engine=runtime,
    )


@restored_torch()
def verify_anew(
    path: Path,
    *,
    against: str | None,
    explain: bool,
    key: Path | None = None,
    engine: Engine = "onnxruntime",
    evaluate: int = 500,
    one_file: int = MAX_ONNX_BYTES,
    progress: Progress = lambda _: None,
) -> Verified:
    """The whole proof on the files at `path`, against a run or model@weights; by default those that a bundle names.

    `one_file` is as in `prove`.
    """
    if path.is_file():
        if key is not None:
            raise UsageError(f"{path} is a single file; only a bundle is signed", hint="leave out --key")
        return _verify_file(path, against=against, explain=explain, engine=engine, progress=progress)
    bundle = Bundle.open(path)
    named = against or bundle.manifest.lineage.target
    catalog = Catalog.discover()
    subject = _subject(named, bundle, catalog)
    for name in (MODEL, PIPELINE):
        demand_safe(bundle.path / name)
    installed = find_runtime(engine, catalog) if isinstance(engine, str) else engine
    executing = installed if installed.is_exact else ONNXRUNTIME  # less precision has a rule of its own, below
    checked = verify_bundle(bundle.path, key=key, engine=executing, catalog=catalog)
    files = {name: _as_it_is(bundle, name) for name in (MODEL, PIPELINE)}
    proof = prove(
        subject,
        opset=bundle.manifest.opset,
        evaluate=evaluate,
        files=files,
        weights=bundle.manifest.weights(bundle.path),
        one_file=one_file,
        engine=executing,
        progress=progress,
    )
    report = _report(proof.evidence, proof.verdict, path, named, proof.seconds)
    status, detail = rederive(bundle, proof)
    gates = (*checked.gates, Gate(name="bundle", status=status, detail=detail), *report.gates)
    budget = () if installed.is_exact else budget_gates(proof, installed, evaluate=evaluate, progress=progress)
    gates += budget
    status = worst(*(gate.status for gate in gates))
    sentence = report.sentence if status == report.verdict else f"{status}: {_why(gates, status)}"
    return Verified(
        report=replace(report, gates=gates, verdict=status, sentence=sentence),
        proved=proof.verdict.publishes
        and checked.holds
        and gates[len(checked.gates)].status != Status.FAIL
        and all(gate.status in (Status.PASS, Status.WARN) for gate in budget),
        against=named,
        files=[to_json(file) for file in bundle.manifest.files],
        divergence=explain_divergence(proof, progress=progress) if explain else (),
    )


def _as_it_is(bundle: Bundle, name: str) -> bytes:
    """The bytes of a file: those of the manifest, else what lies there, which the gate on files has failed."""
    try:
        return bundle.read(name)
    except HashMismatch:
        return (bundle.path / name).read_bytes()


def _why(gates: Sequence[Any], status: object) -> str:
    return "; ".join(f"{gate.name}: {gate.detail}" for gate in gates if gate.status == status)


def _report(evidence: Evidence, verdict: Verdict, path: Path, against: str, seconds: float) -> Report:
    again = (f"zoo verify {quote(str(path))} --against {quote(against)}",)
    return report_of(evidence, verdict, reproduce=again, seconds=seconds)


def _subject(against: str, bundle: Bundle, catalog: Catalog) -> Subject:
    """What the bundle is compared with; an untrained one is made again from its seed."""
    manifest = bundle.manifest
    size = manifest.problem.image.size if hasattr(manifest.problem.input, "size") else None
    itself = ("", manifest.model, manifest.model.partition("/")[2])
    if manifest.lineage.seed is not None and any(same_name(against, own) for own in itself):
        model = ModelTarget(model=catalog.model(manifest.model))
        return find_subject(model, catalog, untrained=True, seed=manifest.lineage.seed, input_size=size)
    if not against:
        raise UsageError(
            f"the record of {bundle.path} names nothing to compare it with", hint="say --against RUN or MODEL@WEIGHTS"
        )
    target = _at_checkpoint(find_target(against, catalog), manifest.lineage.checkpoint)
    return find_subject(target, catalog, input_size=size)


def _at_checkpoint(target: Target, name: str) -> Target:
    """The very checkpoint that was exported, as long as the run keeps it."""
    if isinstance(target, RunTarget) and name and (target.run.checkpoints / name).is_dir():
        return at_checkpoint(target, name)
    return target


# --- a single file ---


def _verify_file(path: Path, *, against: str | None, explain: bool, engine: Engine, progress: Progress) -> Verified:
    if against is None:
        raise UsageError(f"{path} alone does not say what it should answer", hint="say --against RUN or MODEL@WEIGHTS")
    scan, catalog = demand_safe(path), Catalog.discover()
    installed = find_runtime(engine, catalog) if isinstance(engine, str) else engine
    if not installed.is_exact:
        raise UsageError(
            f"{installed.title} computes in {installed.precision}, and {path} is proved for float32 only",
            hint=f"zoo export {quote(against)} --onnx --for {installed.name}",
        )
    subject = find_subject(find_target(against, catalog), catalog)
    name = PIPELINE if _is_pipeline(scan, subject) else MODEL
    if name == MODEL:
        subject = replace(subject, ports=_ports(scan, subject.signature, path))
    files = {name: path.read_bytes()}
    weights = weights_beside(path, read_model(path)[0])
    proof = prove(subject, opset=max(scan.opset, 18), files=files, weights=weights, engine=installed, progress=progress)
    evidence = _named_after(proof, path, name=name, opset=scan.opset)
    verdict = judge(evidence, published={file.name: file.sha256 for file in evidence.subject.files})
    report = _report(evidence, verdict, path, against, proof.seconds)
    if others := other_operators(proof, name):
        report = _with_warning(report, f"{others}; answers were compared where the cases ask, and nowhere else")
    return Verified(
        report=report,
        proved=verdict.publishes,
        against=against,
        files=[to_json(file) for file in evidence.subject.files],
        divergence=tuple(line.replace(name, path.name) for line in explain_divergence(proof, progress=progress))
        if explain
        else (),
    )


def _with_warning(report: Report, detail: str) -> Report:
    """The report with what is known of the file's operators."""
    gates = (*report.gates, Gate(name="operators", status=Status.WARN, detail=detail))
    status = worst(*(gate.status for gate in gates))
    sentence = report.sentence if status == report.verdict else f"{status}: {_why(gates, status)}"
    return replace(report, gates=gates, verdict=status, sentence=sentence)


def _is_pipeline(scan: Scan, subject: Subject) -> bool:
    """Whether the file reads raw inputs and gives answers, under the names that pipeline.onnx has for them."""
    signature = subject.pipeline_signature
    names = [[port.name for port in ports] for ports in (signature.inputs, signature.outputs)]
    own = [[port.name for port in ports] for ports in (subject.signature.inputs, subject.signature.outputs)]
    return names != own and names == [[value.name for value in values] for values in (scan.inputs, scan.outputs)]


def _ports(scan: Scan, signature: Signature, path: Path) -> Signature:
    """The model's signature under the names that the file uses."""
    for what, values, ports in (
        ("inputs", scan.inputs, signature.inputs),
        ("outputs", scan.outputs, signature.outputs),
    ):
        if len(values) != len(ports):
            raise BadFile(f"{path} has {len(values)} {what}, the model has {len(ports)}")
        for value, port in zip(values, ports, strict=True):
            _check_port(value, port, path)
    inputs = tuple(replace(port, name=v.name) for port, v in zip(signature.inputs, scan.inputs, strict=True))
    outputs = tuple(replace(port, name=v.name) for port, v in zip(signature.outputs, scan.outputs, strict=True))
    return Signature(inputs=_fixed(inputs, scan.inputs), outputs=_fixed(outputs, scan.outputs))


def _fixed(ports: tuple[Port, ...], values: Sequence[Value]) -> tuple[Port, ...]:
    """Where a foreign file fixes an axis at the size of one item, that axis is not promised to be dynamic."""
    return tuple(
        replace(port, shape=tuple(map(_fixed_size, port.shape, value.shape)))
        for port, value in zip(ports, values, strict=True)
    )


def _fixed_size(declared: int | str, actual: int | str | None) -> int | str:
    return actual if isinstance(declared, str) and actual == 1 else declared


def _check_port(value: Value, port: Port, path: Path) -> None:
    dtype = {"float": "float32", "double": "float64"}.get(value.dtype, value.dtype)
    if dtype != port.dtype or len(value.shape) != len(port.shape):
        raise BadFile(
            f"{path}: {value.name} is {dtype} {list(value.shape)}, the model's {port.name} is {port.dtype} "
            f"{list(port.shape)}: this file is not an export of that model"
        )


def _named_after(proof: Proof, path: Path, *, name: str, opset: int) -> Evidence:
    """The evidence about one graph as evidence about the file, which asked for no opset of ours."""
    evidence = proof.evidence
    graph = next(graph for graph in evidence.graphs if graph.name == name)
    facts = None if graph.facts is None else replace(graph.facts, opset_asked=opset)
    own = next(file for file in evidence.subject.files if file.name == name)
    beside = [file for file in evidence.subject.files if file.name not in (MODEL, PIPELINE)]  # the weights
    files = (replace(own, name=path.name), *beside)
    return replace(
        evidence,
        subject=replace(evidence.subject, model=path.name, files=files, scope="file"),
        graphs=(replace(graph, name=path.name, facts=facts),),
        lineage=evidence.lineage if name == MODEL else None,
        labels=_labels_of(proof, name),
    )


def _labels_of(proof: Proof, name: str) -> Labels | None:
    """Those of the file alone; None where it carries no class names."""
    file = proof.exported.file(name).model
    return measure_labels(proof.subject.problem, {name: file}) if classes_of(file) is not None else None
