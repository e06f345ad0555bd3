"""Checking a bundle where torch is not installed: files and record belong together, and this device agrees.

What this cannot see is a bundle made by somebody else from the start; for that the manifest's own hash is compared
with the one printed at export (`sha256`), or the proof is derived anew (`zoo verify --against`).
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from zoo.api.data import counted
from zoo.api.errors import BadFile, HashMismatch, NotProved, SandboxError, UsageError
from zoo.bundle.gates_0_1 import verdict_of_0_1
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.gates import Gate
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.judge.verdict import judge
from zoo.bundle.released_code import RELEASES
from zoo.bundle.report.record import Report, parse_report, read_report
from zoo.bundle.runtime.bundled_self_test import differing_files
from zoo.bundle.runtime.code_check import check_code, zoo_version
from zoo.bundle.runtime.consistency import against_evidence, against_graph, against_record
from zoo.bundle.runtime.exported import no_bundle_in
from zoo.bundle.runtime.golden_replay import MIN_GOLDEN, RunGraph, replay
from zoo.bundle.runtime.manifest import (
    NAME,
    Manifest,
    ManifestFile,
    RuntimeRecord,
    VariantRecord,
    listed_file,
    read_listed,
    read_manifest,
)
from zoo.bundle.runtime.runtimes import check_runtime, replay_elsewhere
from zoo.bundle.runtime.signature import check_signature
from zoo.bundle.runtime.variants import check_variant
from zoo.bundle.sandbox.installed_runtime import REFERENCE, find_runtime
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Engine, Runtime
from zoo.bundle.sandbox.session import Session
from zoo.registry.catalog import Catalog
from zoo.runs.misspelt import near_outputs
from zoo.runs.notebook import facts_html
from zoo.runs.serialization import to_json

GRAPHS = ("model.onnx", "pipeline.onnx")
REPORT = "report.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A directory with a readable manifest; nothing else is checked yet."""

    path: Path
    file: ManifestFile

    @property
    def manifest(self) -> Manifest:
        """What the manifest says, in today's fields."""
        return self.file.manifest

    @property
    def sha256(self) -> str:
        """Of manifest.json, which holds the hashes of all other files."""
        return self.file.sha256

    def listed(self, name: str) -> Path:
        """The path of a file that the manifest lists; HashMismatch where it is missing or of another size."""
        return listed_file(self.path, self.manifest, name)

    def read(self, name: str) -> bytes:
        """The bytes that the manifest names; HashMismatch where the file has others by now."""
        return read_listed(self.path, self.manifest, name)

    def session(self, runtime: Runtime, name: str, *, timed: bool = False, profiled: bool = False) -> Session:
        """One of its graphs, loaded from the very bytes that the manifest names; the rest as in `Runtime.session`."""
        path, weights = self.listed(name), self.manifest.weights(self.path)
        if weights is not None:
            self.listed(weights.path.name)
        weights = None if "/" in name else weights  # a variant holds its own
        sha256 = self.manifest.hashes()[name]
        try:
            return runtime.session(path, title=name, sha256=sha256, weights=weights, timed=timed, profiled=profiled)
        except HashMismatch as error:
            raise HashMismatch(f"{self.path}: {error.message}", hint=f"zoo verify {quote(str(self.path))}") from None

    def unproved(self, variant: str | None = None) -> str:
        """What of the bundle, or of one of its variants, was published without a proof, as a sentence; else empty."""
        if self.manifest.verdict == "unproved":
            return f"{self.path} was published without a proof"
        if variant is None or self.manifest.variant(variant).verdict != "unproved":
            return ""
        return f"the variant {variant} of {self.path} was published without a proof"

    def limits(self) -> Limits:
        """What a process may use that runs its graphs."""
        weights = self.manifest.weights(self.path)
        return Limits.beside(0 if weights is None else weights.bytes)

    def report(self) -> Report:
        """The record of the proof; HashMismatch where it is not the one of the manifest."""
        return parse_report(self.read(REPORT), where=str(self.path / REPORT))

    @classmethod
    def open(cls, path: Path) -> Bundle:
        """The bundle at a path, or the one exported from the run there; NotProved where only a failed proof is."""
        if not path.exists():
            raise BadFile(f"{path} does not exist", hint=near_outputs(path))
        inside = path / "export"
        folder = inside if not (path / NAME).exists() and (inside / NAME).exists() else path
        if not (folder / NAME).exists() and (folder / REPORT).exists():
            report = read_report(folder / REPORT)
            raise NotProved(
                f"{folder} is no bundle but the report of an export that was {report.sentence}",
                hint=f"open {folder / 'report.html'}",
            )
        if not (folder / NAME).exists() and (folder / "run.json").is_file():
            raise no_bundle_in(folder)
        return cls(path=folder, file=read_manifest(folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What checking a bundle on this device came to.

    Examples:
        >>> checked = zoo.verify("bundle")
        >>> checked.verdict
        'PASS'
    """

    bundle: Bundle
    """What was checked."""
    gates: tuple[Gate, ...]
    """Each question with its answer."""
    seconds: float
    """Of the whole check."""

    @property
    def verdict(self) -> str:
        """PASS, WARN, FAIL or INCONCLUSIVE; "unproved" for a whole bundle that was published without a proof."""
        status = worst(*(gate.status for gate in self.gates))
        whole = all(gate.status in (Status.PASS, Status.WARN) for gate in self.gates if gate.name != "proof")
        return "unproved" if whole and self.bundle.manifest.verdict == "unproved" else status.value

    @property
    def holds(self) -> bool:
        """Files, record and answers belong together, and the record says that the export was proved."""
        return self.verdict in (Status.PASS, Status.WARN)

    def _repr_html_(self) -> str:
        return facts_html(
            f"{self.bundle.path}: {self.verdict}", [(gate.name, f"{gate.status} {gate.detail}") for gate in self.gates]
        )


def verify_bundle(
    path: Path,
    *,
    sha256: str | None = None,
    key: Path | None = None,
    engine: Engine = REFERENCE,
    limits: Limits | None = None,
    catalog: Catalog | None = None,
) -> Checked:
    """Hashes, record and golden cases, with onnxruntime and numpy alone; BadFile when `path` is no bundle.

    `sha256` is what the manifest's own hash must be; `key` a public key that its signature must be of.  With another
    `engine` the golden cases are put to it as well.  `catalog` has the task of the bundle; None has it discovered.
    """
    start = time.monotonic()
    bundle = Bundle.open(path)
    signature = check_signature(bundle.path, key, sha256=bundle.sha256)
    limits = limits or bundle.limits()
    installed = find_runtime(engine, catalog) if isinstance(engine, str) else engine
    with Runtime(limits=limits) as runtime:
        runtime.versions()  # a runtime that cannot even start says nothing of the bundle
        gates = [] if sha256 is None else [_timed("manifest", lambda: _expected(bundle, sha256))]
        if signature is not None:
            gates.append(Gate(name="signature", status=signature[0], detail=signature[1]))
        gates.append(_timed("files", lambda: _files(bundle)))
        whole = gates[-1].status == Status.PASS
        gates.append(_timed("proof", lambda: _proof(bundle) if whole else NOT_CHECKED))
        gates.append(_timed("code", lambda: _code(bundle, catalog) if whole else NOT_CHECKED))
        graphs = Graphs(bundle, runtime)
        gates.append(_timed("accord", lambda: _consistency(bundle, graphs) if whole else NOT_CHECKED))
        gates.append(_timed("golden cases", lambda: _golden(bundle, graphs) if whole else NOT_CHECKED))
        gates += _variants(bundle, graphs, whole=whole)
        gates += _runtimes(bundle, whole=whole)
    if not installed.is_reference:
        gates.append(
            _timed(installed.name, lambda: replay_elsewhere(bundle, installed, limits) if whole else NOT_CHECKED)
        )
    return Checked(bundle=bundle, gates=tuple(gates), seconds=round(time.monotonic() - start, 3))


def _timed(name: str, check: Callable[[], Finding]) -> Gate:
    start = time.monotonic()
    status, detail = check()
    return Gate(name=name, status=status, detail=detail, seconds=round(time.monotonic() - start, 3))


NOT_CHECKED: Final = (Status.INCONCLUSIVE, "not looked at, because the files are not those of the manifest")
"""Of every gate that reads files of the bundle, where these are not the right ones."""


def _expected(bundle: Bundle, sha256: str) -> Finding:
    expected = sha256.strip().lower().removeprefix("sha256:")
    if not _SHA256.fullmatch(expected):
        raise UsageError(f"{sha256!r} is no sha256: it has 64 hex digits", hint="`zoo export` printed it")
    if not hmac.compare_digest(expected, bundle.sha256):
        return Status.FAIL, f"{NAME} has the sha256 {bundle.sha256}, another one was expected: this is another bundle"
    return Status.PASS, f"{NAME} is the one that was expected"


def _files(bundle: Bundle) -> Finding:
    manifest = bundle.manifest
    try:
        wrong = list(differing_files(bundle.path, {"files": to_json(manifest.files)}))
    except OSError as error:
        return Status.FAIL, f"{error.filename} cannot be read: {error.strerror}"
    if (bundle.path / NAME).is_symlink():
        wrong.append(f"{NAME} is a link, not a file")
    missing = sorted({*GRAPHS, REPORT} - {file.name for file in manifest.files})
    wrong += [f"the manifest lists no {name}" for name in missing]
    if wrong:
        return Status.FAIL, "; ".join(wrong[:6]) + (f"; and {len(wrong) - 6} more" if len(wrong) > 6 else "")
    return Status.PASS, f"{counted(len(manifest.files), 'file has', 'files have')} the bytes that the manifest names"


def _proof(bundle: Bundle) -> Finding:
    """The record is about these bytes, and its own evidence gives the verdict it claims."""
    report = bundle.report()
    again = judge(report.evidence, published=bundle.manifest.graph_hashes())
    if bundle.file.schema == 1:
        again = verdict_of_0_1(again, report.evidence)
    if bundle.manifest.verdict == "unproved":
        return Status.FAIL, f"published without a proof: {again.sentence}"
    if not again.publishes or report.verdict != again.status or bundle.manifest.verdict != again.status:
        claimed = f"the manifest claims {bundle.manifest.verdict}, the report {report.verdict}"
        return Status.FAIL, f"{claimed}, the evidence gives {again.status}: {again.sentence}"
    wrong = list(against_evidence(report, again))
    if wrong:
        known = bundle.manifest.zoo in {zoo_version(), *RELEASES}
        words = f"the record says what its evidence does not say: {'; '.join(wrong[:4])}"
        return (Status.FAIL, words) if known else (Status.INCONCLUSIVE, f"{words} to zoo {zoo_version()}")
    return (
        again.status,
        f"{again.sentence} on {report.created}: the evidence of {counted(len(again.gates), 'gate')} gives it again",
    )


def _code(bundle: Bundle, catalog: Catalog | None) -> Finding:
    """The files that a person runs or opens are zoo's own."""
    return check_code(bundle.path, bundle.manifest, bundle.report(), catalog=catalog)


class Graphs:
    """The graphs of a bundle, each loaded once, when it is wanted."""

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bundle = bundle
        self._open: dict[str, Session] = {}

    def session(self, name: str) -> Session:
        """The loaded graph."""
        if name not in self._open:
            self._open[name] = self._bundle.session(self._runtime, name)
        return self._open[name]

    def run(self, name: str) -> RunGraph:
        """A function from a graph's inputs to its outputs."""
        session = self.session(name)
        return lambda feeds: self._runtime.run(session, feeds)


def _consistency(bundle: Bundle, graphs: Graphs) -> Finding:
    """Manifest, record and graphs tell the same story."""
    wrong = list(against_record(bundle.manifest, bundle.report().evidence))
    try:
        wrong += [line for name in GRAPHS for line in against_graph(bundle.file, name, graphs.session(name))]
    except (SandboxError, RuntimeRefused) as error:
        return Status.FAIL, error.message
    if wrong:
        return Status.FAIL, "; ".join(wrong[:4]) + (f"; and {len(wrong) - 4} more" if len(wrong) > 4 else "")
    return Status.PASS, "manifest, record and graphs say the same"


def _variants(bundle: Bundle, graphs: Graphs, *, whole: bool) -> list[Gate]:
    """A gate for each variant."""

    def check(record: VariantRecord) -> Finding:
        return check_variant(bundle, record, graphs.session, graphs.run) if whole else NOT_CHECKED

    records = bundle.manifest.variants
    return [_timed(f"variant {record.name}", lambda record=record: check(record)) for record in records]  # type: ignore[misc]


def _runtimes(bundle: Bundle, *, whole: bool) -> list[Gate]:
    """A gate for each other runtime that the bundle was put to."""

    def check(record: RuntimeRecord) -> Finding:
        return check_runtime(bundle, record) if whole else NOT_CHECKED

    records = bundle.manifest.runtimes
    return [_timed(f"runtime {record.name}", lambda record=record: check(record)) for record in records]  # type: ignore[misc]


def _golden(bundle: Bundle, graphs: Graphs) -> Finding:
    if not bundle.manifest.golden:
        return Status.INCONCLUSIVE, "the bundle has no golden cases"
    try:
        differences = replay(bundle.path, bundle.manifest.golden, graphs.run, read=bundle.read)
    except (SandboxError, RuntimeRefused) as error:
        return Status.FAIL, error.message
    wrong = [line for lines in differences.values() for line in lines]
    if wrong:
        return Status.FAIL, "this device answers otherwise: " + "; ".join(wrong[:6])
    number = len(differences)
    if number == 1:
        return Status.WARN, "this device reproduces the only golden case: one case says little about a device"
    few = f", fewer than the {MIN_GOLDEN} that zoo has of most models" if number < MIN_GOLDEN else ""
    return Status.PASS, f"this device reproduces all {number} golden cases{few}"
