"""The embedded digits: 12,000 real MNIST pictures, lossless, in one file of 1.9 MB.

The pack is data under its own licence (CC BY-SA 3.0, see LICENSE-digits.txt); `make_digits.py` made it.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from zoo.api.data import Split
from zoo.api.errors import HashMismatch

PACK: Final = Path(__file__).with_name("digits.gz")
SHA256: Final = "f709e2002d459978f7c367183c9ff94e8d9bca8592c248694e6488d082f1c397"
IDENTITY: Final = "affd542e0358d1207301bac6f3095ab93a4492ebd418db58be412a99c3236e17"
"""What fingerprints of data know the digits by: the sha256 of the file in which they first shipped, which holds the
same pictures."""
TRAIN: Final = 10_000
VALIDATION: Final = 1_000
"""How many of the training pictures, the last in the order of their hashes, are for validation."""
TEST: Final = 2_000
SIDE: Final = 28
CLASSES: Final = tuple("0123456789")
TURNS: Final = 8
"""A square lies on itself in so many ways: four quarter turns, each also mirrored."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Grey pictures, white on black, with the digit each of them shows; read-only arrays."""

    train_images: npt.NDArray[np.uint8]
    """uint8 [10000, 28, 28], from MNIST's training set."""
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.uint8]
    """uint8 [2000, 28, 28], from MNIST's test set."""
    test_labels: npt.NDArray[np.int64]

    def split(self, name: Split) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Pictures [n, 28, 28] and labels [n] of one split: 9,000 train, 1,000 validation, 2,000 test."""
        if name == "test":
            return self.test_images, self.test_labels
        part = slice(0, TRAIN - VALIDATION) if name == "train" else slice(TRAIN - VALIDATION, TRAIN)
        return self.train_images[part], self.train_labels[part]


def turned(picture: npt.NDArray[np.uint8], turn: int) -> npt.NDArray[np.uint8]:
    """A picture [side, side] after `turn` modulo 4 quarter turns, mirrored left and right first from 4 on."""
    return np.ascontiguousarray(np.rot90(picture[:, ::-1] if turn >= TURNS // 2 else picture, turn % 4))


@cache
def load() -> Digits:
    """The digits, decoded in about a tenth of a second; HashMismatch when the file was changed."""
    packed = PACK.read_bytes()
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise HashMismatch(f"{PACK} is not the file that was shipped", hint="install edgezoo again")
    count = TRAIN + TEST
    values = np.frombuffer(gzip.decompress(packed), np.uint8)
    images = values[: count * SIDE * SIDE].reshape(count, SIDE, SIDE)
    labels = values[count * SIDE * SIDE :].astype(np.int64)
    labels.flags.writeable = False
    return Digits(images[:TRAIN], labels[:TRAIN], images[TRAIN:], labels[TRAIN:])
