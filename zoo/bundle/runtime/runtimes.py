"""Other runtimes of a bundle: their records judged anew, and the golden cases put to one of them here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.api.errors import SandboxError
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.runtime_rule import judge_runtime
from zoo.bundle.runtime.golden_replay import MIN_GOLDEN, RunGraph, answers_of, feeds_of, replay
from zoo.bundle.runtime.manifest import GoldenCase, Manifest, RuntimeRecord, read_listed
from zoo.bundle.sandbox.installed_runtime import InstalledRuntime
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import Session

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
    hashes = bundle.manifest.hashes()
    own = {name: hashes[name] for files in record.files.values() for name in files}
    again = judge_runtime(evidence, published={**bundle.manifest.graph_hashes(), **own})
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenReplay:
    """The golden cases of a bundle in another runtime."""

    provider: str
    """The runtime with its version, and what it executes them on."""
    differences: Mapping[str, tuple[str, ...]]
    """By case, sentences about what is not reproduced."""
    worst: float
    """How many times further off than allowed the worst answer is; 0 where all are near, or no tolerance says."""


def golden_replay(bundle: Bundle, installed: InstalledRuntime, limits: Limits | None = None) -> GoldenReplay:
    """Every golden case put to another runtime; RuntimeRefused and SandboxError as in `Runtime.session`.

    Where the bundle holds the runtime's own files, those are executed: they are what a device is given.
    """
    cases = bundle.manifest.golden
    with Runtime(limits=limits, engine=installed) as runtime:
        graphs = _Graphs(bundle, runtime, _record(bundle, installed))
        differences = replay(bundle.path, cases, graphs.run, read=bundle.read)
        return GoldenReplay(
            provider=f"{runtime.title} {runtime.versions()[runtime.engine]} on {runtime.provider()}",
            differences=differences,
            worst=max((graphs.ratio(case) for case in cases if differences[case.name]), default=0.0),
        )


def replay_elsewhere(bundle: Bundle, installed: InstalledRuntime, limits: Limits | None) -> Finding:
    """What the golden cases say of another runtime, which says what it computed in."""
    if not installed.is_exact:
        return Status.INCONCLUSIVE, (
            f"{installed.title} computes in {installed.precision}, and the golden cases are for single precision; "
            f"`zoo export --for {installed.name}` judges it on the evaluation data"
        )
    try:
        found = golden_replay(bundle, installed, limits)
    except (SandboxError, RuntimeRefused) as error:
        return Status.FAIL, error.message
    number = len(found.differences)
    wrong = [line for lines in found.differences.values() for line in lines]
    if wrong:
        times = f", at worst {found.worst:.3g} times what the bundle allows" if found.worst > 0 else ""
        return Status.FAIL, f"{found.provider}: it answers otherwise{times}: {'; '.join(wrong[:6])}"
    if not number:
        return Status.INCONCLUSIVE, "the bundle has no golden cases"
    record = _record(bundle, installed)
    own = f" with its own files in {record.folder}" if record is not None and record.files else ""
    if number == 1:
        return Status.WARN, f"{found.provider}: it reproduces the only golden case{own}, which says little"
    few = f", fewer than the {MIN_GOLDEN} that zoo has of most models" if number < MIN_GOLDEN else ""
    return Status.PASS, f"{found.provider}: it reproduces all {number} golden cases{own}{few}"


def _record(bundle: Bundle, installed: InstalledRuntime) -> RuntimeRecord | None:
    """What the manifest says of the runtime; None where the bundle was not put to it."""
    return next((record for record in bundle.manifest.runtimes if record.name == installed.name), None)


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

    def ratio(self, case: GoldenCase) -> float:
        """How many times further off an output of one step is than the case allows; 0 where no tolerance says."""
        if case.steps > 1:
            return 0.0
        answers = self.run(case.graph)(feeds_of(self._bundle.path, case))
        expected = answers_of(self._bundle.path, case)
        ratios = [
            float(abs(answers[output.name].astype("float64") - expected[output.name]).max(initial=0.0)) / output.max
            for output in case.outputs
            if output.max and answers[output.name].shape == expected[output.name].shape
        ]
        return max(ratios, default=0.0)

    def _session(self, name: str) -> Session:
        if name not in self._own:
            return self._bundle.session(self._runtime, name)
        bundle = self._bundle
        files = {file.rpartition("/")[2]: read_listed(bundle.path, bundle.manifest, file) for file in self._own[name]}
        return self._runtime.own_session(files)
