"""Datasets that torchvision knows by name, from files on disk."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError, NetworkError
from zoo.api.problem import ImageInput
from zoo.data.embedded import digits
from zoo.data.formats.class_folders.torchvision_names import NAMED
from zoo.data.image import dataset, sources
from zoo.data.image.reading import reader


def write_mnist(root: Path) -> None:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    data = digits.load()
    parts = {
        "train": (data.train_images[:60], data.train_labels[:60]),
        "t10k": (data.test_images[:20], data.test_labels[:20]),
    }
    for name, (images, labels) in parts.items():
        (raw / f"{name}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 2051, len(images), 28, 28) + images.tobytes()
        )
        head = struct.pack(">II", 2049, len(labels))
        (raw / f"{name}-labels-idx1-ubyte").write_bytes(head + labels.astype(np.uint8).tobytes())


def card(root: Path, name: str = "MNIST") -> DataCard:
    found = sources.detect(DataRequest(source=f"torchvision:{name}", root=root), accepted=("torchvision",))
    return sources.check(found, labelled=True, progress=lambda *_: None)


def test_mnist_from_its_files(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    found = card(tmp_path)
    assert sum(found.counts().values()) == 80 and found.counts()["test"] == 20
    assert found.classes[0] == "0 - zero" and found.facts == {"channels": 1, "height": [28, 28], "width": [28, 28]}
    assert any("held out for validation" in note for note in found.notes)
    data = digits.load()
    for sample in found.splits["validation"]:
        assert np.array_equal(reader(found)(sample)[..., 0], data.train_images[sample.index])
        assert sample.label == data.train_labels[sample.index]
    split = dataset.open_split(found, "test", ImageInput(size=(28, 28)))
    assert isinstance(split.levels, dataset.Resident)
    assert np.array_equal(split.batch(range(20))["image"][:, 0].numpy(), data.test_images[:20])
    assert found.fingerprint == card(tmp_path).fingerprint


def test_what_is_absent_is_not_fetched_when_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(DataError, match="CIFAR10 is not in") as caught:
        card(tmp_path, "CIFAR10")
    assert "--data-root" in caught.value.hint


def test_a_download_that_fails_is_a_network_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(NetworkError, match="KMNIST could not be fetched"):
        card(tmp_path, "KMNIST")


def test_pickles_of_an_older_torchvision_are_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    old = tmp_path / "MNIST" / "processed"
    old.mkdir()
    (old / "training.pt").write_bytes(b"x")
    with pytest.raises(DataError, match="not safe to read"):
        card(tmp_path)


def test_every_name_is_a_dataset_with_these_keywords() -> None:
    import inspect

    from torchvision import datasets

    for name, named in NAMED.items():
        known = inspect.signature(getattr(datasets, name).__init__).parameters
        assert "download" in known or "kwargs" in known, name
        for keywords in named.parts.values():
            assert "kwargs" in known or set(keywords) <= set(known), name
        assert "train" in named.parts
