"""The modules joined to one."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from zoo.bundle.demo.scripts import FOLDER, joined_script

DEFINED = re.compile(r"^(?:export )?(?:async )?(?:function\*?|const|class) (\w+)", re.MULTILINE)
ENTRIES = ["page.mjs", "node.mjs"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_joined_script_imports_no_file_and_defines_each_name_once(entry: str) -> None:
    script = joined_script(entry)
    assert not re.search(r'^import .*"\./', script, re.MULTILINE)
    assert "</script" not in script
    assert [name for name, count in Counter(DEFINED.findall(script)).items() if count > 1] == []


def test_what_the_runner_offers_is_exported_and_nothing_else() -> None:
    exported = re.findall(r"^export .*$", joined_script("node.mjs"), re.MULTILINE)
    assert [line.partition("(")[0] for line in exported] == [
        "export { array, pairs, readWave, waveBytes };",
        "export async function openRunner",
    ]
    assert not re.search("^export ", joined_script("page.mjs"), re.MULTILINE)


def test_a_module_stands_behind_those_that_it_needs() -> None:
    script = joined_script("node.mjs")
    heads = [path.read_text(encoding="utf-8").splitlines()[0] for path in (FOLDER / "arrays.mjs", FOLDER / "graph.mjs")]
    assert -1 < script.index(heads[0]) < script.index(heads[1])


def test_every_module_is_used() -> None:
    names = {path.name for path in FOLDER.iterdir()}
    joined = "".join(map(joined_script, ENTRIES))
    assert {name for name in names if (FOLDER / name).read_text(encoding="utf-8").splitlines()[0] in joined} == names
