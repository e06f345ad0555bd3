"""What the proof costs: the whole of `zoo export` against a warm `torch.onnx.export`, and against one without controls.

    python benchmarks/export_cost.py [MODEL] [ROUNDS]

All three run in this process, in turn, after one of each that is not counted; printed are the medians and the ratios
round by round.  The bars for resnet18 at 224: the whole at most 4 times the bare export; the controls, mutants
of the bundle that must be rejected, at most half as much again as the rest.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

import torch

import zoo
from zoo.api.task import Control, Signature
from zoo.models.target import ModelTarget
from zoo.registry.catalog import Catalog
from zoo_export.controls.mutation_score import planned
from zoo_export.proof import submit
from zoo_export.subject.load import find_subject


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def none_apply(declared: Sequence[Control], signature: Signature) -> tuple[Control, ...]:
    """The controls of a proof, none of which applies."""
    return tuple(replace(control, applies=False, reason="measuring") for control in planned(declared, signature))


def main(model: str, rounds: int) -> None:
    """Print the comparison."""
    catalog = Catalog.discover()
    subject = find_subject(ModelTarget(model=catalog.model(model)), catalog, untrained=True)
    image = subject.problem.image
    example = torch.randn(2, image.channels, *image.size)

    def bare() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                subject.module, (example,), dynamo=True, verbose=False, dynamic_shapes=({0: "batch"},), opset_version=18
            )

    def whole(*, proved: bool = True) -> None:
        with tempfile.TemporaryDirectory() as folder:
            written = zoo.export(model, untrained=True, output=Path(folder) / "bundle", allow_unproved=not proved)
            assert written.published, written.report.sentence

    left_out = none_apply(subject.task.answers.controls(subject.problem), subject.signature)

    def uncontrolled() -> None:
        with mock.patch.object(submit, "planned", return_value=left_out):
            whole(proved=False)

    for work in (bare, whole, uncontrolled):
        work()
    rows = [(seconds(bare), seconds(whole), seconds(uncontrolled)) for _ in range(rounds)]
    alone, together, without = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"{model}, {torch.get_num_threads()} threads, {rounds} rounds")
    print(f"torch.onnx.export          {alone:.2f} s")
    print(f"zoo export                 {together:.2f} s")
    print(f"zoo export, no controls    {without:.2f} s")
    _ratio("whole / bare", [b / a for a, b, _ in rows])
    _ratio("whole / without controls", [b / c for _, b, c in rows])


def _ratio(name: str, ratios: list[float]) -> None:
    print(f"{name:26} {statistics.median(ratios):.2f}  ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "resnet18", int(sys.argv[2]) if len(sys.argv) > 2 else 5)
