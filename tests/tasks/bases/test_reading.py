"""Files are read as the device reads them; what it cannot read is a BadFile with the task's own words."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from zoo import BadFile, DeviceReader, DeviceTextReader, FileItem, ImageInput, Problem

PROBLEM = Problem(task="lines", input=ImageInput(size=(1, 1)), classes=("a", "b"))


def read(path: Path, problem: Any) -> Any:
    """A line for each item; one line is the file itself."""
    lines = path.read_text().splitlines()
    if not lines:
        raise ValueError("it is empty")
    items = [
        (f"line {index}", {"n": np.array([len(line) + len(problem["classes"])])}) for index, line in enumerate(lines)
    ]
    return items if len(items) > 1 else items[0][1]


def read_text(text: str, problem: Any) -> Any:
    """The length."""
    if not text:
        raise ValueError("it is empty")
    return {"n": np.array([len(text)])}


class Lines(DeviceTextReader):
    """Lines of text."""

    device = cast("ModuleType", SimpleNamespace(read=read, read_text=read_text))
    noun, hint = "lines", "give a file with lines"


def test_one_item_has_no_name_and_many_have_theirs(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("abc")
    assert Lines().read(path, PROBLEM) == (FileItem(inputs={"n": np.array([5])}),)
    path.write_text("abc\nde\n")
    assert [(item.name, item.inputs["n"].tolist()) for item in Lines().read(path, PROBLEM)] == [
        ("line 0", [5]),
        ("line 1", [4]),
    ]


def test_what_cannot_be_read_is_a_bad_file(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.touch()
    with pytest.raises(BadFile, match=r"x\.txt cannot be read as lines: it is empty") as caught:
        Lines().read(path, PROBLEM)
    assert caught.value.hint == "give a file with lines"
    with pytest.raises(BadFile, match="No such file"):
        Lines().read(tmp_path / "none.txt", PROBLEM)
    with pytest.raises(BadFile, match="'' cannot be read as lines: it is empty"):
        Lines().read_text("", PROBLEM)
    assert Lines().read_text("four", PROBLEM)["n"].tolist() == [4]


def test_only_who_reads_texts_has_the_method() -> None:
    assert not hasattr(DeviceReader(), "read_text")
