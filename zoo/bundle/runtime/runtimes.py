"""Other runtimes of a bundle: their records judged anew, and the golden cases put to one of them here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from zoo.api.errors import SandboxError
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.runtime_rule import judge_runtime
from zoo.bundle.runtime.golden_replay import MIN_GOLDEN, RunGraph, answers_of, feeds_of, replay
from zoo.bundle.runtime.installed_runtime import InstalledRuntime
from zoo.bundle.runtime.manifest import GoldenCase, Manifest, RuntimeRecord, read_listed
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
        name = f"{runtime.title} {runtime.versions()[runtime.engine]} on {runtime.provider()}"
        if not installed.is_exact:
            return Status.INCONCLUSIVE, (
                f"{name}: it computes in {installed.precision}, and the golden cases are for single precision; "
                f"`zoo verify --against` and `zoo export --for {installed.name}` judge it on the evaluation data"
            )
        graphs = _Graphs(bundle, runtime, record)
        try:
            differences = replay(bundle.path, bundle.manifest.golden, graphs.run, read=bundle.read)
            differing = [case for case in bundle.manifest.golden if differences[case.name]]
            worst = max((graphs.ratio(case) for case in differing), default=0.0)
        except (SandboxError, RuntimeRefused) as error:
            return Status.FAIL, error.message
    if not differences:
        return Status.INCONCLUSIVE, "the bundle has no golden cases"
    wrong = [line for lines in differences.values() for line in lines]
    if wrong:
        times = f", at worst {worst:.3g} times what the bundle allows" if worst > 0 else ""
        return Status.FAIL, f"{name}: it answers otherwise{times}: {'; '.join(wrong[:6])}"
    own = f" with its own files in {record.folder}" if record is not None and record.files else ""
    number = len(differences)
    if number == 1:
        return Status.WARN, f"{name}: it reproduces the only golden case{own}: one case says little about a runtime"
    few = f", fewer than the {MIN_GOLDEN} that zoo has of most models" if number < MIN_GOLDEN else ""
    return Status.PASS, f"{name}: it reproduces all {number} golden cases{own}{few}"


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
