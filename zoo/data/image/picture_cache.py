"""Resized pictures kept on the disk, so that each is decoded once and not in every epoch and every run.

A folder of `pictures/` in the cache holds one split at one size: a file of rows, and what it is in words.  The name is
made of the contents of all its files and of how they are resized, so other data never find it.  Every row has a
checksum: a row that is missing or damaged is decoded anew.  Rows are read by offset, not mapped: a mapped file counts
against a memory limit, and a full disk or a file that was cut would end the process.

ZOO_PICTURE_CACHE is the most that all of them may take ("20GB"; 10GB by default; "0": nothing is kept).  The one that
was not used for longest makes room.  A folder that other users may write to is not used.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import threading
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zoo.api.errors import DiskError, UsageError
from zoo.runs.atomic import write_text
from zoo.runs.cache import cache_root

Row = npt.NDArray[np.uint8]

LIMIT: Final = "ZOO_PICTURE_CACHE"
DEFAULT_LIMIT: Final = 10 * 10**9
MAX_FREE_SHARE: Final = 0.5
"""Of the free disk, for one split."""
ROWS: Final = "rows"
ABOUT: Final = "about.json"
UNITS: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def cache_limit() -> int:
    """Bytes that all kept pictures may take; UsageError where the variable holds no size."""
    text = os.environ.get(LIMIT, "").strip()
    if not text:
        return DEFAULT_LIMIT
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B?)", text.upper())
    if match is None:
        raise UsageError(f"{LIMIT}={text} is no size", hint=f"write it as in {LIMIT}=20GB; 0 keeps nothing")
    unit = match[2] if match[2] in UNITS else f"{match[2]}B"
    return int(float(match[1]) * UNITS.get(unit, 1))


def folder() -> Path:
    """Where pictures are kept."""
    return cache_root() / "pictures"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSplit:
    """One split at one size, as `zoo data cache` shows it."""

    path: Path
    about: str
    """What it is, in words."""
    pictures: int
    size: int
    """Bytes on the disk."""
    used: float
    """When it was opened last, in seconds since 1970."""

    def remove(self) -> int:
        """Delete it; the bytes that became free."""
        shutil.rmtree(self.path, ignore_errors=True)
        return self.size


def kept_splits() -> tuple[KeptSplit, ...]:
    """Everything that is kept, what was used last first."""
    splits = []
    for path in folder().glob("*/"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            about = json.loads((path / ABOUT).read_text())
            size = (path / ROWS).stat().st_blocks * 512
            used = (path / ABOUT).stat().st_mtime
            pictures = int(about["pictures"])
            splits.append(KeptSplit(path=path, about=str(about["about"]), pictures=pictures, size=size, used=used))
    return tuple(sorted(splits, key=lambda split: -split.used))


class PictureRows:
    """The rows of one split; safe to use from several threads and processes, which all write the same."""

    def __init__(self, file: Path, *, count: int, row_bytes: int) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        self._row_bytes = row_bytes
        self._sums_at = count * row_bytes
        self._full = threading.Event()
        try:
            _refuse_strangers(os.fstat(self._file))
            stored = os.pread(self._file, 8 * count, self._sums_at)
        except OSError:
            os.close(self._file)
            raise
        self._sums = np.frombuffer(stored.ljust(8 * count, b"\0"), np.uint64).copy()

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            os.close(self._file)

    def read(self, index: int, row: Row) -> bool:
        """Fill `row` (contiguous); False where it is not kept, or damaged."""
        expected = int(self._sums[index])
        if not expected:
            return False
        with suppress(OSError):
            flat = row.reshape(-1).data
            count = os.preadv(self._file, [flat], index * self._row_bytes)
            return count == self._row_bytes and _checksum(flat) == expected
        return False

    def write(self, index: int, row: Row) -> None:
        """Keep a row; where the disk does not take it, nothing more is kept."""
        if self._full.is_set():
            return
        data = np.ascontiguousarray(row).tobytes()
        total = _checksum(data)
        try:
            written = os.pwrite(self._file, data, index * self._row_bytes)
            if written == len(data):  # the checksum comes last: without it the row does not count
                os.pwrite(self._file, total.to_bytes(8, "little"), self._sums_at + 8 * index)
                self._sums[index] = total
        except OSError:
            self._full.set()


def _checksum(data: Any) -> int:
    """CRC-32, moved by one: 0 says that there is no row."""
    return zlib.crc32(data) + 1


def open_rows(key: Sequence[str], *, about: str, count: int, row_bytes: int) -> PictureRows | None:
    """The rows of the split that `key` describes, new ones where there are none.

    None where nothing can be kept: it is too much, others may write there, or the system cannot read by offset.
    """
    size, limit = count * (row_bytes + 8), cache_limit()
    if not count or not row_bytes or size > limit or not hasattr(os, "preadv"):
        return None
    name = hashlib.sha256("\0".join((*key, str(count), str(row_bytes))).encode("utf-8", "surrogateescape")).hexdigest()
    path = folder() / name
    try:
        _own_folder(folder())
        if not path.is_dir():
            _make_room(size, limit)
            if size > MAX_FREE_SHARE * shutil.disk_usage(folder()).free:
                return None
        _own_folder(path)
        write_text(path / ABOUT, json.dumps({"about": about, "pictures": count, "opened": time.time()}))
        return PictureRows(path / ROWS, count=count, row_bytes=row_bytes)
    except (OSError, DiskError):
        return None  # a cache that cannot be had costs time, not correctness


def _own_folder(path: Path) -> None:
    """Make it, for this user alone; OSError where others may write to it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    _refuse_strangers(path.lstat())


def _refuse_strangers(status: os.stat_result) -> None:
    """OSError where a file or a folder belongs to others, or may be written by them."""
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or stat.S_ISLNK(status.st_mode):
        raise PermissionError("other users may write to the kept pictures")


def _make_room(size: int, limit: int) -> None:
    """Delete what was not used for longest until so many bytes more keep the limit."""
    splits = list(kept_splits())
    while splits and sum(split.size for split in splits) + size > limit:
        splits.pop().remove()
