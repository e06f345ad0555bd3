"""Trainings of five kinds, killed at file-system events and resumed: each must end as the one that was never killed.

PYTHONPATH=.:plugins:export python benchmarks/kills.py shard NUMBER [KILLS]
PYTHONPATH=.:plugins:export python benchmarks/kills.py merge

A shard of its own number kills other moments, and writes kills/NUMBER.json; twenty shards of fifty are a thousand
kills.  Files, weights, optimiser states, metrics, TensorBoard events and pictures are compared, but what is of the
clock.  `merge` writes kills.md of all shards that are there.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import zoo
from tests.training.kills import Campaign, campaign
from zoo.training.launch.resume import resume

TRAININGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cnn": {"limit_train": 256, "batch_size": 32},
    "yolo_nano": {"limit_train": 32, "batch_size": 16, "input_size": 64},
    "dcgan": {"limit_train": 128, "batch_size": 32},
    "gru_lm": {"limit_train": 96, "batch_size": 32},
    "autoencoder": {"limit_train": 256, "batch_size": 32},
}
"""A classifier, a detector, a GAN, a language model and an autoencoder, as small as they can be."""
COMMON: Final[Mapping[str, Any]] = {"epochs": 2, "threads": 1, "workers": 0, "save_every": "3steps"}
LOADED_ONCE: Final = (
    *("lightning_fabric", "torchvision", "torchmetrics", "torchmetrics.detection", "torchmetrics.image.fid"),
    *("matplotlib.figure", "zoo.training.launch.start", "zoo.training.launch.run_training"),
)
"""Imported before the forks; they compute nothing."""
FOLDER: Final = Path(__file__).with_name("kills")
HEAD: Final = """# Kills

Written by `benchmarks/kills.py merge`. Each training was killed at random file-system events, some of them several
times, and resumed. Files, weights, optimiser states, metrics, TensorBoard events and pictures are compared with the
training that was never killed.

| model | kills | differences |
|---|---|---|
"""


def shard(number: int, kills: int) -> None:
    """Kill every training its share of times, and write down what differed."""
    for name in LOADED_ONCE:
        importlib.import_module(name)
    started, found = time.process_time(), {}
    for model, options in TRAININGS.items():
        with tempfile.TemporaryDirectory() as folder:
            train: Callable[[Path], object] = partial(_train, model, {**COMMON, **options})
            found[model] = campaign(train, _resume, Path(folder), kills=kills // len(TRAININGS), seed=number)
        print(model, found[model].kills, *found[model].differences, sep="\n  ", flush=True)
        FOLDER.mkdir(exist_ok=True)
        record = {"date": time.strftime("%Y-%m-%d"), **{name: _record(result) for name, result in found.items()}}
        (FOLDER / f"{number}.json").write_text(json.dumps(record, indent=2) + "\n")
    print(f"{time.process_time() - started:.0f} CPU s of this process, without its children")


def _train(model: str, options: Mapping[str, Any], place: Path) -> None:
    zoo.train(model, output=place, **options)


def _resume(place: Path) -> None:
    resume(place, say=_ignore)


def _ignore(text: str) -> None:
    """A sentence that is not printed."""


def _record(result: Campaign) -> dict[str, object]:
    return {"kills": result.kills, "differences": list(result.differences)}


def merge() -> None:
    """Write kills.md of all shards."""
    shards = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))]
    lines = []
    for model in TRAININGS:
        results = [shard[model] for shard in shards if model in shard]
        differences = [text for result in results for text in result["differences"]]
        lines.append(f"| {model} | {sum(result['kills'] for result in results)} | {len(differences)} |")
    newest = max((shard.get("date", "") for shard in shards), default="")
    last = f", the last of {newest}" if newest else ""
    FOLDER.with_suffix(".md").write_text(HEAD + "\n".join(lines) + f"\n\nShards: {len(shards)}{last}.\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["merge"]:
        merge()
    else:
        shard(int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 50)
