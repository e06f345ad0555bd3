"""Code and page of a bundle are zoo's own, whatever hashes the manifest names for them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime.test_bundle import ZooCommand, relist, rewrite
from zoo.bundle.judge.cases import Finding
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.released_code import RELEASES
from zoo.bundle.report.page import ShownCase, page
from zoo.bundle.report.record import read_report
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.bundle.runtime.code_check import check_code, zoo_version
from zoo.bundle.runtime.manifest import BundleFile, PluginRecord
from zoo.bundle.runtime.task_source import task_source
from zoo.registry.catalog import Catalog
from zoo.runs.serialization import to_json

EXPORTED = Path(__file__).parents[2] / "data" / "zoo_0_1" / "exported"
KEYPOINTS = Path(__file__).parents[3] / "examples" / "zoo_keypoints" / "src"
PNG = b"\x89PNG\r\n\x1a\n and pixels"
EVIL = "import os\nos.system('true')\n"


def finding(path: Path, **changes: object) -> Finding:
    """What is found in a bundle whose manifest has other values."""
    bundle = Bundle.open(path)
    return check_code(path, replace(bundle.manifest, **changes), read_report(path / "report.json"))  # type: ignore[arg-type]


def replaced(path: Path, text: str) -> None:
    """Another text in the place of a file, and its hash in the manifest."""
    path.write_text(text, encoding="utf-8")
    relist(path.parent, path.name)


@pytest.mark.parametrize("name", ["run.py", "selftest.py", "task.py", "report.html"])
def test_replaced_code_with_a_mended_hash_fails_without_against(
    make_bundle: MakeBundle, zoo_command: ZooCommand, name: str
) -> None:
    bundle = make_bundle()
    replaced(bundle / name, EVIL)
    said = zoo_command("verify", str(bundle))
    assert said.code == 1
    assert f"{name} is not the one that zoo {zoo_version()} writes" in said.out


@pytest.mark.parametrize("name", ["run.py", "task.py", "report.html"])
@pytest.mark.parametrize("exported", ["conv_autoencoder", "segmenter", "writer"])
def test_bundles_of_a_released_version_hold_and_replaced_code_in_them_fails(
    tmp_path: Path, exported: str, name: str
) -> None:
    assert finding(EXPORTED / exported) == (Status.PASS, "run.py, task.py, report.html are what zoo 0.1.0 writes")
    for file in (EXPORTED / exported).glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    replaced(tmp_path / name, (tmp_path / name).read_text(encoding="utf-8") + "\n")
    assert finding(tmp_path) == (Status.FAIL, f"{name} is not the one that zoo 0.1.0 writes")


def test_labels_are_the_classes_of_the_manifest(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    (bundle / "labels.txt").write_text("red\ngreen\nblue\n")
    size = BundleFile(name="labels.txt", role="labels", sha256="", bytes=15)

    def listed() -> Finding:
        sha256 = hashlib.sha256((bundle / "labels.txt").read_bytes()).hexdigest()
        return finding(bundle, files=(*Bundle.open(bundle).manifest.files, replace(size, sha256=sha256)))

    assert listed()[0] == Status.PASS
    (bundle / "labels.txt").write_text("red\nblue\ngreen\n")
    assert listed() == (Status.FAIL, "labels.txt does not name the classes of the manifest")


def test_a_module_that_run_py_would_import_is_no_file_of_a_bundle(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    (bundle / "numpy.py").write_text(EVIL)
    first, *others = to_json(Bundle.open(bundle).manifest.files)
    rewrite(bundle, files=[first, *others, {**first, "name": "numpy.py"}])
    relist(bundle, "numpy.py")
    gates = {gate.name: gate for gate in verify_bundle(bundle).gates}
    assert gates["files"].status == Status.PASS
    assert (gates["code"].status, gates["code"].detail) == (Status.FAIL, "numpy.py is no file of a bundle")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Not proved", "Proved"),
        ("<body>", "<body><script>alert(1)</script>"),
        ("default-src 'none'", "default-src *"),
        ("</body>", '<img src="https://example.org/pixel.png" alt=""/></body>'),
        ("</style>", "body{display:none}</style>"),
        ("PASS", "FAIL"),
    ],
)
def test_a_page_with_other_words_or_elements_is_none_of_zoos(make_bundle: MakeBundle, before: str, after: str) -> None:
    bundle = make_bundle()
    text = (bundle / "report.html").read_text(encoding="utf-8").replace("&#x27;", "'")
    edited = text.replace(before, after, 1) if before in text else text + after
    replaced(bundle / "report.html", edited)
    assert finding(bundle)[0] == Status.FAIL


def test_a_page_with_cases_is_made_again_from_what_it_shows(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    case = partial(ShownCase, graph="pipeline.onnx")
    shown = [
        case(case="a <b>", reference="99 % cat & dog", candidate="98 %\n2 %", input_png=PNG),
        case(case="text only", reference="x", candidate="y"),
        case(case="pictures", reference="", candidate="", reference_png=PNG, candidate_png=PNG),
    ]
    whole = page(read_report(bundle / "report.json"), shown=shown)
    replaced(bundle / "report.html", whole)
    assert finding(bundle)[0] == Status.PASS
    for before, after in (
        ("data:image/png;base64,iVBO", "data:image/png;base64,iVBP"),
        ("data:image/png;base64,", "data:image/svg+xml;base64,"),
        ("<h3>text only", '<h3 onclick="x()">text only'),
        ("<h3>text only</h3>", "<h3>text only</h3><form></form>"),
    ):
        replaced(bundle / "report.html", whole.replace(before, after))
        assert finding(bundle)[0] == Status.FAIL


def test_a_file_that_the_manifest_does_not_list_is_missed(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    files = tuple(file for file in Bundle.open(bundle).manifest.files if file.name != "run.py")
    assert finding(bundle, files=files) == (Status.FAIL, "the manifest lists no run.py")


def test_code_of_a_version_that_nobody_knows_is_not_passed_over(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    assert finding(bundle, zoo="99.0")[0] == Status.PASS  # the same code as today
    replaced(bundle / "run.py", EVIL)
    status, sentence = finding(bundle, zoo="99.0")
    assert status == Status.INCONCLUSIVE
    assert sentence == (
        f"run.py could not be compared: zoo {zoo_version()} does not know what zoo 99.0 writes "
        "(pip install edgezoo==99.0, and verify again)"
    )


# --- a task of somebody else ---


@pytest.fixture
def keypoints(monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginRecord]:
    """The example's plugin installed as keypoints 1.0."""
    monkeypatch.syspath_prepend(str(KEYPOINTS))
    from zoo_keypoints import plugin

    plugin.name = "keypoints"  # type: ignore[attr-defined]
    catalog = Catalog.discover([plugin])
    installed = replace(catalog.plugins[0], distribution="zoo-keypoints", version="1.0")
    monkeypatch.setattr(Catalog, "discover", lambda: replace(catalog, plugins=(installed,)))
    yield PluginRecord(name="keypoints", distribution="zoo-keypoints", version="1.0")
    for name in [name for name in sys.modules if name.partition(".")[0] == "zoo_keypoints"]:
        del sys.modules[name]


