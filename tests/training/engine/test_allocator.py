"""What the C library is told, and what is left as its user set it."""

from __future__ import annotations

import os

import pytest

from zoo.training.engine import allocator
from zoo.training.engine.allocator import KEEP, RESTORED, RETURN, kept_memory


class Library:
    """A C library that records what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []
        self.trimmed = 0

    def mallopt(self, option: int, value: int) -> int:
        self.told.append((option, value))
        return 1

    def malloc_trim(self, pad: int) -> int:
        self.trimmed += 1
        return pad


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    for name in (allocator.SWITCH, "GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    told = Library()
    monkeypatch.setattr(allocator, "_glibc", lambda: told)
    return told


def test_large_blocks_are_kept_and_given_back_also_after_an_error(library: Library) -> None:
    with pytest.raises(RuntimeError), kept_memory() as kept:
        assert kept and library.told == list(KEEP.items()) and library.trimmed == 0
        raise RuntimeError
    assert library.told == [*KEEP.items(), *RESTORED.items()] and library.trimmed == 1


def test_where_little_memory_is_free_blocks_are_returned_at_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocator, "free_memory", lambda: 10**9)
    with kept_memory() as kept:
        assert not kept and library.told == list(RETURN.items())
    assert library.told == [*RETURN.items(), *RESTORED.items()] and library.trimmed == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZOO_KEEP_MEMORY", "0"),
        ("MALLOC_TRIM_THRESHOLD_", "1000"),
        ("MALLOC_MMAP_THRESHOLD_", "1000"),
        ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=1000"),
    ],
)
def test_who_set_it_otherwise_keeps_it(
    library: Library, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with kept_memory() as kept:
        assert not kept
    assert library.told == [] and library.trimmed == 0


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "confstr", lambda _name: None)
    assert allocator._glibc() is None
    with kept_memory() as kept:
        assert not kept
