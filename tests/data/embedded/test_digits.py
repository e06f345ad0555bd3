"""The embedded digits are the MNIST pictures they say they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from zoo.api.data import Split
from zoo.api.errors import HashMismatch
from zoo.data.embedded import digits

SPLITS: dict[Split, int] = {"train": 9_000, "validation": 1_000, "test": 2_000}


def test_counts_and_types() -> None:
    data = digits.load()
    assert data.train_images.shape == (10_000, 28, 28) and data.train_images.dtype == np.uint8
    assert data.test_images.shape == (2_000, 28, 28) and data.test_images.dtype == np.uint8
    assert np.bincount(data.train_labels).tolist() == [1018, 1124, 943, 1026, 1027, 908, 1001, 981, 951, 1021]
    assert np.bincount(data.test_labels).tolist() == [206, 227, 208, 184, 206, 177, 161, 212, 214, 205]


def test_splits_are_disjoint_and_in_the_order_of_their_hashes() -> None:
    data = digits.load()
    hashes = {name: [hashlib.sha256(image.tobytes()).digest() for image in data.split(name)[0]] for name in SPLITS}
    assert {name: len(found) for name, found in hashes.items()} == SPLITS
    assert hashes["train"] + hashes["validation"] == sorted(hashes["train"] + hashes["validation"])
    assert hashes["test"] == sorted(hashes["test"])
    assert not set(hashes["test"]) & set(hashes["train"] + hashes["validation"])
    assert not set(hashes["train"]) & set(hashes["validation"])


def test_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        digits.load().train_images[0, 0, 0] = 1


def test_a_changed_pack_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "digits.gz"
    changed.write_bytes(digits.PACK.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(digits, "PACK", changed)
    with pytest.raises(HashMismatch, match="not the file that was shipped"):
        digits.load.__wrapped__()
