"""A bundle's task.py stands alone: no zoo, no torch, few lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from zoo.bundle.runtime import bundled_run
from zoo.bundle.runtime.task_source import task_source

EMBEDDING = "zoo.tasks.image_embedding.device:read"
RUNNERS = ("zoo.tasks.image_classification.device:read", "zoo.tasks.image_reconstruction.device:read")

USE = """
import sys
sys.modules["zoo"] = sys.modules["torch"] = None
sys.path.insert(0, sys.argv[1])
import numpy, task
inputs = task.read(__import__("pathlib").Path(sys.argv[1]) / "x.png", {"input": {"size": [3, 4]}})
assert inputs["image"].shape == (3, 4, 3) and inputs["image"].dtype == numpy.uint8
answer = {"probabilities": numpy.array([0.25, 0.75]), "image_out": numpy.full((3, 4, 1), 7, numpy.uint8)}
print(task.show(answer, {"classes": ["cat", "dog"]}))
"""


@pytest.mark.parametrize("runner", RUNNERS)
def test_task_py_runs_without_zoo(runner: str, tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(task_source(runner))
    Image.new("L", (4, 3), 9).save(tmp_path / "x.png")
    command = [sys.executable, "-I", "-c", USE, str(tmp_path)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "classification" in runner:
        assert shown == " 75.00%  ███████████████       dog\n 25.00%  █████                 cat\n"
    else:
        assert shown == "3 x 4 grey picture, levels 7 to 7, mean 7.0\n"


@pytest.mark.parametrize("runner", RUNNERS)
def test_task_py_leaves_room_for_run_py(runner: str) -> None:
    source = task_source(runner)
    assert len(source.splitlines()) + len(Path(bundled_run.__file__).read_text().splitlines()) <= 300
    assert "zoo." not in source.replace("`zoo.", "")
    assert source.count("from __future__") == 1


def test_an_import_that_several_parts_need_is_there_once() -> None:
    source = task_source(EMBEDDING)
    assert source.count("import numpy as np") == 1
    assert source.count("from typing import ") == 1
    compile(source, "task.py", "exec")


def test_task_py_compares_embeddings_without_zoo(tmp_path: Path) -> None:
    (tmp_path / "task.py").write_text(task_source(EMBEDDING))
    use = (
        "import sys; sys.modules['zoo'] = None; sys.path.insert(0, sys.argv[1]); import numpy, task;"
        "answers = [{'embedding': numpy.array(one, 'float32')} for one in ([1, 0], [0.6, 0.8])];"
        "print(task.show(answers[1], {}));"
        "print(task.compare(['a', 'b'], answers, {'facts': {'threshold': 0.5, 'far': 0.01}}));"
        "print(task.compare(['a', 'b'], answers, {'facts': {}}))"
    )
    command = [sys.executable, "-I", "-c", use, str(tmp_path)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert shown.splitlines() == [
        "2 numbers of length 1.0000: 0.6000 0.8000 …",
        " 0.6000  same      a  b",
        "same from 0.5000 on (at most 1.0% false accepts in validation)",
        " 0.6000  a  b",
    ]
