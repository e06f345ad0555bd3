"""`zoo plugins new`: every kind of package is whole, is listed, and passes the conformance kit as it was written."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.api.callback import CallbackRun, EpochResult
from zoo.api.errors import OutputExists, UsageError
from zoo.registry.catalog import Catalog
from zoo.testing import check_plugin
from zoo.testing.scaffold.package import MODULES, Kind, check_name, new_package

OPTIONS: dict[Kind, tuple[str, ...]] = {
    "model": (),
    "trainer": ("--with-trainer",),
    "task": ("--with-task",),
    "callback": ("--with-callback",),
    "weights": ("--weights-only", "convnet@digits"),
}
Install = Callable[[Path], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Makes a package's folder importable and its entry point known, as `pip install -e` would."""
    before = set(sys.modules)

    def put(folder: Path) -> None:
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        record = tmp_path / "site" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        record.mkdir(parents=True)
        head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        (record / "METADATA").write_text(head)
        entries = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["zoo.plugins"].items())
        (record / "entry_points.txt").write_text(f"[zoo.plugins]\n{entries}")
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        monkeypatch.syspath_prepend(str(folder / "src"))

    yield put
    for name in set(sys.modules) - before:
        if name.startswith("zoo_newt"):
            sys.modules.pop(name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.usefixtures("empty_directory")
def test_a_written_package_is_listed_and_passes_the_kit(
    kind: Kind, zoo_command: Callable[..., Any], install: Install
) -> None:
    said = zoo_command("plugins", "new", f"newt_{kind}", *OPTIONS[kind], "--json")
    assert said.code == 0, said.err
    folder = Path(f"zoo-newt-{kind}").absolute()
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {str(Path(path).relative_to(folder.name)) for path in said.json["files"]} == files
    assert {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        ".github/workflows/check.yml",
        "tests/test_conformance.py",
    } < files
    assert {f"src/zoo_newt_{kind}/{name}" for name in MODULES[kind]} < files
    assert said.json["next"][-1] == f"zoo plugins check newt_{kind}"
    install(folder)
    score = check_plugin(f"newt_{kind}", groups=("declaration", "model", "weights", "callback"))
    assert [one for one in score.results if one.status != "passed"] == []
    assert (score.distribution, score.version) == (f"zoo-newt-{kind}", "0.1.0")


@pytest.mark.parametrize("kind", ["model", "trainer", "task", "callback"])
def test_the_files_are_python_and_the_declaration_is_light(kind: Kind, tmp_path: Path) -> None:
    package = new_package("newt_files", kind=kind, place=tmp_path / "new")
    texts = package.texts()
    for path, text in texts.items():
        assert "$" not in text, path
        assert max(map(len, text.splitlines()), default=0) <= 120, path
        if path.endswith(".py"):
            ast.parse(text)
    plugin = ast.parse(texts["src/zoo_newt_files/plugin.py"])
    imported = {node.module for node in ast.walk(plugin) if isinstance(node, ast.ImportFrom)}
    assert imported == {"__future__", "collections.abc", "zoo"}
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["entry-points"] == {"zoo.plugins": {"newt_files": "zoo_newt_files.plugin"}}
    assert project["dependencies"][0] == "edgezoo>=0.2,<1"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Depth-Net", "depth_net"),
        ("depthNet", "depth_net"),
        ("zoo-depth", "depth"),
        ("3d", "d"),
        ("zoo-class", "depthnet"),
    ],
)
def test_a_bad_name_gets_the_closest_good_one(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="cannot be named") as error:
        check_name(name)
    assert error.value.hint == f"zoo plugins new {hint}"
    check_name(hint)


@pytest.mark.parametrize(
    "name", ["class", "match", "super", "block", "nn", "problem", "convnet", "image_classification"]
)
def test_a_name_that_something_else_has_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as error:
        check_name(name, Catalog.discover().plugins)
    assert error.value.hint == "choose another name"
    assert "lower case" not in error.value.message


