"""What several processes share, and how many a launcher has started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from zoo.training.engine.fabric import OneProcess, launch, launched_processes

ROOT = Path(__file__).parents[3]
AVERAGES = """
import json, sys
from pathlib import Path
import torch
from torch import nn
from zoo.training.engine.fabric import launch

with launch(device="cpu", devices=2, precision="32") as engine:
    both, first_alone, nobody = (nn.Parameter(torch.zeros(2)) for _ in range(3))
    both.grad = torch.full((2,), 1.0 + engine.rank)
    if engine.leads:
        first_alone.grad = torch.full((2,), 8.0)
    engine.average_gradients(iter([both, first_alone, nobody]))
    found = [None if one.grad is None else one.grad.tolist() for one in (both, first_alone, nobody)]
    Path(sys.argv[1], str(engine.rank)).write_text(json.dumps(found))
"""


@pytest.mark.slow
def test_a_gradient_that_one_process_lacks_counts_as_zero_and_one_that_all_lack_stays_away(tmp_path: Path) -> None:
    script = tmp_path / "averages.py"
    script.write_text(AVERAGES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, str(script), str(tmp_path)], env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for rank in range(2):
        assert json.loads((tmp_path / str(rank)).read_text()) == [[1.5, 1.5], [4.0, 4.0], None]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 1),
        ({"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "train"}, 4),
        ({"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "interactive"}, 1),
        ({"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "bash", "WORLD_SIZE": "2"}, 2),
    ],
)
def test_an_interactive_allocation_has_started_nobody(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: int
) -> None:
    for name in ("WORLD_SIZE", "SLURM_NTASKS", "SLURM_JOB_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert launched_processes() == expected


def test_one_process_computes_without_fabric_in_the_precision_asked_for() -> None:
    for precision, dtype in (("32", torch.float32), ("bf16", torch.bfloat16)):
        with launch(device="cpu", devices=1, precision=precision) as engine:  # type: ignore[arg-type]
            assert isinstance(engine._fabric, OneProcess)
            assert (engine.rank, engine.world, engine.leads, engine.device.type) == (0, 1, True, "cpu")
            module = nn.Linear(2, 2)
            with engine.autocast():
                output = module(torch.ones(1, 2))
            assert output.dtype == dtype
            engine.backward(output.float().sum())
            assert module.weight.grad is not None and module.weight.grad.equal(torch.ones(2, 2))
            assert engine.tell("text") == "text" and engine.sum([1.0]) == [1.0]
