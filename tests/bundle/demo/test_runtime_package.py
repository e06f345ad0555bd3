"""The npm package, read from its archive and from its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundle.demo.conftest import FILES, RUNTIME, archive
from zoo.api.errors import BadFile
from zoo.bundle.demo.runtime_package import ABOUT, SCRIPT, VERSION, WASM, read_package


def test_an_archive_gives_script_and_wasm(package: Path) -> None:
    assert read_package(package) == RUNTIME


@pytest.mark.parametrize("inside", ["", "node_modules/onnxruntime-web"])
def test_a_folder_gives_the_same(tmp_path: Path, inside: str) -> None:
    for name, raw in FILES.items():
        (tmp_path / inside / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / inside / name).write_bytes(raw)
    assert read_package(tmp_path) == RUNTIME


@pytest.mark.parametrize("lost", [ABOUT, SCRIPT, WASM])
def test_a_package_without_a_part_is_refused(tmp_path: Path, lost: str) -> None:
    path = tmp_path / "package.tgz"
    path.write_bytes(archive({name: raw for name, raw in FILES.items() if name != lost}))
    with pytest.raises(BadFile, match=f"is not the npm package onnxruntime-web: .*{lost}"):
        read_package(path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is not the npm package onnxruntime-web"),
        (b"PK\3\4 no archive of npm", "is not the npm package onnxruntime-web"),
        (archive(FILES)[:-40], "is not the npm package onnxruntime-web"),
        (archive(FILES | {ABOUT: b'{"name": "left-pad", "version": "1.3.0"}'}), "is the npm package left-pad"),
        (archive(FILES | {ABOUT: b"[]"}), "its package.json cannot be read"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "package.tgz"
    path.write_bytes(raw)
    with pytest.raises(BadFile, match=words):
        read_package(path)


def test_the_licence_is_microsofts() -> None:
    assert RUNTIME.licence.startswith("MIT License\n\nCopyright (c) Microsoft Corporation\n")
    assert VERSION == "1.30.0"
