"""Sweeps: limits that cost a process and not the sweep, shards, and what is not done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.api.errors import UsageError
from zoo.registry.catalog import Catalog
from zoo_export.sweep.rows import SweepRow, append_row, read_rows
from zoo_export.sweep.supervise import SweepLimits, Worker, cpu_seconds_of
from zoo_export.sweep.sweep import Selection, Shard, sweep, sweepable

Command = Callable[..., Any]


def test_the_smallest_come_first_and_what_cannot_be_exported_untrained_is_left_out() -> None:
    names = sweepable(Catalog.discover(), "*", Selection(max_params=3_000_000))
    assert names.index("resnet/resnet8") < names.index("resnet/resnet20") < names.index("cnn/cnn")
    assert "huggingface/encoder" not in sweepable(Catalog.discover(), "*")
    assert "torchvision/quantized_resnet18" not in sweepable(Catalog.discover(), "*")


def test_of_each_family_the_smallest_are_taken() -> None:
    catalog = Catalog.discover()
    names = sweepable(catalog, "*", Selection(plugin="timm", per_family=1))
    families = [catalog.model(name).spec.family for name in names]
    assert (
        len(families)
        == len(set(families))
        == len({spec.spec.family for spec in catalog.models() if spec.plugin.name == "timm"})
    )
    assert "timm/test_resnet" in names
    assert "timm/xcit_nano_12_p8_224" in names  # and not the one of 384 px, which has as many parameters
    assert len(sweepable(catalog, "resnet*", Selection(plugin="timm", per_family=2))) > 2


def test_a_task_and_a_family_are_selected() -> None:
    catalog = Catalog.discover()
    small = Selection(task="zoo/semantic-segmentation", max_params=150_000)
    assert sweepable(catalog, "*", small)[-1] == "unet/unet_tiny"
    assert sweepable(catalog, "*", Selection(plugin="timm", family="volo"))[0] == "timm/volo_d1_224"


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/"])
def test_a_shard_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="must look like 3/16"):
        Shard.parse(text)


def test_shards_share_the_models(tmp_path: Path) -> None:
    models = [f"m{index}" for index in range(5)]
    for index, expected in ((1, ["m0", "m2", "m4"]), (2, ["m1", "m3"])):
        for model in expected:
            append_row(tmp_path / f"rows-000{index}-of-0002.jsonl", SweepRow(model=model, verdict="PASS"))
    for index, expected in ((1, ["m0", "m2", "m4"]), (2, ["m1", "m3"])):
        rows = sweep(models, tmp_path, shard=Shard(index=index, count=2))
        assert [row.model for row in rows] == expected


def test_only_what_is_not_proved_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_row(tmp_path / "rows.jsonl", SweepRow(model="a", verdict="WARN"))
    append_row(tmp_path / "rows.jsonl", SweepRow(model="b", verdict="TIMEOUT"))
    monkeypatch.setattr(Worker, "row", lambda _, model, seed: SweepRow(model=model, verdict="PASS", reason=str(seed)))
    tried: list[str] = []
    rows = sweep(["a", "b"], tmp_path, again="unproved", say=lambda row: tried.append(row.model))
    assert (tried, [row.verdict for row in rows]) == (["b"], ["WARN", "PASS"])
    sweep(["a", "b"], tmp_path, again="all", say=lambda row: tried.append(row.model))
    assert tried == ["b", "a", "b"]


@pytest.mark.parametrize(
    ("limits", "verdict", "reason"),
    [
        (SweepLimits(seconds=0.1), "TIMEOUT", "it took more than 0.1 s"),
        (SweepLimits(memory_mb=20), "MEMORY", "it took more than 20 MB"),
    ],
)
def test_a_limit_ends_the_process_and_is_a_row(limits: SweepLimits, verdict: str, reason: str) -> None:
    with Worker(limits) as worker:
        row = worker.row("cnn/cnn", seed=0)
        assert (row.verdict, row.reason) == (verdict, reason)
        worker._last = SweepRow(model="another", verdict="PASS", machine="this one", versions={"torch": "2"})
        again = worker.row("cnn/cnn", seed=0)
    assert (again.verdict, again.machine, again.versions) == (verdict, "this one", {"torch": "2"})


def test_the_cpu_seconds_of_a_process_hold_those_of_its_children() -> None:
    work = "sum(i * i for i in range(3_000_000))"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}]); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_seconds_of(process.pid) > 0.05
        process.kill()
    assert cpu_seconds_of(process.pid) == 0


def test_a_process_that_dies_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "nonesuch")
    with Worker(SweepLimits()) as worker:
        row = worker.row("cnn/cnn", seed=0)
    assert row.verdict == "CRASH"
    assert "nonesuch" in row.reason


@pytest.mark.slow
def test_a_process_that_died_while_it_waited_costs_no_row() -> None:
    with Worker(SweepLimits()) as worker:
        idle = worker._start()
        os.killpg(idle.pid, signal.SIGKILL)
        idle.wait()
        row = worker.row("nonesuch", seed=0)
    assert (row.verdict, "no model" in row.reason) == ("CRASH", True)


@pytest.mark.slow
def test_a_worker_ends_with_its_sweep() -> None:
    script = (
        "import os, time\n"
        "from zoo_export.sweep.supervise import SweepLimits, Worker\n"
        "print(Worker(SweepLimits())._start().pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    sweeping = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert sweeping.stdout is not None
    pid = int(sweeping.stdout.readline())
    while b"sweep.worker" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        time.sleep(0.05)
    sweeping.kill()
    sweeping.wait()
    deadline = time.monotonic() + 60
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.ci
def test_a_sweep_proves_and_is_continued(zoo_command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    said = zoo_command("sweep", "resnet/resnet8", "-o", str(folder))
    assert (said.code, "1 of 1 proved" in said.out) == (0, True)
    (row,) = read_rows([folder]).values()
    assert (row.model, row.verdict, row.parameters) == ("resnet/resnet8", "PASS", 77_658)
    assert row.worst_ratio is not None
    assert 0 < row.worst_ratio < 8
    assert min(row.nodes or 0, row.bytes or 0, row.latency_ms or 0, row.eager_ms or 0, row.memory_mb) > 0
    before = next(folder.iterdir()).stat().st_mtime_ns
    again = zoo_command("sweep", "resnet/resnet8", "-o", str(folder), "--json")
    assert (again.code, again.json["rows"][0]["model"]) == (0, "resnet/resnet8")
    assert next(folder.iterdir()).stat().st_mtime_ns == before


def test_a_script_for_an_array_of_tasks(zoo_command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "my rows"
    words = ("sweep", "vit_*", "--plugin", "timm", "-o", str(folder), "--slurm", "16", "--max-memory", "4000")
    assert zoo_command(*words).code == 0
    lines = (folder / "sweep.sbatch").read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "#SBATCH --array=1-16" in lines
    assert "#SBATCH --mem=5000M" in lines
    assert lines[-1] == (
        "zoo sweep 'vit_*' --plugin timm --seed 0 --threads 1 --max-seconds 600 --max-memory 4000 "
        f"--output '{folder}' --shard \"$SLURM_ARRAY_TASK_ID/16\""
    )
    assert "exists already" in zoo_command(*words).err
    for option in ("--again", "--shard=1/2"):
        said = zoo_command(*words[:-2], option, "-o", str(tmp_path / "other"))
        assert (said.code, "does not go with --slurm" in said.err) == (2, True)


def test_a_comparison_of_folders(zoo_command: Command, tmp_path: Path) -> None:
    append_row(tmp_path / "old" / "rows.jsonl", SweepRow(model="a", verdict="PASS", versions={"torch": "1"}))
    append_row(tmp_path / "new" / "rows.jsonl", SweepRow(model="a", verdict="FAIL", versions={"torch": "2"}))
    said = zoo_command("sweep", "--compare", str(tmp_path / "old"), "-o", str(tmp_path / "new"))
    assert said.code == 1
    assert said.out.splitlines()[0] == "torch 1 -> 2"
    assert "1 model in both, 1 broken, 1 changed" in said.out
    for index in range(7):
        append_row(tmp_path / "old" / "rows.jsonl", SweepRow(model=f"gone{index}", verdict="PASS"))
    append_row(tmp_path / "new" / "rows.jsonl", SweepRow(model="added", verdict="FAIL"))
    said = zoo_command("sweep", "--compare", str(tmp_path / "old"), "-o", str(tmp_path / "new"), "--json")
    assert said.json["only_before"] == [f"gone{index}" for index in range(7)]
    assert said.json["only_after"] == ["added"]
    said = zoo_command("sweep", "--compare", str(tmp_path / "old"), "-o", str(tmp_path / "new"))
    assert f"7 models in {tmp_path / 'old'} alone: gone0, gone1, gone2, gone3, gone4 and 2 more" in said.out
    assert f"1 model in {tmp_path / 'new'} alone: added" in said.out
    said = zoo_command("sweep", "resnet*", "--compare", str(tmp_path / "old"), "-o", str(tmp_path / "new"))
    assert (said.code, "--output and --json alone" in said.err) == (2, True)
    assert zoo_command("sweep", "--compare", str(tmp_path / "old"), "-o", str(tmp_path / "old")).code == 0
    assert zoo_command("sweep", "--compare", str(tmp_path / "none")).code == 2


def test_a_comparison_of_other_models_is_an_error(zoo_command: Command, tmp_path: Path) -> None:
    for name in ("old", "new"):
        append_row(tmp_path / name / "rows.jsonl", SweepRow(model=name, verdict="PASS"))
    said = zoo_command("sweep", "--compare", str(tmp_path / "old"), "-o", str(tmp_path / "new"))
    assert said.code == 2
    assert "have no model in common: 1 row and 1 row" in said.err


def test_a_pattern_that_nothing_fits_is_an_error(zoo_command: Command) -> None:
    said = zoo_command("sweep", "nonesuch")
    assert (said.code, said.err.splitlines()[0]) == (2, "Error: no model that can be exported fits 'nonesuch'")
    said = zoo_command("sweep", "*", "--plugin", "nonesuch")
    assert (said.code, said.err.splitlines()[0]) == (2, "Error: no plugin named 'nonesuch'")
    said = zoo_command("sweep", "--family", "resent")
    assert (said.code, said.err.splitlines()[0]) == (2, "Error: no model is of a family 'resent'")
    said = zoo_command("sweep", "--task", "nonesuch")
    assert (said.code, said.err.splitlines()[0]) == (2, "Error: no task named 'nonesuch'")


@pytest.mark.parametrize(("option", "value"), [("--max-seconds", "0"), ("--max-memory", "0"), ("--max-memory", "-5")])
def test_a_limit_that_nothing_keeps_is_an_error(option: str, value: str, zoo_command: Command, tmp_path: Path) -> None:
    said = zoo_command("sweep", "resnet/resnet8", option, value, "-o", str(tmp_path / "rows"))
    assert said.code == 2
    assert not (tmp_path / "rows").exists()


def test_the_worker_imports_nothing_of_the_user_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "copy.py").write_text("raise SystemExit('the copy of the user')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "nonesuch")
    with Worker(SweepLimits()) as worker:
        row = worker.row("cnn/cnn", seed=0)
    assert "nonesuch" in row.reason
