"""`zoo demo` as it is called: places, downloads, refusals."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import zoo_export.export
from tests.bundle.conftest import MakeBundle, make_bundle
from tests.bundle.demo.conftest import FILES, archive, package
from zoo.bundle.demo.runtime_package import ABOUT, ARCHIVE
from zoo.cli.demo import runtime_package

__all__ = ["make_bundle", "package"]  # fixtures

Zoo = Callable[..., Any]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A local server that stands for a mirror; the path of the archive that it gives."""
    path = tmp_path / "served" / "npm" / ARCHIVE
    path.parent.mkdir(parents=True)
    path.write_bytes(archive(FILES))
    handler = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path / "served")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("ZOO_MIRROR", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(runtime_package, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    yield path
    server.shutdown()
    server.server_close()


def test_a_page_is_written_and_the_package_is_downloaded_once(
    zoo_command: Zoo, make_bundle: MakeBundle, npm: Path, empty_directory: Path
) -> None:
    bundle = str(make_bundle())
    assert zoo_command("demo", bundle, "-o", "first.html").code == 0
    npm.unlink()
    said = zoo_command("demo", bundle, "-o", "second.html", "--json")
    assert said.code == 0
    assert said.json["onnxruntime_web"] == "1.30.0"
    assert said.json["bytes"] == Path("second.html").stat().st_size
    assert Path("first.html").read_bytes() == Path("second.html").read_bytes()


def test_a_package_of_other_bytes_is_not_used(
    zoo_command: Zoo, make_bundle: MakeBundle, npm: Path, empty_directory: Path
) -> None:
    npm.write_bytes(archive(FILES | {"more": b"x"}))
    said = zoo_command("demo", str(make_bundle()))
    assert said.code == 1
    assert "was expected" in said.err
    assert not Path("demo.html").exists()


def test_without_a_mirror_the_users_own_npm_is_asked(
    zoo_command: Zoo, make_bundle: MakeBundle, empty_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = str(make_bundle())
    (tmp_path / "bin").mkdir()
    (tmp_path / "given.tgz").write_bytes(archive(FILES))
    npm = tmp_path / "bin" / "npm"
    npm.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "pack onnxruntime-web@1.30.0" ] && /bin/cp {tmp_path}/given.tgz {ARCHIVE}\n'
    )
    npm.chmod(0o755)
    monkeypatch.delenv("ZOO_MIRROR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    said = zoo_command("demo", bundle)
    assert said.code == 2
    assert "npm gave another onnxruntime-web 1.30.0 than was expected" in said.err
    monkeypatch.setattr(runtime_package, "SHA256", hashlib.sha256((tmp_path / "given.tgz").read_bytes()).hexdigest())
    assert zoo_command("demo", bundle).code == 0
    npm.write_text("#!/bin/sh\necho no such host >&2\nexit 1\n")
    assert zoo_command("demo", bundle, "-o", "again.html").code == 0  # kept


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("", "zoo asks npm for onnxruntime-web, and npm is not installed here"),
        ("#!/bin/sh\necho no such host >&2\nexit 1\n", "npm did not give onnxruntime-web 1.30.0: no such host"),
    ],
)
def test_where_npm_gives_nothing_the_way_by_hand_is_named(  # noqa: PLR0917  pytest passes fixtures by name
    script: str,
    message: str,
    zoo_command: Zoo,
    make_bundle: MakeBundle,
    empty_directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "bin").mkdir()
    if script:
        (tmp_path / "bin" / "npm").write_text(script)
        (tmp_path / "bin" / "npm").chmod(0o755)
    monkeypatch.delenv("ZOO_MIRROR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    said = zoo_command("demo", str(make_bundle()))
    assert said.code == 3
    assert message in said.err
    assert "--onnxruntime-web" in said.err


def test_offline_the_way_by_hand_is_named(
    zoo_command: Zoo, make_bundle: MakeBundle, package: Path, empty_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    bundle = str(make_bundle())
    said = zoo_command("demo", bundle)
    assert said.code == 3
    assert "ZOO_OFFLINE is set" in said.err
    assert "npm pack onnxruntime-web@1.30.0" in said.err
    assert zoo_command("demo", bundle, "--onnxruntime-web", str(package)).code == 0
    assert Path("demo.html").is_file()


def test_another_version_is_used_with_a_note(
    zoo_command: Zoo, make_bundle: MakeBundle, tmp_path: Path, empty_directory: Path
) -> None:
    about = json.dumps({"name": "onnxruntime-web", "version": "1.29.0"}).encode()
    (tmp_path / "old.tgz").write_bytes(archive(FILES | {ABOUT: about}))
    said = zoo_command("demo", str(make_bundle()), "--onnxruntime-web", str(tmp_path / "old.tgz"))
    assert said.code == 0
    assert "is onnxruntime-web 1.29.0; pages are tested with 1.30.0" in said.err


def test_nothing_is_overwritten_unasked(
    zoo_command: Zoo, make_bundle: MakeBundle, package: Path, empty_directory: Path
) -> None:
    words = ("demo", str(make_bundle()), "--onnxruntime-web", str(package))
    Path("demo.html").write_text("mine")
    said = zoo_command(*words)
    assert said.code == 2
    assert "demo.html exists already" in said.err
    assert Path("demo.html").read_text() == "mine"
    assert zoo_command(*words, "--overwrite").code == 0
    Path("folder").mkdir()
    said = zoo_command(*words, "-o", "folder", "--overwrite")
    assert said.code == 2
    assert "folder is a folder, and the page is one file" in said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "zoo demo takes one bundle, and 0 were given"),
        (("a", "b"), "zoo demo takes one bundle, and 2 were given"),
        (("nowhere",), "nowhere does not exist"),
        (("a", "-o", "x.html", "--gallery", "b"), "-o, --runner and --gallery are three different things"),
        (("a", "--gallery", "b", "--variant", "int8"), "--variant goes with one bundle"),
        ((".", "--runner", "b", "--onnxruntime-web", "c"), "--onnxruntime-web goes with a page"),
    ],
)
def test_bad_usage_is_a_sentence(
    zoo_command: Zoo, empty_directory: Path, words: tuple[str, ...], sentence: str
) -> None:
    said = zoo_command("demo", *words)
    assert said.code == 2
    assert sentence in said.err


