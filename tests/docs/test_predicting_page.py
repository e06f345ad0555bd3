"""docs/predicting.md: what it shows of Python runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

TEXT = Path("docs/predicting.md").read_text(encoding="utf-8")


def test_what_the_page_shows_of_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").symlink_to(Path("docs").absolute())
    (tmp_path / "names.csv").write_text("text\nGrace Hopper\n")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"picture": Image.open("docs/pictures/seven.png")}
    first, second = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    exec(first, names)
    assert [answer.title for answer in names["answers"]] == ["Ada Lovelace", "names.csv, row 1"]
    exec(second, names)
    assert names["scores"].shape == (1, 5)
