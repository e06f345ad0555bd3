"""Temporary folders go with their process; what a dead one left goes at the next start, and nothing else does."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zoo.runs import scratch
from zoo.runs.scratch import ScratchFolder, sweep

HOLDER = """
import sys
from zoo.runs.scratch import ScratchFolder
folder = ScratchFolder.make()
(folder.path / "file").write_text("in use")
print(folder.path, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TMPDIR, empty, and no shared memory beside it."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(scratch, "SHARED_MEMORY", tmp_path / "absent")
    return folder


@contextmanager
def holder() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a folder of its own, and the folder."""
    command = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_a_folder_is_private_and_goes_at_the_end(temporary: Path) -> None:
    with ScratchFolder.make() as folder:
        assert folder.path.parent == temporary
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        (folder.path / "deep").mkdir()
        (folder.path / "deep" / "file").write_text("x")
        sweep()
        assert (folder.path / "deep" / "file").is_file()
    assert list(temporary.iterdir()) == []
    folder.remove()


def test_a_process_that_ends_without_removing_it_leaves_nothing(temporary: Path) -> None:
    with holder() as (process, path):
        assert path.parent == temporary
        process.communicate("\n")
        assert process.returncode == 0
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not(temporary: Path) -> None:
    with holder() as (living, kept), holder() as (killed, left):
        sweep()
        assert (kept / "file").is_file()
        assert (left / "file").is_file()
        killed.kill()
        killed.wait()
        sweep()
        assert living.poll() is None
        assert (kept / "file").read_text() == "in use"
        assert not left.exists()
        assert len(list(temporary.iterdir())) == 2
    sweep()
    assert list(temporary.iterdir()) == []


def test_a_fork_does_not_remove_what_belongs_to_its_parent(temporary: Path) -> None:
    with ScratchFolder.make() as folder:
        child = os.fork()
        if child == 0:
            folder.remove()
            os._exit(0)
        os.waitpid(child, 0)
        assert folder.path.is_dir()
        assert len(list(temporary.iterdir())) == 2


def test_a_link_and_a_folder_without_a_lock_are_left_alone(temporary: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "file").write_text("mine")
    (temporary / "zoo-1-a.lock").write_text("")
    (temporary / "zoo-1-a").symlink_to(own)
    (temporary / "zoo-2-b.lock").symlink_to(own / "file")
    (temporary / "zoo-3-c").mkdir()
    sweep()
    assert (own / "file").read_text() == "mine"
    assert {path.name for path in temporary.iterdir()} >= {"zoo-1-a", "zoo-2-b.lock", "zoo-3-c"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can make another user's files")
def test_what_belongs_to_another_user_is_left_alone(temporary: Path) -> None:
    for name in ("zoo-4-d", "zoo-5-e"):
        (temporary / f"{name}.lock").write_text("")
        (temporary / name).mkdir()
    os.chown(temporary / "zoo-4-d.lock", 65534, 65534)
    os.chown(temporary / "zoo-5-e", 65534, 65534)
    sweep()
    assert {path.name for path in temporary.iterdir()} >= {"zoo-4-d.lock", "zoo-4-d", "zoo-5-e"}
