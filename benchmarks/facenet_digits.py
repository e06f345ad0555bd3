"""How well held-out digits are verified by facenet_tiny after its default training, and by the same network untrained.

    python benchmarks/facenet_digits.py FOLDER [SEED ...]

The digits 0 to 6 in eight positions each are learnt; pairs of the 631 test pictures of 7, 8 and 9 are verified.  The
bars are an area under the ROC curve of 0.84, and 0.15 above the untrained network.  The runs are kept in FOLDER; every
seed that is measured is written into facenet_digits.json, beside those measured before.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from torch.nn import functional as F

import zoo
from zoo.api.data import DataRequest
from zoo.models.load import load_trained
from zoo.models.target import ModelTarget
from zoo.registry.catalog import Catalog
from zoo.runs.atomic import write_json

RESULT = Path(__file__).with_suffix(".json")
MODEL = "facenet_tiny"
SHOWN = ("roc_auc", "accuracy", "tar_at_far_1pct")


@torch.no_grad()
def untrained(seed: int) -> dict[str, float]:
    """The metrics of the network with random parameters, on the test pictures."""
    catalog = Catalog.discover()
    model = load_trained(ModelTarget(model=catalog.model(MODEL)), catalog, untrained=True, seed=seed)
    card = model.card(DataRequest(source="digits"))
    assert card is not None
    data, metrics = model.task.tensors.dataset(card, "test", model.problem), model.task.tensors.metrics(model.problem)
    for start in range(0, len(data), 250):
        batch = data.ready(data.batch(range(start, min(start + 250, len(data)))))
        metrics.update({"embedding": F.normalize(model.model(batch["input"]))}, batch)
    return metrics.compute()


def trained(seed: int, place: Path) -> tuple[dict[str, float], float]:
    """The test metrics of the default training, and the CPU seconds that it took."""
    start = time.process_time()
    run = zoo.train(MODEL, seed=seed, threads=1, output=place)
    return dict(run.record.test), time.process_time() - start


def main(folder: Path, seeds: list[int]) -> None:
    """Measure, print and keep."""
    rows = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for seed in seeds:
        before, (after, seconds) = untrained(seed), trained(seed, folder / f"seed-{seed}")
        row: dict[str, float] = {"untrained roc_auc": round(before["roc_auc"], 4), "cpu_seconds": round(seconds)}
        row |= {name: round(after[name], 4) for name in SHOWN}
        rows[f"seed {seed}"] = row
        print(f"seed {seed}: {row}", flush=True)
        write_json(RESULT, dict(sorted(rows.items())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(one) for one in sys.argv[2:]] or [0, 1, 2])