@pytest.mark.parametrize("kind", ["model", "trainer", "task", "callback"])
def test_no_plugin_is_called_as_what_a_written_module_needs(kind: Kind, tmp_path: Path) -> None:
    for path, text in new_package("newt", kind=kind, place=tmp_path / "new").texts().items():
        names = set(bound(ast.parse(text))) if path.endswith(".py") else set()
        if not names & {"newt", "Newt"}:
            continue
        for name in names - {"newt", "Newt", "T", "TOLERANCE", "TYPE_CHECKING"}:
            with pytest.raises(UsageError):
                check_name(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def bound(module: ast.Module) -> Iterator[str]:
    """The names that a module's imports, functions and classes give."""
    for node in module.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (one.asname or one.name for one in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


@pytest.mark.usefixtures("empty_directory")
def test_names_and_places_that_are_taken_are_refused(zoo_command: Callable[..., Any]) -> None:
    assert "is installed already (edgezoo" in zoo_command("plugins", "new", "cnn").err
    assert "a package named 'zoo_export' is installed already" in zoo_command("plugins", "new", "export").err
    Path("zoo-newt").mkdir()
    said = zoo_command("plugins", "new", "newt")
    assert (said.code, "zoo-newt exists already" in said.err) == (2, True)
    with pytest.raises(OutputExists):
        new_package("newt", kind="weights")
    assert list(Path("zoo-newt").iterdir()) == []
    said = zoo_command("plugins", "new", "newt", "--weights-only", "cnn@digits", "--with-task")
    assert (said.code, "--weights-only writes no model" in said.err) == (2, True)
    said = zoo_command("plugins", "new", "newt", "--with-callback", "--with-task")
    assert (said.code, "--with-callback writes no model" in said.err) == (2, True)


@pytest.mark.usefixtures("empty_directory")
def test_a_written_callback_writes_its_file_and_goes_on_after_a_resume(install: Install) -> None:
    new_package("newt_diary", kind="callback").write()
    install(Path("zoo-newt-diary").absolute())
    catalog = Catalog.discover()
    entry = catalog.callback("newt-diary")
    run = CallbackRun(
        path=Path.cwd(), created="2026-01-01", model="cnn/cnn", task="image-classification", data="digits"
    )
    first, again = (catalog.make_callback(entry, run) for _ in range(2))
    first.on_epoch_end(epoch_result(1))
    state = first.state_dict()
    first.on_epoch_end(epoch_result(2))  # and then it was killed
    again.load_state_dict(state)
    again.on_epoch_end(epoch_result(2))
    assert Path("newt_diary.txt").read_text().splitlines() == [
        "epoch 1: loss 2.5, top1 0.5",
        "epoch 2: loss 2.5, top1 0.5",
    ]


def epoch_result(epoch: int) -> EpochResult:
    """A made-up result."""
    measured: Any = None
    return EpochResult(
        epoch=epoch, step=epoch, seconds=1.0, rate=0.1, speed=1.0, losses={"loss": 2.5}, metrics={"top1": 0.5},
        best=True, measured=measured,
    )  # fmt: skip


@pytest.mark.install
def test_a_written_callback_is_installed_and_its_tests_pass(tmp_path: Path) -> None:
    run = installed_elsewhere(tmp_path)
    run("zoo", "plugins", "new", "newt_callback", *OPTIONS["callback"])
    folder = tmp_path / "zoo-newt-callback"
    run("pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(folder))
    run("zoo", "train", "cnn", "--epochs", "1", "--limit-train", "64", "--callback", "newt-callback")
    assert " failed" not in run("pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
    run("zoo", "plugins", "check", "newt_callback")


@pytest.mark.install
@pytest.mark.parametrize("kind", ["model", "trainer", "task"])
def test_a_written_package_is_installed_trained_exported_and_checked(kind: Kind, tmp_path: Path) -> None:
    run = installed_elsewhere(tmp_path)
    run("zoo", "plugins", "new", f"newt_{kind}", *OPTIONS[kind])
    folder = tmp_path / f"zoo-newt-{kind}"
    run("pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(folder))
    assert f"newt_{kind}/newt_{kind}" in run("zoo", "list", f"newt_{kind}/*", "--json")
    run("zoo", "train", f"newt_{kind}", "--epochs", "1", "--limit-train", "512")
    run("zoo", "export", "--onnx", "--evaluate", "20")
    (bundle,) = tmp_path.glob("runs/*/*/export")
    run("zoo", "verify", str(bundle))
    run("zoo", "plugins", "check", f"newt_{kind}")
    assert " failed" not in run("pytest", "-q", "-p", "no:cacheprovider", cwd=folder)


def installed_elsewhere(tmp_path: Path) -> Callable[..., str]:
    """Runs modules in an environment of its own, which sees this one's libraries; nothing is fetched."""
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    (site / "here.pth").write_text("\n".join(entry for entry in sys.path if entry and Path(entry).is_dir()))

    def run(*words: str, cwd: Path = tmp_path) -> str:
        done = subprocess.run([str(python), "-m", *words], cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
