"""Other runtimes of a bundle: their records judged anew, and the golden cases put to one of them here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from zoo.api.errors import SandboxError
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.runtime_rule import judge_runtime
from zoo.bundle.runtime.golden_replay import RunGraph, replay
from zoo.bundle.runtime.installed_runtime import InstalledRuntime
from zoo.bundle.runtime.manifest import Manifest, RuntimeRecord, read_listed
from zoo.bundle.runtime.sandbox import Limits, Runtime, RuntimeRefused, Session

if TYPE_CHECKING:
    from zoo.bundle.runtime.bundle import Bundle


def runtime_files(manifest: Manifest) -> Iterator[str]:
    """The names of all files that belong to a runtime of the manifest."""
    for record in manifest.runtimes:
        for files in record.files.values():
            yield from files


def check_runtime(bundle: Bundle, record: RuntimeRecord) -> Finding:
    """The record of a runtime judged anew from its evidence; nothing is executed."""
    report = next((found for found in bundle.report().runtimes if found.evidence.name == record.name), None)
    if report is None or not report.published:
        return Status.FAIL, "the report knows no such runtime"
    evidence = report.evidence
    again = judge_runtime(evidence, published=bundle.manifest.hashes())
    wrong = []
    if (report.verdict, report.sentence, report.gates) != (again.status, again.sentence, again.gates):
        wrong.append(f"the report says {report.sentence!r}, its evidence {again.sentence!r}")
    expected = again.status.value if again.publishes else "unproved"
    if (record.verdict, record.sentence) != (expected, again.sentence):
        wrong.append(f"the manifest says {record.verdict}, {record.sentence!r}; the evidence {expected}")
    about = (evidence.title, evidence.provider, evidence.precision)
    if (record.title, record.provider, record.precision) != about:
        wrong.append("the manifest names another runtime than the record")
    if {name for files in record.files.values() for name in files} != {file.name for file in evidence.files}:
        wrong.append("the files of the manifest are not those that were measured")
    if wrong:
        return Status.FAIL, "; ".join(wrong)
    if record.verdict == "unproved":
        return Status.FAIL, f"kept although it was {again.sentence}"
    return again.status, again.sentence


def replay_elsewhere(bundle: Bundle, installed: InstalledRuntime, limits: Limits | None) -> Finding:
    """The golden cases in another runtime, which says what it computed in.

    Where the bundle holds the runtime's own files, those are executed: they are what a device is given.
    """
    record = next((record for record in bundle.manifest.runtimes if record.name == installed.name), None)
    with Runtime(limits=limits, engine=installed) as runtime:
        name = f"{runtime.title} {runtime.versions()[runtime.engine]}, {runtime.provider()}"
        if not installed.is_exact:
            return Status.INCONCLUSIVE, (
                f"{name}: it computes in {installed.precision}, and the golden cases are for single precision; "
                f"`zoo verify --against` and `zoo export --for {installed.name}` judge it on the evaluation data"
            )
        graphs = _Graphs(bundle, runtime, record)
        try:
            differences = replay(bundle.path, bundle.manifest.golden, graphs.run, read=bundle.read)
        except (SandboxError, RuntimeRefused) as error:
            return Status.FAIL, error.message
    if not differences:
        return Status.INCONCLUSIVE, "the bundle has no golden cases"
    wrong = [line for lines in differences.values() for line in lines]
    if wrong:
        return Status.FAIL, f"{name}: it answers otherwise: {'; '.join(wrong[:6])}"
    cases = f"all {len(differences)} golden cases" if len(differences) > 1 else "the only golden case"
    own = f" with its own files in {record.folder}" if record is not None and record.files else ""
    return Status.PASS, f"{name}: it reproduces {cases}{own}"


class _Graphs:
    """The graphs of a bundle in another runtime, each loaded once, when it is wanted."""

    def __init__(self, bundle: Bundle, runtime: Runtime, record: RuntimeRecord | None) -> None:
        self._bundle, self._runtime = bundle, runtime
        self._own: Mapping[str, tuple[str, ...]] = {} if record is None else record.files
        self._open: dict[str, Session] = {}

    def run(self, name: str) -> RunGraph:
        """A function from a graph's inputs to its outputs."""
        if name not in self._open:
            self._open[name] = self._session(name)
        session = self._open[name]
        return lambda feeds: self._runtime.run(session, feeds)

    def _session(self, name: str) -> Session:
        if name not in self._own:
            return self._bundle.session(self._runtime, name)
        bundle = self._bundle
        files = {file.rpartition("/")[2]: read_listed(bundle.path, bundle.manifest, file) for file in self._own[name]}
        return self._runtime.own_session(files)
