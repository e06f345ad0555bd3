"""What `zoo weights list` shows of conversions, and what `zoo weights clear` deletes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

import zoo
from zoo.models.weights.cached import cached_files, converted_folder
from zoo.models.weights.pickled import as_safetensors


def test_conversions_are_listed_and_cleared(tmp_path: Path, zoo_command: Callable[..., Any]) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    torch.save({"a": torch.zeros(3)}, tmp_path / "b.pth")
    first, second = as_safetensors(tmp_path / "a.pth"), as_safetensors(tmp_path / "b.pth")
    (converted_folder() / f"{'0' * 64}.99.part").write_bytes(b"half")
    files = {file.path: file for file in cached_files(zoo.Catalog.discover())}
    assert {path: file.whole for path, file in files.items()} == {
        converted_folder() / f"{'0' * 64}.safetensors": False,
        first: True,
        second: True,
    }
    assert files[first].size == first.stat().st_size + 64  # the hash lies beside it

    listed = zoo_command("weights", "list", "--json").json
    assert [file["converted"] for file in listed["files"]] == [True, True, True]
    assert zoo_command("weights", "list").out.count("  converted  ") == 3

    assert zoo_command("weights", "clear", str(first)).out.startswith("deleted 1 of 3 files")
    assert not first.exists() and second.exists()
    # it is made again when it is needed
    assert torch.equal(load_file(as_safetensors(tmp_path / "a.pth"))["a"], torch.ones(2))
    assert zoo_command("weights", "clear", "--all").code == 0
    assert [file for file in converted_folder().iterdir() if file.suffix != ".lock"] == []
