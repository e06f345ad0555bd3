"""What can be worked out again: read only where it is this user's alone and whole, and never too much of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.runs import kept_files
from zoo.runs.kept_files import clear, entries, kept_folder, nothing_kept, read_entry, write_entry


def path_of(key: str) -> Path:
    write_entry(key, b"graph")
    (path,) = entries()
    return path


def test_what_was_written_is_read_by_this_user_alone() -> None:
    assert read_entry("a") is None
    write_entry("a", b"first")
    write_entry("a", b"second")
    assert read_entry("a") == b"second"
    assert read_entry("b") is None
    (path,) = entries()
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept_folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_read(mode: int) -> None:
    path_of("a").chmod(mode)
    assert read_entry("a") is None


@pytest.mark.parametrize("mode", [0o770, 0o703])
def test_a_folder_that_others_may_write_is_neither_read_nor_written(mode: int) -> None:
    path_of("a")
    kept_folder().chmod(mode)
    assert read_entry("a") is None
    write_entry("b", b"graph")
    assert len(entries()) == 1


def test_a_link_is_not_read(tmp_path: Path) -> None:
    path = path_of("a")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert read_entry("a") is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_not_read() -> None:
    os.chown(path_of("a"), 65534, 65534)
    assert read_entry("a") is None


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:40] + b"x", lambda _: b""])
def test_a_damaged_entry_is_thrown_away(damage: Callable[[bytes], bytes]) -> None:
    path = path_of("a")
    path.write_bytes(damage(path.read_bytes()))
    assert read_entry("a") is None
    assert entries() == ()


def test_an_entry_under_another_key_is_thrown_away() -> None:
    first = path_of("a")
    write_entry("b", b"another")
    (other,) = (path for path in entries() if path != first)
    first.write_bytes(other.read_bytes())
    assert read_entry("a") is None
    assert read_entry("b") == b"another"


def test_what_was_used_first_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "MAX_BYTES", 3 * 132)
    for index, key in enumerate("abc"):
        write_entry(key, bytes(100))
        os.utime(entries()[-1], (index, index))
    assert read_entry("a") == bytes(100)  # used now
    write_entry("d", bytes(100))
    assert [key for key in "abcd" if read_entry(key) is not None] == ["a", "c", "d"]


def test_too_large_an_entry_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "MAX_ENTRY_BYTES", 4)
    write_entry("a", b"graph")
    assert entries() == ()


def test_nothing_is_read_or_written_where_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    write_entry("a", b"graph")
    with nothing_kept():
        assert read_entry("a") is None
        write_entry("b", b"graph")
    monkeypatch.setenv("ZOO_KEEP", "0")
    assert read_entry("a") is None
    write_entry("c", b"graph")
    monkeypatch.delenv("ZOO_KEEP")
    assert (read_entry("a"), read_entry("b"), read_entry("c")) == (b"graph", None, None)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    write_entry("a", b"graph")
    assert read_entry("a") is None


def test_it_is_emptied() -> None:
    write_entry("a", b"graph")
    write_entry("b", b"graph")
    assert clear() == 2
    assert entries() == ()
    assert clear() == 0
