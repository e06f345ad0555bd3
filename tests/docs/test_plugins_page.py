"""docs/plugins.md: every code block is executed in its order, and nothing of the contract is left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import zoo
from docs.run_examples import ROOT

PAGE = ROOT / "docs" / "plugins.md"
TEXT = PAGE.read_text()


class Block(NamedTuple):
    """One fenced block: its language, the file that its first line names, and its text."""

    language: str
    file: str
    text: str


BLOCKS = [
    Block(language, file, text)
    for language, file, text in re.findall(r"^```(\w+)\n(?:# (\S+\.\w+)\n)?(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
]
PIP = f"""#!{sys.executable}
import sys, tomllib
from pathlib import Path
folder = Path(sys.argv[3]).resolve()
project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
site = Path(__file__).parent / "site"
record = site / f"{{project['name'].replace('-', '_')}}-{{project['version']}}.dist-info"
record.mkdir(parents=True, exist_ok=True)
name, version = project["name"], project["version"]
(record / "METADATA").write_text(f"Metadata-Version: 2.1\\nName: {{name}}\\nVersion: {{version}}\\n")
entries = project["entry-points"]["zoo.plugins"]
(record / "entry_points.txt").write_text("[zoo.plugins]\\n" + "".join(f"{{k}} = {{v}}\\n" for k, v in entries.items()))
source = folder / "src" if (folder / "src").is_dir() else folder
with (site / "paths").open("a") as file:
    print(source, file=file)
"""
"""`pip install -e FOLDER` without a package index: the record of the distribution, and its folder on the path."""
ZOO = f"""#!{sys.executable}
import sys
from pathlib import Path
site = Path(__file__).parent / "site"
sys.path[:0] = [str(site), *(site / "paths").read_text().split()]
from zoo.cli import main
sys.exit(main())
"""


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], None]:
    """Runs a block of commands in an empty folder, where `pip` and `zoo` are those above."""
    tools, folder = tmp_path / "tools", tmp_path / "folder"
    (tools / "site").mkdir(parents=True)
    folder.mkdir()
    for name, text in {"pip": PIP, "zoo": ZOO}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": path}

    def run(commands: str) -> None:
        done = subprocess.run(
            ["bash", "-euc", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"

    return run


@pytest.mark.install
def test_the_page_as_a_newcomer_follows_it(shell: Callable[[str], None], tmp_path: Path) -> None:
    for block in BLOCKS:
        if block.file:
            (tmp_path / "folder" / block.file).write_text(block.text)
        elif block.language == "sh":
            shell(block.text)
        elif block.language == "python":
            exec(compile(block.text, str(PAGE), "exec"), {})
    assert (tmp_path / "folder" / "line-digits.md").is_file()


@pytest.mark.ci
def test_both_editions_of_the_ten_lines_learn(shell: Callable[[str], None], tmp_path: Path) -> None:
    trained = 0
    for block in BLOCKS:
        if block.file:
            (tmp_path / "folder" / block.file).write_text(block.text)
        elif block.language == "python":
            exec(compile(block.text, str(PAGE), "exec"), {})
        for line in block.text.splitlines() if block.language == "sh" else ():
            if line.startswith("zoo train"):
                shell(f"{line} --epochs 1 --limit-train 256")
                trained += 1
            elif line == "pip install -e ." or line.startswith("zoo info"):
                shell(line)
    assert trained == 2


def test_every_block_is_a_file_or_runs() -> None:
    assert {block.language for block in BLOCKS} == {"python", "toml", "sh"}
    assert len(BLOCKS) == TEXT.count("\n```") / 2
    lines = [line for line in BLOCKS[0].text.splitlines() if line]
    assert (BLOCKS[0].file, len(lines)) == ("tenlines.py", 9)


def test_every_name_on_the_page_is_public() -> None:
    names = set(re.findall(r"\bzoo\.([A-Za-z]\w+)", TEXT)) - {"plugins", "former_names", "testing"}
    assert len(names) >= 8
    assert names - set(zoo.__all__) == set()
