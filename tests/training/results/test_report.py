"""report.html of a run looks as a bundle's does, and allows its own style sheet and embedded pictures alone."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.digits_run import make_digits_run
from zoo.bundle.report.page import STYLE
from zoo.runs.run import Run
from zoo.training.results.report import write_report


@pytest.fixture
def page(tmp_path: Path) -> str:
    """Of a run with a picture, and a table whose names are hostile."""
    make_digits_run(tmp_path / "run")
    pictures = tmp_path / "run" / "pictures"
    pictures.mkdir()
    Image.new("RGB", (4, 4)).save(pictures / "curves.png")
    Image.new("RGB", (4, 4)).save(pictures / "mistakes.png")
    (pictures / "mistakes.csv").write_text("file,truth\n<b>\x1b[2J.png,7\n")
    (pictures / "odd.csv").write_text("a\n1\n")
    return write_report(Run.open(tmp_path / "run")).read_text()


def test_it_has_the_style_sheet_of_all_reports_and_nothing_else_may_load(page: str) -> None:
    style = STYLE.read_text()
    assert f"<style>{style}</style>" in page
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{digest}&#x27;" in page or f"style-src 'sha256-{digest}'" in page
    assert not re.search("unsafe|<script", page)


def test_it_suits_phones_and_dark_rooms(page: str) -> None:
    assert '<meta name="viewport" content="width=device-width, initial-scale=1"/>' in page
    assert "prefers-color-scheme: dark" in page


def test_pictures_and_tables_of_one_name_stand_together_the_usual_first(page: str) -> None:
    assert re.findall("<h2>(.*?)</h2>", page) == [
        "The training, epoch by epoch",
        "The worst mistakes",
        "odd",
        "Epochs",
        "Recipe",
        "Versions",
    ]
    section = page.partition("The worst mistakes")[2].partition("</section>")[0]
    assert 'src="data:image/png;base64,' in section


def test_mistakes_are_listed_with_names_that_do_no_harm(page: str) -> None:
    assert r"<td>&lt;b&gt;\x1b[2J.png</td><td>7</td>" in page
    assert not {"\x1b"} & set(page)
