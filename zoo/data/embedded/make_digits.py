"""Make digits.gz from the four original MNIST files: python -m zoo.data.embedded.make_digits FOLDER

Which pictures: the sha256 of each picture's 784 bytes puts them in an order that has nothing to do with what
they show; the first 10,000 of the training set and the first 2,000 of the test set are taken, in that order.
The pack is their bytes, one picture after the other, then one byte per label, compressed with gzip.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from zoo.data.embedded.digits import PACK, SIDE, TEST, TRAIN
from zoo.runs.atomic import write_bytes

Bytes = npt.NDArray[np.uint8]


def read_idx(folder: Path, part: str) -> tuple[Bytes, Bytes]:
    """Pictures uint8 [n, 28, 28] and labels uint8 [n] of "train" or "t10k"."""
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, SIDE, SIDE), np.frombuffer(labels, np.uint8, offset=8)


def first_by_hash(images: Bytes, labels: Bytes, count: int) -> tuple[Bytes, Bytes]:
    """The `count` pictures with the smallest sha256, smallest first, and their labels."""
    order = sorted(range(len(images)), key=lambda index: hashlib.sha256(images[index].tobytes()).digest())
    return images[order[:count]], labels[order[:count]]


def pack(folder: Path) -> bytes:
    """The bytes of digits.gz."""
    train, train_labels = first_by_hash(*read_idx(folder, "train"), TRAIN)
    test, test_labels = first_by_hash(*read_idx(folder, "t10k"), TEST)
    plain = b"".join(part.tobytes() for part in (train, test, train_labels, test_labels))
    # LZMA takes 1.6 MB instead of 1.9, and four times as long to decode in every command that reads digits
    return gzip.compress(plain, 9, mtime=0)


def main() -> None:
    """Write the pack beside this file and print the hash that belongs into digits.py."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m zoo.data.embedded.make_digits FOLDER   (with the four *-ubyte.gz files of MNIST)")
    data = pack(Path(sys.argv[1]))
    write_bytes(PACK, data)
    print(f"{PACK}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
