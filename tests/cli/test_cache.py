"""`zoo cache`: how much is kept, and emptying it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from zoo.runs.kept_files import kept_folder, write_entry

Command = Callable[..., Any]


def test_it_is_shown_and_emptied(zoo_command: Command) -> None:
    assert zoo_command("cache", "show").out.splitlines() == [
        f"0 entries, 0 B of at most 256.0 MB, in {kept_folder()}",
        "next: zoo export --onnx",
    ]
    write_entry("a", bytes(968))
    told = json.loads(zoo_command("cache", "show", "--json").out)
    assert told == {"schema": 1, "folder": str(kept_folder()), "entries": 1, "bytes": 1000}
    assert json.loads(zoo_command("cache", "clear", "--json").out) == {"schema": 1, "removed": 1}
    assert json.loads(zoo_command("cache", "show", "--json").out)["entries"] == 0


def test_no_cache_goes_with_against(zoo_command: Command, tmp_path: Any) -> None:
    answer = zoo_command("verify", str(tmp_path), "--no-cache")
    assert answer.code == 2
    assert "--no-cache goes with --against" in answer.err
