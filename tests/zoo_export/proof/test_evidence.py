"""The evidence of two shipped models stays what it was: counts, names and sentences exactly, measured numbers nearly.

The checked-in files leave out what a machine decides.  Where a change of the evidence is meant:

    python -m tests.zoo_export.proof.test_evidence
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.runs.serialization import to_json

FOLDER = Path(__file__).parent / "evidence"
MODELS = {"cnn": "cnn@digits", "gru_lm": "gru_lm@names"}
MACHINE = frozenset({"environment", "seconds", "sha256", "bytes"})
"""Keys that are left out: where and how long, and the bytes of files, which name versions."""
ROUNDING = frozenset({"onnx", "torch", "torch_typical", "noise", "ratio"})
"""Keys of what rounding decides: other kernels give other numbers, of the same size."""
ROUNDING_FACTOR = 32.0
"""How many times larger or smaller they may be; an error and the noise beside it are judged by their ratio of 8."""
ROUNDING_DECIBELS = 20 * math.log10(ROUNDING_FACTOR)
ROUNDING_FLOOR = 2.0**-22
"""Errors below so much of an output's scale, two units of its last digit, are all alike."""
MOST_DECIBELS = -20 * math.log10(ROUNDING_FLOOR)
IN_DOUBLE = ("noise_measured", "torch", "torch_typical")
"""Of an output that was run in double precision: where the file is near enough to plain fp32 it need not be."""
RELATIVE = 1e-5
"""Of all other numbers, which double precision computes or PyTorch's fp32 answers decide."""


def machine_independent(value: Any) -> Any:
    """The evidence without what a machine decides, floats to six digits."""
    if isinstance(value, dict):
        return {key: machine_independent(inner) for key, inner in value.items() if key not in MACHINE}
    if isinstance(value, list):
        return [machine_independent(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def differences(actual: Any, expected: Any, path: str = "", *, rounding: bool = False) -> Iterator[str]:
    """Where two pieces of evidence differ by more than machines do."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        actual, expected = _without_chance(actual, expected), _without_chance(expected, actual)
        for key in sorted({*actual, *expected}):
            if key not in actual or key not in expected:
                yield f"{path}.{key} is only in the {'new' if key in actual else 'old'} evidence"
            else:
                inside = rounding or key in ROUNDING
                yield from differences(actual[key], expected[key], f"{path}.{key}", rounding=inside)
    elif isinstance(actual, list) and isinstance(expected, list) and len(actual) == len(expected):
        for index, (new, old) in enumerate(zip(actual, expected, strict=True)):
            name = new.get("name", index) if isinstance(new, dict) else index
            yield from differences(new, old, f"{path}[{name}]", rounding=rounding)
    elif isinstance(actual, float) and isinstance(expected, float):
        if not _near(actual, expected, decibels=path.endswith(".sqnr_db"), rounding=rounding):
            yield f"{path} is {actual}, it was {expected}"
    elif actual != expected:
        yield f"{path} is {actual!r}, it was {expected!r}"


def _without_chance(output: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What is said of an output, errors raised to the floor, without what only one of two machines measured."""
    if not isinstance(output.get("scale"), dict):
        return output
    floor = ROUNDING_FLOOR * output["scale"]["max"]
    raised = {key: _at_least(value, floor) if key in ROUNDING else value for key, value in output.items()}
    if output.get("sqnr_db") is not None:
        raised["sqnr_db"] = min(output["sqnr_db"], MOST_DECIBELS)
    if output.get("noise_measured") == other.get("noise_measured"):
        return raised
    return {key: value for key, value in raised.items() if key not in IN_DOUBLE}


def _at_least(value: Any, floor: float) -> Any:
    if isinstance(value, dict):
        return {key: _at_least(inner, floor) for key, inner in value.items()}
    return max(value, floor) if isinstance(value, float) else value


def _near(actual: float, expected: float, *, decibels: bool, rounding: bool) -> bool:
    if decibels:
        return abs(actual - expected) <= ROUNDING_DECIBELS
    if rounding:
        return actual == expected or 1 / ROUNDING_FACTOR <= actual / (expected or math.inf) <= ROUNDING_FACTOR
    return math.isclose(actual, expected, rel_tol=RELATIVE)


def evidence_of(model: str, folder: Path) -> Any:
    """What a proof finds today."""
    written = zoo.export(MODELS[model], output=folder / model)
    assert written.published, written.report.sentence
    return machine_independent(to_json(written.report.evidence))


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_the_evidence_is_what_it_was(model: str, tmp_path: Path) -> None:
    expected = json.loads((FOLDER / f"{model}.json").read_text())
    assert list(differences(evidence_of(model, tmp_path), expected)) == []


def test_what_rounding_decides_may_differ_and_nothing_else() -> None:
    expected = {"outputs": [{"name": "y", "elements": 3, "onnx": {"rms": 1e-7}, "scale": 2.0, "sqnr_db": 120.0}]}

    def changed(**values: Any) -> list[str]:
        return list(differences({"outputs": [{**expected["outputs"][0], **values}]}, expected))

    assert changed() == changed(onnx={"rms": 2e-6}) == changed(sqnr_db=95.0) == changed(scale=2.00001) == []
    assert changed(onnx={"rms": 4e-6}) == [".outputs[y].onnx.rms is 4e-06, it was 1e-07"]
    assert changed(onnx={"rms": None}) == [".outputs[y].onnx.rms is None, it was 1e-07"]
    assert changed(scale=2.001) == [".outputs[y].scale is 2.001, it was 2.0"]
    assert changed(elements=4) == [".outputs[y].elements is 4, it was 3"]
    assert changed(more=1) == [".outputs[y].more is only in the new evidence"]


def test_what_two_machines_measure_by_chance_is_no_difference() -> None:
    scale, tiny = {"rms": 0.5, "max": 1.0}, {"rms": 1e-9, "max": 2e-9}
    old = {"scale": scale, "onnx": tiny, "torch": tiny, "sqnr_db": 172.0, "noise_measured": True}
    new = {**old, "onnx": {"rms": 4e-8, "max": 1.2e-7}, "sqnr_db": 136.0}
    assert list(differences(new, old)) == []
    assert list(differences({**new, "torch": {"rms": 0.0, "max": 0.0}, "noise_measured": False}, old)) == []
    large = {"rms": 1e-5, "max": 2e-5}
    assert len(list(differences({**new, "onnx": large, "sqnr_db": 94.0}, old))) == 3
    assert len(list(differences({**new, "torch": large}, old))) == 2


def main() -> None:
    """Write the files anew."""
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            evidence = evidence_of(model, Path(folder))
            (FOLDER / f"{model}.json").write_text(json.dumps(evidence, indent=1) + "\n")


if __name__ == "__main__":
    main()
