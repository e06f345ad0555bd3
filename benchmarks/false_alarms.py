"""Are sound exports rejected?  Models of every task, untrained with random weights, three seeds each.

PYTHONPATH=.:plugins:export python benchmarks/false_alarms.py [MODEL ...] > benchmarks/false_alarms.txt
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

from zoo.bundle.judge.cases import cells
from zoo.bundle.report.record import Report
from zoo_export.export import export

MODELS = [
    "resnet18",
    "resnet50",
    "vgg11_bn",
    "alexnet",
    "inception_v3",
    "googlenet",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "convnext_tiny",
    "vit_b_16",
    "swin_t",
    "cnn",
    "convnet",
    "autoencoder",
    "conv_autoencoder",
    "vae",
    "dcgan",
    "yolo_nano",
    "ssd_tiny",
    "fcn_tiny",
    "facenet_tiny",
    "gru",
    "lstm",
    "bert_tiny",
    "gru_lm",
    "transformer_lm",
    "sentence_bert_tiny",
    "wavenet_tiny",
]
SEEDS = 3


def ratios(report: Report) -> list[float]:
    """The larger ratio of every comparison that gates and is conclusive."""
    conclusive = []
    for graph in report.evidence.graphs:
        for case in graph.cases:
            judged = cells(case, graph, report.evidence).values() if case.gates else ()
            conclusive += [cell.ratio for cell in judged if cell.ratio is not None and cell.status != "INCONCLUSIVE"]
    return conclusive


def main(models: list[str]) -> None:
    warnings.simplefilter("ignore")
    print(f"{'model':<20} seed verdict       comparisons  median  worst  seconds")
    alarms = 0
    for model in models:
        for seed in range(SEEDS):
            with tempfile.TemporaryDirectory() as folder:
                written = export(model, output=Path(folder) / "bundle", untrained=True, seed=seed)
                report = written.report
            known = sorted(ratios(report))
            alarms += not written.published
            middle, worst = (known[len(known) // 2], known[-1]) if known else (0.0, 0.0)
            numbers = f"{len(known):11}  {middle:6.2f} {worst:6.2f} {report.seconds:8.1f}"
            print(f"{model:<20} {seed:4} {report.verdict:<12} {numbers}", flush=True)
            if not written.published:
                print(f"    {report.sentence}", flush=True)
    print(f"{alarms} of {len(models) * SEEDS} sound exports rejected")


if __name__ == "__main__":
    main(sys.argv[1:] or MODELS)
