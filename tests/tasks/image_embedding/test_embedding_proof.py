"""From the architecture to a proved bundle, and from that to two pictures compared without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

pytestmark = pytest.mark.ci

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("proof") / "bundle"
    written = zoo.export("facenet_tiny", untrained=True, output=place)
    assert written.published, written.report.sentence
    return place


def test_every_mutant_is_rejected_and_the_scale_among_them(bundle: Path) -> None:
    power = {one["name"]: one for one in json.loads((bundle / "report.json").read_text())["evidence"]["mutants"]}
    assert power["scale"]["applied"] and "parity" in power["scale"]["killed_by"]
    assert not power["classes"]["applied"] and power["classes"]["detail"] == "an embedding has no classes"
    assert [
        one["name"] for one in power.values() if one["applied"] and not (one["killed_by"] or one["equivalence"])
    ] == []
    assert [one["name"] for one in power.values() if one["equivalence"]] == ["postprocess: unclipped"]


def test_the_bundle_compares_two_pictures_without_zoo(bundle: Path) -> None:
    pictures = [str(PICTURES / name) for name in ("seven.png", "scene.png")]
    command = [sys.executable, str(bundle / "run.py"), *pictures]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines[:2]] == pictures
    assert all(": 64 numbers of length 1.0000: " in line for line in lines[:2])
    similarity, *names = lines[2].split()
    assert -1 <= float(similarity) <= 1 and names == pictures
    assert all(answer.arrays is not None for answer in zoo.predict(bundle, pictures))
