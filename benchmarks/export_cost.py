"""What the proof costs: the whole of `zoo export` against a warm `torch.onnx.export` of the same graph.

    python benchmarks/export_cost.py [MODEL] [ROUNDS]

Both run in this process, in turn, after one of each that is not counted; printed are the medians and their
ratio.  The bar for resnet18 at 224 is 4.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

import zoo
from zoo.catalog import Catalog
from zoo.targets import ModelTarget
from zoo_export.sources import find_subject


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


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

    def whole() -> None:
        with tempfile.TemporaryDirectory() as folder:
            written = zoo.export(model, untrained=True, output=Path(folder) / "bundle")
            assert written.published, written.report.sentence

    bare()
    whole()
    pairs = [(seconds(bare), seconds(whole)) for _ in range(rounds)]
    ratios = [together / alone for alone, together in pairs]
    alone, together = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{model}, {torch.get_num_threads()} threads, {rounds} rounds")
    print(f"torch.onnx.export  {alone:.2f} s")
    print(f"zoo export         {together:.2f} s")
    print(f"ratio              {statistics.median(ratios):.2f}  ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "resnet18", int(sys.argv[2]) if len(sys.argv) > 2 else 5)
