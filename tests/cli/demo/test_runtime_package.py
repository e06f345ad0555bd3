"""What `onnxruntime-web` needs beside Python packages: Node of an age, and the npm package, unpacked once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bundle.conftest import MakeBundle, make_bundle
from tests.bundle.demo.conftest import FILES, archive
from tests.conftest import Said
from zoo.api.errors import MissingExtra
from zoo.bundle.demo.runtime_package import ARCHIVE, SCRIPT, WASM
from zoo.cli.demo import runtime_package
from zoo.cli.demo.runtime_package import check_node, node_package

__all__ = ["make_bundle"]  # a fixture


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the only command of the PATH a `node` that prints this; nothing where it is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(printed: str) -> None:
        (folder / "node").write_text(f"#!/bin/sh\necho {printed}\n")
        (folder / "node").chmod(0o755)

    return make


def test_a_missing_node_is_one_sentence(
    node: Callable[[str], None], make_bundle: MakeBundle, zoo_command: Callable[..., Said]
) -> None:
    said = zoo_command("verify", str(make_bundle()), "--runtime", "onnxruntime-web")
    assert (said.code, "the command node is not installed here" in said.err) == (2, True)
    assert "install Node 20.12 or newer" in said.err


def test_a_missing_browser_is_one_sentence(
    node: Callable[[str], None],
    make_bundle: MakeBundle,
    zoo_command: Callable[..., Said],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHROME_PATH", "/nowhere/chrome")
    said = zoo_command("verify", str(make_bundle()), "--runtime", "onnxruntime-web-chromium")
    assert (said.code, "neither chromium nor google-chrome is installed here" in said.err) == (2, True)
    assert "apt install chromium" in said.err


@pytest.mark.parametrize(
    ("printed", "reason"), [("v18.19.0", "is v18.19.0"), ("v20.9.0", "is v20.9.0"), ("", "is of no version")]
)
def test_an_older_node_is_refused(node: Callable[[str], None], printed: str, reason: str) -> None:
    node(printed)
    with pytest.raises(MissingExtra, match=reason):
        check_node()


def test_the_package_is_unpacked_once(
    node: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node("v22.1.0")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    data = archive(FILES)
    path = tmp_path / "cache" / "npm" / ARCHIVE
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    monkeypatch.setattr(runtime_package, "SHA256", hashlib.sha256(data).hexdigest())
    folder = node_package()
    assert {(folder / name).read_bytes() for name in (SCRIPT, WASM)} == {FILES[SCRIPT], FILES[WASM]}
    path.unlink()
    assert node_package() == folder
    assert os.listdir(folder.parent) == [folder.name]  # noqa: PTH208
