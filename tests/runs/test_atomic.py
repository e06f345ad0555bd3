"""A reader sees the old file or the new one, whatever happens in between."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from zoo.api.errors import DiskError, OutputExists
from zoo.runs.atomic import disk_errors, json_text, write_bytes, write_directory, write_text


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for text in ("old", "new ü"):
        write_text(tmp_path / "deep/file", text)
    assert (tmp_path / "deep/file").read_text(encoding="utf-8") == "new ü"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_bytes(tmp_path / "file", b"old")
    monkeypatch.setattr(call, full)
    with pytest.raises(DiskError, match=r"no space left to write .*file \(\d+ MB free\)"):
        write_bytes(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_place_that_may_not_be_written_is_a_sentence(tmp_path: Path, number: int) -> None:
    with pytest.raises(DiskError, match="cannot be written") as refused, disk_errors(tmp_path):
        raise OSError(number, "no")
    assert refused.value.exit_code == 3 and "-o" in refused.value.hint


def test_a_folder_in_the_place_of_a_file_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "best.json").mkdir()
    with pytest.raises(DiskError, match=r"best\.json cannot be written: a folder has this name") as refused:
        write_text(tmp_path / "best.json", "{}")
    assert refused.value.hint and refused.value.hint.startswith("move that folder away")
    assert [path.name for path in tmp_path.iterdir()] == ["best.json"]


def test_a_directory_appears_at_once_or_not_at_all(tmp_path: Path) -> None:
    def half(place: Path) -> None:
        (place / "a").write_text("1")
        raise ValueError("stop")

    def whole(place: Path) -> None:
        (place / "b").write_text("2")

    with pytest.raises(ValueError, match="stop"):
        write_directory(tmp_path / "made", half)
    assert list(tmp_path.iterdir()) == []
    write_directory(tmp_path / "made", whole)
    with pytest.raises(OutputExists, match="exists already"):
        write_directory(tmp_path / "made", half)
    with pytest.raises(ValueError, match="stop"):
        write_directory(tmp_path / "made", half, overwrite=True)
    write_directory(tmp_path / "made", whole, overwrite=True)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["made", "made/b"]


def test_only_what_is_ours_is_replaced(tmp_path: Path) -> None:
    def whole(place: Path) -> None:
        (place / "mark.json").write_text("new")

    photos = tmp_path / "photos"
    photos.mkdir()
    write_directory(photos, whole, overwrite=True, mark="mark.json")  # an empty folder holds nothing to lose
    write_directory(photos, whole, overwrite=True, mark="mark.json")
    (photos / "mark.json").rename(photos / "1.jpg")
    (tmp_path / "letter").write_text("dear")
    for place in (photos, tmp_path / "letter"):
        with pytest.raises(OutputExists, match=r"has no mark[.]json in it, so --overwrite leaves it alone"):
            write_directory(place, whole, overwrite=True, mark="mark.json")
    assert (photos / "1.jpg").read_text() == "new" and (tmp_path / "letter").read_text() == "dear"


def test_replacing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    write_text(tmp_path / "real/mark.json", "old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_directory(tmp_path / "link", lambda _: None, overwrite=True, mark="mark.json")
    assert (tmp_path / "real/mark.json").read_text() == "old" and list((tmp_path / "link").iterdir()) == []


def test_json_holds_every_file_name_and_no_number_that_is_none() -> None:
    name = os.fsdecode(b"caf\xe9/\xc3\xbc")
    assert json.loads(json_text({"name": name}).encode()) == {"name": name}
    assert "ü" in json_text("ü")
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(float("nan"))