def test_a_task_that_is_not_installed_is_said_not_to_be_compared(make_bundle: MakeBundle) -> None:
    status, sentence = finding(make_bundle(), task="poses")
    assert status == Status.WARN
    assert sentence.startswith("task.py could not be compared: no task named 'poses'")


def test_the_task_of_an_installed_plugin_is_compared(make_bundle: MakeBundle, keypoints: PluginRecord) -> None:
    bundle = make_bundle()
    task = {"task": "keypoints", "task_plugin": keypoints}
    assert finding(bundle, **task) == (Status.FAIL, "task.py is not the one that zoo-keypoints 1.0 brings")
    replaced(bundle / "task.py", task_source("zoo_keypoints.device:read"))
    assert finding(bundle, **task)[0] == Status.PASS


@pytest.mark.parametrize("written", [None, PluginRecord(name="keypoints", distribution="zoo-keypoints", version="0.9")])
def test_the_task_of_another_version_of_a_plugin_warns(
    make_bundle: MakeBundle, keypoints: PluginRecord, written: PluginRecord | None
) -> None:
    status, sentence = finding(make_bundle(), task="keypoints", task_plugin=written)
    by = "zoo-keypoints 0.9" if written else "an unknown version"
    assert (status, sentence) == (
        Status.WARN,
        f"task.py could not be compared: it was written with {by} and zoo {zoo_version()}, installed are "
        f"zoo-keypoints 1.0 and zoo {zoo_version()}",
    )


def test_every_version_before_this_one_is_recorded() -> None:
    """Whoever raises the version records what the one before wrote."""
    pages = (Path(__file__).parents[3] / "docs").glob("changes-*.md")
    versions = sorted(tuple(map(int, page.stem.removeprefix("changes-").split("."))) for page in pages)
    current = tuple(map(int, zoo_version().split(".")[:2]))
    before = {f"{major}.{minor}.0" for major, minor in [(0, 1), *versions] if (major, minor) < current}
    assert before <= RELEASES.keys()
