"""Files that hold data in one piece, which zoo does not read: what to do with each kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from zoo.data.formats.folders import ARCHIVES, walk
from zoo.data.formats.other_tools import MATLAB

ARCHIVE: Final = "unpack it and give the folder"
FRAME: Final = (
    "save it as CSV: python -c \"import pandas; pandas.read_{kind}('{name}').to_csv('{stem}.csv', index=False)\""
)
SHEET: Final = "save it as CSV (UTF-8) in the program that it comes from"
ARRAYS: Final = (
    "write its pictures, texts or sounds into files, with a folder for each class or a table of path and label"
)
IDX: Final = "idx"
CIFAR: Final = "cifar"
NAMED: Final = {IDX: r"[.-]idx[13][.-]ubyte", CIFAR: r"^(data_batch_\d|test_batch)(\.bin)?$"}
"""Names of the files of MNIST, with and without .gz, and of CIFAR."""
CIFAR_WAY: Final = "say --data torchvision:CIFAR10 --data-root DIR, where DIR/cifar-10-batches-py/ holds these files"
UNPACK_IDX: Final = (
    "unpack the four files into DIR/MNIST/raw, and say --data torchvision:MNIST --data-root DIR; "
    "FashionMNIST and KMNIST are kept alike"
)
ADVICE: Final[Mapping[str, str]] = {
    **dict.fromkeys(ARCHIVES, ARCHIVE),
    ".parquet": FRAME.replace("{kind}", "parquet"),
    **dict.fromkeys((".feather", ".arrow"), FRAME.replace("{kind}", "feather")),
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods", ".numbers"), SHEET),
    ".mat": MATLAB,
    IDX: UNPACK_IDX,
    CIFAR: CIFAR_WAY,
    **dict.fromkeys((".npy", ".npz", ".h5", ".hdf5", ".pkl", ".pickle", ".pt"), ARRAYS),
    **dict.fromkeys(
        (".tfrecord", ".tfrecords", ".record", ".rec", ".beton", ".lmdb", ".mdb", ".sqlite", ".db"), ARRAYS
    ),
}
"""What to do, by suffix."""
WORDS: Final[Mapping[str, str]] = {
    ARCHIVE: "an archive",
    SHEET: "a spreadsheet",
    ARRAYS: "a file of arrays or records",
    MATLAB: "a file of Matlab",
    UNPACK_IDX: "one of MNIST's files",
    CIFAR_WAY: "one of CIFAR's files",
}
SOME: Final = 1_000
"""Files of a folder that are looked at."""


def container_in(path: Path) -> Path | None:
    """A file of such a kind: the path itself, or the first in a folder; None where there is none."""
    if path.is_file():
        return path if _kind(path) in ADVICE else None
    names = (name for name, hidden in islice(walk(path, path), SOME) if not hidden)
    return next((path / name for name in names if _kind(Path(name)) in ADVICE), None)


def _kind(file: Path) -> str:
    """What the advice goes by: the suffix, or the name of a file of MNIST or CIFAR."""
    return next((kind for kind, name in NAMED.items() if re.search(name, file.name)), file.suffix.lower())


def described(file: Path) -> str:
    """What a file of such a kind is: "data.zip is an archive"."""
    advice = ADVICE[_kind(file)]
    return f"{file} is {WORDS.get(advice, f'a {file.suffix.lower()} file, which zoo does not read')}"


def advice_for(file: Path) -> str:
    """What to do with a file of such a kind."""
    return ADVICE[_kind(file)].format(name=file.name, stem=file.stem)
