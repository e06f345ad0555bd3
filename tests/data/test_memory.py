"""How much memory is left: of the machine, and of control groups of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo.data import memory
from zoo.data.memory import free_memory

MB = 1 << 20


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "ROOT", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    return tmp_path


def group(folder: Path, *, names: tuple[str, str, str], limit: int | str, taken: int, idle: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{taken}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {idle}\n")


V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("memory.max", "memory.current", "inactive_file")


def test_the_limit_of_a_group_counts_and_what_it_read_from_files_is_free(root: Path) -> None:
    (root / "groups").write_text("0::/\n")
    group(root / "cgroup", names=V2, limit=100 * MB, taken=70 * MB, idle=20 * MB)
    assert free_memory() == 50 * MB


def test_groups_of_version_1_count_as_well(root: Path) -> None:
    (root / "groups").write_text("3:cpu,cpuacct:/a\n4:memory:/a/b\n0::/\n")
    group(root / "cgroup" / "memory" / "a" / "b", names=V1, limit=90 * MB, taken=70 * MB, idle=0)
    group(root / "cgroup" / "memory", names=V1, limit=1 << 62, taken=70 * MB, idle=0)
    assert free_memory() == 20 * MB


def test_the_tightest_group_above_counts(root: Path) -> None:
    (root / "groups").write_text("0::/a/b\n")
    group(root / "cgroup" / "a" / "b", names=V2, limit="max", taken=1, idle=0)
    group(root / "cgroup" / "a", names=V2, limit=64 * MB, taken=60 * MB, idle=1 * MB)
    group(root / "cgroup", names=V2, limit=100 * MB, taken=70 * MB, idle=0)
    assert free_memory() == 5 * MB


def test_without_groups_the_machine_decides(root: Path) -> None:
    assert free_memory() > 100 * MB
    (root / "groups").write_text("0::/\n")
    assert free_memory() > 100 * MB
    group(root / "cgroup", names=V2, limit=10 * MB, taken=70 * MB, idle=0)
    assert free_memory() == 0