def test_a_runner_says_how_it_is_tried(zoo_command: Zoo, make_bundle: MakeBundle, empty_directory: Path) -> None:
    said = zoo_command("demo", str(make_bundle()), "--runner", "js")
    assert said.code == 0
    assert "next: cd js && npm install --ignore-scripts && node run.mjs --self-test" in said.out
    assert Path("js/run.mjs").is_file()


def test_a_variant_that_the_bundle_does_not_have_is_a_sentence(
    zoo_command: Zoo, make_bundle: MakeBundle, package: Path, empty_directory: Path
) -> None:
    for words in (("--onnxruntime-web", str(package)), ("--runner", "js")):
        said = zoo_command("demo", str(make_bundle()), "--variant", "int8", *words)
        assert said.code == 2
        assert "the bundle of cnn/cnn has no variant int8" in said.err
    assert not Path("demo.html").exists()
    assert not Path("js").exists()


def test_a_gallery_has_a_page_for_each_bundle_and_an_index(
    zoo_command: Zoo, make_bundle: MakeBundle, package: Path, empty_directory: Path
) -> None:
    bundle = str(make_bundle())
    words = ("demo", bundle, "--gallery", "site", "--onnxruntime-web", str(package))
    said = zoo_command(*words, "--json")
    assert said.code == 0
    assert [page["file"] for page in said.json["pages"]] == ["cnn.html"]
    assert sorted(path.name for path in Path("site").iterdir()) == ["cnn.html", "gallery.json", "index.html"]
    assert zoo_command(*words).code == 2
    assert zoo_command(*words, "--overwrite").code == 0
    said = zoo_command("demo", bundle, bundle, "--gallery", "other", "--onnxruntime-web", str(package))
    assert said.code == 2
    assert "two bundles are of the model cnn" in said.err


def test_a_gallery_without_bundles_shows_what_zoo_ships_and_says_what_was_not_proved(
    zoo_command: Zoo,
    make_bundle: MakeBundle,
    package: Path,
    empty_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Path] = {}

    def export_target(request: Any, *, output: Path) -> SimpleNamespace:
        asked[output.name] = output
        if output.name == "cnn":
            shutil.copytree(bundle, output)
        return SimpleNamespace(published=output.name == "cnn")

    bundle = make_bundle()
    monkeypatch.setattr(zoo_export.export, "export_target", export_target)
    said = zoo_command("demo", "--gallery", "site", "--onnxruntime-web", str(package), "--json")
    assert said.code == 1
    assert {"cnn", "yolo_nano", "fcn_tiny", "gru", "bert_tiny", "gru_lm", "dcgan", "wavenet_tiny"} <= set(asked)
    assert {place.parent for place in asked.values()} == {Path("site-bundles")}
    assert [page["file"] for page in said.json["pages"]] == ["cnn.html"]
    assert "yolo_nano@digit_scenes" in said.json["missing"]
    assert "their exports were not proved" in said.err
