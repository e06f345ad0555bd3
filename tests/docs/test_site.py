"""The documentation site: built with warnings as errors, it loads nothing from a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import outward_links
from docs.outward_links import LINK, PLAIN, on_page_markdown
from docs.run_examples import ROOT

LOADED = re.compile(r"""<(?:script|img|link|iframe)[^>]+(?:src|href)=["']?(?:https?:)?//[^"'> ]+""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([".", "plugins", "export"])}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.ci
def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    assert [match[0] for page in pages for match in LOADED.finditer(page.read_text(encoding="utf-8"))] == []
    styles = [file.read_text(encoding="utf-8") for file in site.rglob("*.css")]
    assert [found for style in styles for found in re.findall(r"url\(['\"]?https?:[^)]*\)", style)] == []


@pytest.mark.ci
def test_a_page_shows_docstrings_commands_and_files_of_the_repository(site: Path) -> None:
    api = (site / "api" / "using.html").read_text(encoding="utf-8")
    assert "The full names of the installed models that fit, sorted." in api
    assert "zoo data convert" in (site / "command-line.html").read_text(encoding="utf-8")
    proof = (site / "proof.html").read_text(encoding="utf-8")
    assert 'href="repository/benchmarks/openvino.html"' in proof
    assert (site / "repository" / "benchmarks" / "openvino.html").is_file()


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"third_party_top.md"}
    assert pages == set(re.findall(r": (\S+\.md)$", navigation, re.MULTILINE))


def test_a_link_out_of_the_pages_leads_to_the_copy_in_the_site() -> None:
    class File:
        src_uri = "proof.md"

    class Page:
        file = File()

    text = "[a](../benchmarks/openvino.md#b) [c](data.md)\n```tree text-table x\n| `a \\| b` | c \\| d |\n"
    assert LINK.findall(text) == ["benchmarks/openvino.md"]
    assert PLAIN.search(text)
    expected = "[a](repository/benchmarks/openvino.md#b) [c](data.md)\n```text\n| `a | b` | c \\| d |\n"
    assert on_page_markdown(text, page=Page()) == expected  # type: ignore[arg-type]


def test_the_gallery_is_linked_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Page:
        file = type("File", (), {"src_uri": "demo.md"})()

    text = (ROOT / "docs" / "demo.md").read_text(encoding="utf-8")
    monkeypatch.setattr(outward_links, "GALLERY", tmp_path)
    assert "gallery/index.html" not in on_page_markdown(text, page=Page())  # type: ignore[arg-type]
    (tmp_path / "index.html").write_text("")
    assert "](gallery/index.html)" in on_page_markdown(text, page=Page())  # type: ignore[arg-type]
