"""Reading photographs: zoo's loader beside those of torchvision and timm, on the same files, in alternating turns.

    python benchmarks/loaders.py [--pictures 3000] [--rounds 3] [--output benchmarks/loaders.txt]

JPEG of 500 x 375 pixels become batches of 64 at 224 pixels.  A turn reads all of them once; CPU seconds of this
process, on one thread.  zoo's first epoch starts with an empty cache; "later" reads what the first one kept on the
disk, with the memory for the split taken away, and "in memory" is a split that fits.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from zoo.api.data import DataCard, DataRequest
from zoo.api.problem import ImageInput
from zoo.data.image import dataset, sources
from zoo.data.image.dataset import for_training, open_split
from zoo.data.memory import free_memory

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDE, BATCH = 224, 64
PICTURE = ImageInput(size=(SIDE, SIDE), mean=MEAN, std=STD)


def make(root: Path, count: int) -> None:
    """Photographs in all but their subject: smooth colours with noise, 65 kB each."""
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (24, 32, 3)).astype(np.uint8))
        smooth = np.asarray(coarse.resize((500, 375), Image.Resampling.BICUBIC)).astype(int)
        noisy = np.clip(smooth + random.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)
        path = root / "train" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy).save(path, quality=90)


def read_card(root: Path) -> DataCard:
    """What zoo understands of the folder; its check decodes every file once."""
    source = sources.detect(DataRequest(source=str(root)), accepted=("class-folders",))
    return sources.check(source, labelled=True, progress=lambda _done, _total: None)


def zoo_epochs(card: DataCard, *, memory: bool) -> Iterator[Callable[[], None]]:
    """The epochs of one split, which is opened in the first one."""
    opened: list[dataset.PictureDataset] = []

    def epoch() -> None:
        if not opened:
            free = free_memory if memory else lambda: 0
            with patch.object(dataset, "free_memory", free), for_training():
                opened.append(open_split(card, "train", PICTURE))
        split = opened[0]
        order = torch.randperm(len(split)).tolist()
        for start in range(0, len(order), BATCH):
            batch = split.ready(split.batch(order[start : start + BATCH]))
            assert batch["input"].shape[1:] == (3, SIDE, SIDE)

    while True:
        yield epoch


def torchvision_epoch(root: Path) -> Callable[[], None]:
    """Its documented way: ImageFolder, Resize, ToTensor and Normalize of each picture, DataLoader."""
    steps = [transforms.Resize((SIDE, SIDE)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    return _peer(DataLoader(datasets.ImageFolder(root / "train", transforms.Compose(steps)), BATCH, shuffle=True))


def timm_epoch(root: Path) -> Callable[[], None] | None:
    """Its own loader without augmentation; None where timm is not installed."""
    try:
        timm = import_module("timm.data")
    except ImportError:
        return None
    create_dataset, create_loader = timm.create_dataset, timm.create_loader
    files = create_dataset("", root=str(root / "train"))
    loader = create_loader(
        files, (3, SIDE, SIDE), BATCH, is_training=False, crop_pct=1.0, crop_mode="squash", interpolation="bilinear",
        num_workers=0, use_prefetcher=False, mean=MEAN, std=STD, device=torch.device("cpu"), persistent_workers=False,
    )  # fmt: skip
    return _peer(loader)


def _peer(loader: DataLoader[object]) -> Callable[[], None]:
    def epoch() -> None:
        for images, _ in loader:
            assert images.shape[1:] == (3, SIDE, SIDE)

    return epoch


def measure(root: Path, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of every turn by what was read with."""
    seconds: dict[str, list[float]] = {}

    def turn(name: str, epoch: Callable[[], None]) -> None:
        start = time.process_time()
        epoch()
        seconds.setdefault(name, []).append(time.process_time() - start)

    cards: list[DataCard] = []
    turn("zoo, the check of all files", lambda: cards.append(read_card(root)))
    turn("zoo, first epoch after the check", next(zoo_epochs(cards[0], memory=True)))
    # what the check has decoded is gone: an epoch of its own is what the others' are
    card, torchvision, timm = replace(cards[0], decoded=None), torchvision_epoch(root), timm_epoch(root)
    for index in range(rounds):
        os.environ["ZOO_CACHE"] = str(root / f"cache{index}")
        on_disk = zoo_epochs(card, memory=False)
        turn("zoo, first epoch", next(on_disk))
        turn("torchvision", torchvision)
        turn("zoo, later epochs from the disk", next(on_disk))
        if timm:
            turn("timm", timm)
        in_memory = zoo_epochs(card, memory=True)
        next(in_memory)()
        turn("zoo, later epochs in memory", next(in_memory))
    return seconds


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ZOO_CACHE"] = folder + "/cache"
        make(Path(folder) / "data", options.pictures)
        seconds = measure(Path(folder) / "data", options.rounds)
    base = statistics.median(seconds["torchvision"])
    lines = [
        f"{options.pictures:,} JPEG of 500x375 to {SIDE} px, {options.rounds} rounds, CPU seconds on one thread",
        "",
    ]
    lines += [f"{'':34}{'median':>8}{'ms each':>9}{'torchvision / this':>20}"]
    for name, turns in seconds.items():
        median = statistics.median(turns)
        lines.append(f"{name:34}{median:8.2f}{1000 * median / options.pictures:9.2f}{base / median:20.2f}")
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
