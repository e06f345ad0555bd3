"""Bundles of published weights, the npm packages that drive a browser, and the browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.bundle.demo.page import demo_page
from zoo.bundle.demo.runtime_package import read_package
from zoo.bundle.runtime.bundle import Bundle

HERE = Path(__file__).parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SECONDS = 240
"""That one program may take: npm fetches 120 MB, a page with a slow model is replayed."""

Visit = Callable[..., Any]


def run_tool(words: list[str], *, folder: Path, stdin: str = "", good: tuple[int, ...] = (0,)) -> str:
    """What a program prints; the test fails with its name where it is missing, and with its words where it fails."""
    if shutil.which(words[0]) is None:
        pytest.fail(f"{words[0]} is not installed: this test needs node and npm")
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode not in good:
        pytest.fail(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of package.json and drive.mjs; DEMO_NPM names one where they are installed already."""
    folder = Path(os.environ["DEMO_NPM"]) if "DEMO_NPM" in os.environ else tmp_path_factory.mktemp("npm")
    shutil.copy(HERE / "package.json", folder)
    if not (folder / "node_modules").is_dir():
        run_tool(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], folder=folder)
    shutil.copy(HERE / "drive.mjs", folder)
    return folder


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The bundle of published weights, or of an architecture without any, proved once; DEMO_BUNDLES names a folder of
    bundles that are there already."""
    ready = Path(os.environ.get("DEMO_BUNDLES", "/nowhere"))
    folder = tmp_path_factory.mktemp("bundles")

    def find(name: str) -> Path:
        model = name.partition("@")[0]
        path = next((path for path in (ready / model, folder / model) if path.is_dir()), folder / model)
        if not path.is_dir():
            written = zoo.export(name, untrained="@" not in name, output=path, evaluate=0)
            assert written.published, written.report.sentence
        return path

    return find


@pytest.fixture
def visit(npm: Path, bundles: Callable[[str], Path], tmp_path: Path) -> Visit:
    """Opens the page of weights or of a bundle in headless Chromium, does the steps, and gives what is seen then."""

    def call(
        name: str | Path,
        *steps: Mapping[str, Any],
        change: Callable[[str], str] = str,
        variant: str | None = None,
        **job: Any,
    ) -> Any:
        bundle = Bundle.open(bundles(name) if isinstance(name, str) else name)
        html = change(demo_page(bundle, read_package(npm), variant=variant))
        (tmp_path / "demo.html").write_text(html, encoding="utf-8")
        found = next((path for tool in CHROMIUM if (path := shutil.which(tool))), None)
        document = {"page": (tmp_path / "demo.html").as_uri(), "chromium": found, "steps": steps, **job}
        seen = json.loads(run_tool(["node", "drive.mjs"], folder=npm, stdin=json.dumps(document)))
        assert seen["requests"] == []
        return seen

    return call


def file_step(kind: str, path: Path, mime: str) -> dict[str, Any]:
    """The step that drops or chooses a file."""
    return {kind: {"name": path.name, "type": mime, "base64": b64encode(path.read_bytes()).decode()}}
