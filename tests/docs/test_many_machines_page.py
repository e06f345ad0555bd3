"""The files of docs/many-machines, as they are, on processes of a CPU."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.training.engine.several import ROOT, SECONDS, environment, free_port
from zoo.runs.run import Run

FILES = ROOT / "docs/many-machines"
TINY = ("--limit-train", "64", "--batch-size", "32", "--epochs", "1", "--threads", "1", "--workers", "0")
SRUN = """#!{python}
# As srun: so many tasks, each with its own number; it ends with the first exit code that is not 0.
import os, subprocess, sys
command = [word for word in sys.argv[1:] if not word.startswith("--kill")]
count = int(os.environ["SLURM_NTASKS"])
tasks = [
    subprocess.Popen(command, env={{**os.environ, "SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)}})
    for rank in range(count)
]
sys.exit(next((code for code in [task.wait() for task in tasks] if code), 0))
"""
pytestmark = pytest.mark.ci


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder with `zoo` and `torchrun` as this Python runs them, to come first in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, module in (("zoo", "zoo"), ("torchrun", "torch.distributed.run")):
        write(folder / name, f'#!/bin/bash\nexec {sys.executable} -W ignore -m {module} "$@"\n')
    return folder


def write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o755)


def start(file: str, commands: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    more = {"MODEL": "cnn", "DATA": "digits", "DEVICE": "cpu", "GPUS": "2", **variables}
    return begin(["bash", str(FILES / file), *options], commands, more)


def begin(command: list[str], commands: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        command,
        env=environment(PATH=path, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(run: Path, *processes: subprocess.Popen[str], devices: int) -> Run:
    """The run, when all processes have ended well."""
    for process in processes:
        _, stderr = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, stderr[-2000:]
    opened = Run.open(run)
    assert (opened.status, opened.config.devices, opened.record.steps) == ("finished", devices, 2)
    return opened


@pytest.mark.parametrize(("file", "devices"), [("one_gpu.sh", 1), ("eight_gpus.sh", 2)])
def test_one_machine(file: str, devices: int, commands: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    finished(run, start(file, commands, *TINY, RUN=str(run)), devices=devices)


def test_four_machines_of_one_process_each(commands: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    variables = {"RUN": str(run), "NODES": "2", "GPUS": "1", "FIRST": "127.0.0.1", "PORT": str(free_port())}
    nodes = [start("four_machines.sh", commands, *TINY, **variables, NODE_RANK=str(rank)) for rank in range(2)]
    finished(run, *nodes, devices=2)


def slurm(commands: Path, run: Path) -> dict[str, str]:
    write(commands / "srun", SRUN.format(python=sys.executable))
    write(commands / "scontrol", f'#!/bin/bash\necho "$@" > {run.parent}/scontrol.txt\n')
    return {
        "RUN": str(run),
        **{"SLURM_JOB_ID": str(free_port() - 15_000), "SLURM_JOB_NAME": "zoo", "SLURM_NTASKS": "2"},
        **{"SLURM_NNODES": "1", "SLURM_TASKS_PER_NODE": "2", "SLURM_NODEID": "0", "SLURM_JOB_NODELIST": "localhost"},
    }


def test_slurm_trains_and_is_queued_again_before_its_time_is_up(commands: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    variables = slurm(commands, run)
    long = [*TINY[:-6], "--epochs", "500", "--threads", "1", "--workers", "0"]
    job = start("slurm.sh", commands, *long, **variables)
    assert job.stdout is not None
    wait_for("epoch 1/", job)
    tasks = [process for child in children(job.pid) for process in children(child)]
    assert len(tasks) == 2
    for task in tasks:
        os.kill(task, signal.SIGUSR1)
    _, stderr = job.communicate(timeout=SECONDS)
    assert job.returncode == 138, stderr[-2000:]
    assert (tmp_path / "scontrol.txt").read_text() == f"requeue {variables['SLURM_JOB_ID']}\n"
    before = Run.open(run)
    assert before.status == "interrupted" and before.config.devices == 2
    again = start("slurm.sh", commands, *long, **variables)
    wait_for("going on from epoch", again)
    wait_for("  loss ", again)  # an epoch later
    for task in [process for child in children(again.pid) for process in children(child)]:
        os.kill(task, signal.SIGTERM)
    again.communicate(timeout=SECONDS)
    assert again.returncode == 143 and Run.open(run).record.steps > before.record.steps


def wait_for(words: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any(words in line for line in process.stdout), words


def children(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_the_kubernetes_job_runs_its_command_in_every_pod(commands: Path, tmp_path: Path) -> None:
    service, job = yaml.safe_load_all((FILES / "kubernetes.yaml").read_text())
    pod: Any = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    assert variables["FIRST"] == f"{job['metadata']['name']}-0.{service['metadata']['name']}"
    assert pod["subdomain"] == service["metadata"]["name"]
    assert str(job["spec"]["completions"]) == str(job["spec"]["parallelism"]) == variables["NODES"]
    run, port = tmp_path / "run", str(free_port())
    variables |= {"NODES": "2", "GPUS": "1", "FIRST": "127.0.0.1", "MODEL": "cnn", "DATA": "digits", "RUN": str(run)}
    variables |= {"OPTIONS": " ".join(["--device", "cpu", *TINY])}
    script = [word.replace("29500", port) for word in (*container["command"], *container["args"])]
    pods = [begin(script, commands, {**variables, "JOB_COMPLETION_INDEX": str(index)}) for index in range(2)]
    finished(run, *pods, devices=2)


def test_a_spot_machine_is_taken_away_and_another_one_goes_on(commands: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ["--limit-train", "64", "--batch-size", "32", "--epochs", "12", "--threads", "1", "--workers", "0"]
    first = start("spot.sh", commands, *options, RUN=str(run))
    wait_for("epoch 2/", first)
    first.send_signal(signal.SIGTERM)
    _, stderr = first.communicate(timeout=SECONDS)
    assert first.returncode == 143, stderr[-2000:]
    saved = Run.open(run).record.steps
    assert 0 < saved < 24
    second = start("spot.sh", commands, RUN=str(run), GPUS="1")
    _, stderr = second.communicate(timeout=SECONDS)
    assert second.returncode == 0, stderr[-2000:]
    opened = Run.open(run)
    assert (opened.status, opened.record.steps, opened.config.devices) == ("finished", 24, 1)
    assert any("the run used 2 processes, now it would use 1 process" in note for note in opened.record.notes)


def test_the_page_names_every_file() -> None:
    page = (ROOT / "docs/many-machines.md").read_text()
    assert all(f"(many-machines/{file.name})" in page for file in FILES.iterdir())
