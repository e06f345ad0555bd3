"""Are run.py, task.py and report.html those that zoo writes?  A file with a mended hash is whole, and may be anything.

The expected bytes are made here: run.py from its template, task.py from the source of the installed task, report.html
from report.json and the worst cases that the page itself shows.  Those of released versions are recorded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from zoo.api.errors import AmbiguousName, UnknownName, ZooError, describe_error
from zoo.api.parts import Task
from zoo.api.problem import Problem
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.parity_rule import Status, worst
from zoo.bundle.released_code import RELEASES
from zoo.bundle.report.page import page
from zoo.bundle.report.record import Report
from zoo.bundle.report.shown_cases import read_shown, style_of
from zoo.bundle.runtime import bundled_run, bundled_self_test, bundled_variant
from zoo.bundle.runtime.manifest import ROLES, Manifest, PluginRecord, read_listed
from zoo.bundle.runtime.runtimes import runtime_files
from zoo.bundle.runtime.task_source import task_source
from zoo.bundle.runtime.variants import variant_files
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import BUILT_IN

CODE = ("run.py", "selftest.py", "task.py", "report.html")
CODE_OF_0_1 = ("run.py", "task.py", "report.html")
LABELS = "labels.txt"
VARIANT_RUNNER = "variant.py"
"""In bundles with a pipeline of one size or for batches alone."""
MAX_BYTES = 64 << 20
"""Of one of them; a page with large pictures has a few MB."""


def zoo_version() -> str:
    """The installed version of zoo."""
    try:
        return version(BUILT_IN)
    except PackageNotFoundError:
        return "not installed"


def runner(task: Task, problem: Problem, *, forms: bool = False) -> dict[str, bytes]:
    """run.py, selftest.py, task.py and, where there are classes, labels.txt, as this zoo writes them.

    With `forms` variant.py as well, for a bundle with a pipeline of one size or for batches.
    """
    files = {name: _own(name) for name in OWN if forms or name != VARIANT_RUNNER}
    files["task.py"] = task_source(task.device(problem)).encode()
    return files | ({LABELS: labels(problem)} if problem.classes else {})


def labels(problem: Problem) -> bytes:
    """The names of the classes, a line each, in the order of the outputs."""
    return "".join(name.replace("\n", r"\n") + "\n" for name in problem.classes).encode()


def check_code(folder: Path, manifest: Manifest, report: Report, *, catalog: Catalog | None = None) -> Finding:
    """FAIL for a file that zoo of the manifest's version does not write, and for one that belongs to no bundle.

    `catalog` has the task whose code travels as task.py; None has it discovered.
    """
    code = CODE_OF_0_1 if manifest.zoo in RELEASES else CODE
    if VARIANT_RUNNER in manifest.hashes() or any(record.signature for record in manifest.variants):
        code = (*code, VARIANT_RUNNER)
    names = [*code, *([LABELS] if LABELS in manifest.hashes() else [])]
    findings = [*_strangers(manifest), *(_check(name, folder, manifest, report, catalog) for name in names)]
    status = worst(*(status for status, _ in findings))
    if status == Status.PASS:
        return status, f"{', '.join(code)} are what zoo {manifest.zoo} writes"
    return status, "; ".join(sentence for found, sentence in findings if found == status)


def _strangers(manifest: Manifest) -> Iterator[Finding]:
    known = {*ROLES, *(case.file for case in manifest.golden), *variant_files(manifest), *runtime_files(manifest)}
    for file in manifest.files:
        if file.name not in known:  # beside run.py, "numpy.py" would be imported in place of numpy
            yield Status.FAIL, f"{file.name} is no file of a bundle"


def _check(name: str, folder: Path, manifest: Manifest, report: Report, catalog: Catalog | None) -> Finding:
    if name not in manifest.hashes():
        return Status.FAIL, f"the manifest lists no {name}"
    data = read_listed(folder, manifest, name)
    if len(data) > MAX_BYTES:
        return Status.FAIL, f"{name} has {len(data):,} bytes; zoo writes none so large"
    if name == "task.py":
        return _check_task(data, manifest, catalog)
    if name == LABELS:
        equal = data == labels(manifest.problem)
        return (Status.PASS, "") if equal else (Status.FAIL, f"{LABELS} does not name the classes of the manifest")
    if name in OWN:
        known = {release: entry.run for release, entry in RELEASES.items()} if name == "run.py" else {}
        return _judge(name, manifest.zoo, now=data == _own(name), then=_released(data, known, manifest.zoo))
    return _check_page(data, manifest, report)


OWN = {
    "run.py": bundled_run.__file__,
    "selftest.py": bundled_self_test.__file__,
    VARIANT_RUNNER: bundled_variant.__file__,
}
"""The sources that travel as these files."""


def _own(name: str) -> bytes:
    return Path(OWN[name]).read_bytes()


def _released(data: bytes, known: Mapping[str, str], zoo: str) -> bool | None:
    """Whether a released version wrote these bytes; None for a version that is not recorded."""
    return hashlib.sha256(data).hexdigest() == known[zoo] if zoo in known else None


def _judge(name: str, zoo: str, *, now: bool, then: bool | None) -> Finding:
    """From what the installed zoo and the recorded one say to what is known of a file."""
    installed = zoo_version()
    if then is True or (now and zoo not in RELEASES):
        return Status.PASS, ""
    if then is False or zoo == installed:
        return Status.FAIL, f"{name} is not the one that zoo {zoo} writes"
    return (
        Status.INCONCLUSIVE,
        f"{name} could not be compared: zoo {installed} does not know what zoo {zoo} writes "
        f"(pip install edgezoo=={zoo}, and verify again)",
    )


# --- task.py ---


@dataclass(frozen=True, slots=True, kw_only=True)
class _Installed:
    """The task as it is installed here."""

    source: bytes
    plugin: PluginRecord


def _check_task(data: bytes, manifest: Manifest, catalog: Catalog | None) -> Finding:
    tasks = RELEASES[manifest.zoo].tasks if manifest.zoo in RELEASES else {}
    if manifest.task in tasks:
        then = hashlib.sha256(data).hexdigest() in tasks[manifest.task]
        return _judge("task.py", manifest.zoo, now=False, then=then)
    try:
        installed = _installed(manifest, catalog or Catalog.discover())
    except (UnknownName, AmbiguousName) as error:
        return Status.WARN, f"task.py could not be compared: {error.message}"
    except (ZooError, ImportError, OSError, SyntaxError, ValueError) as error:
        return Status.WARN, f"task.py could not be compared: {describe_error(error)}"
    now = data == installed.source
    if installed.plugin.distribution == BUILT_IN:
        return _judge("task.py", manifest.zoo, now=now, then=None)
    if now:
        return Status.PASS, ""
    return _of_plugin(manifest, installed.plugin)


def _installed(manifest: Manifest, catalog: Catalog) -> _Installed:
    plugin, task = catalog.task(manifest.task).plugin, catalog.make_task(manifest.task)
    return _Installed(
        source=task_source(task.device(manifest.problem)).encode(),
        plugin=PluginRecord(name=plugin.name, distribution=plugin.distribution, version=plugin.version),
    )


def _of_plugin(manifest: Manifest, installed: PluginRecord) -> Finding:
    """Of a third party's task.py that is another one than the installed plugin's."""
    written = manifest.task_plugin
    if manifest.zoo == zoo_version() and written is not None and written == installed:
        return Status.FAIL, f"task.py is not the one that {installed.distribution} {installed.version} brings"
    by = "an unknown version" if written is None else f"{written.distribution} {written.version}"
    return (
        Status.WARN,
        f"task.py could not be compared: it was written with {by} and zoo {manifest.zoo}, installed are "
        f"{installed.distribution} {installed.version} and zoo {zoo_version()}",
    )


# --- report.html ---


def _check_page(data: bytes, manifest: Manifest, report: Report) -> Finding:
    text = data.decode(errors="replace")
    now = text == page(report, shown=read_shown(text))
    release = RELEASES.get(manifest.zoo)
    then = None
    if release is not None:
        style = style_of(text)
        today = page(report, shown=read_shown(text), style=style)
        then = hashlib.sha256(style.encode()).hexdigest() == release.style and text == release.page_of_then(today)
    return _judge("report.html", manifest.zoo, now=now, then=then)
