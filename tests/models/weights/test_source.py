"""What --weights means, and the files that stand behind it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.tiny import INPUT, mirror, published_state, source, tiny_run
from zoo.api.errors import (
    BadFile,
    HashMismatch,
    NetworkError,
    PluginError,
    UnknownName,
    UsageError,
    ZooError,
)
from zoo.models.build import silent
from zoo.models.weights.cached import cached_files
from zoo.models.weights.published import WeightsFile, cache_path, fetch
from zoo.models.weights.source import find_source
from zoo.registry.catalog import Catalog
from zoo.runs.cache import cache_root

Install = Callable[..., Path]


@pytest.fixture
def catalog(install_plugin: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    """The tiny plugin, whose weights v1 lie on a mirror and whose v2 do not."""
    sha256 = mirror(tmp_path / "mirror", "v1", published_state())
    install_plugin("tiny", source({"v1": (sha256[:8], True), "v2": ("0" * 8, False)}))
    monkeypatch.setenv("ZOO_MIRROR", (tmp_path / "mirror").as_uri() + "/")
    yield Catalog.discover()


def test_weights_are_fetched_once_and_proved_each_time(catalog: Catalog, tmp_path: Path) -> None:
    entry = catalog.weight("tiny@v1")
    file = fetch(entry, progress=silent)
    assert file.path == cache_root() / "weights" / entry.spec.sha256 / "v1.pth"
    assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()
    (tmp_path / "mirror" / "publisher.example" / "files" / "v1.pth").unlink()
    assert fetch(entry, progress=silent) == file


def test_a_damaged_file_in_the_cache_is_not_used(catalog: Catalog) -> None:
    entry = catalog.weight("tiny@v1")
    fetch(entry, progress=silent).path.write_bytes(b"changed")
    with pytest.raises(HashMismatch, match="is not the published file of tiny/tiny@tiny/v1") as error:
        fetch(entry, progress=silent)
    assert error.value.hint == "zoo weights clear tiny@v1"


def test_offline_says_what_to_bring_where(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    entry = catalog.weight("tiny@v1")
    with pytest.raises(NetworkError, match="tiny@v1 is not in the cache, and ZOO_OFFLINE is set") as error:
        fetch(entry, progress=silent)
    assert f"put https://publisher.example/files/v1.pth at {cache_path(entry.spec)}" in error.value.hint
    monkeypatch.setenv("ZOO_OFFLINE", "0")
    fetch(entry, progress=silent)
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    fetch(entry, progress=silent)


def test_shipped_weights_are_proved_too(install_plugin: Install) -> None:
    content = b"tensors, let us say"
    sha256 = hashlib.sha256(content).hexdigest()
    module = install_plugin(
        "shipping",
        f"""
import zoo

@zoo.hookimpl
def zoo_weights():
    for tag, sha256 in (("good", {sha256!r}), ("changed", "0" * 64)):
        yield zoo.WeightsSpec(model="m", tag=tag, licence="CC0-1.0", sha256=sha256, resource="shipped_here:w.bin")
    yield zoo.WeightsSpec(model="m", tag="gone", licence="CC0-1.0", sha256="0" * 64, resource="shipped_here:x.bin")
""",
    )
    package = module.parent / "shipped_here"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "w.bin").write_bytes(content)
    good, changed, gone = (
        next(entry for entry in Catalog.discover().weights() if entry.plugin.name == "shipping" and entry.name == tag)
        for tag in ("good", "changed", "gone")
    )
    assert fetch(good, progress=silent) == WeightsFile(path=package / "w.bin", sha256=sha256)
    with pytest.raises(HashMismatch, match=re.escape("is not the published file")) as error:
        fetch(changed, progress=silent)
    assert error.value.hint == "install zoo-test again"
    with pytest.raises(PluginError, match=r"should ship .*x.bin, which is not there"):
        fetch(gone, progress=silent)


@pytest.mark.parametrize("text", ["v1", "tiny/v1", "tiny@v1", "tiny/tiny@tiny/v1"])
def test_a_tag_means_published_weights(text: str, catalog: Catalog) -> None:
    found = find_source(text, catalog, catalog.model("tiny"))
    assert (found.name, found.classes, found.input) == ("tiny/tiny@tiny/v1", ("cat", "dog", "owl"), INPUT)


def test_a_run_means_its_best_checkpoint(catalog: Catalog, tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", classes=("a", "b"))
    found = find_source(str(run.path), catalog, catalog.model("tiny"))
    assert found.classes == ("a", "b")
    assert found.fetch(silent).path == run.checkpoints / "step-10" / "model.safetensors"


def test_a_safetensors_file_says_nothing_of_classes(catalog: Catalog, tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    found = find_source(str(tmp_path / "a.safetensors"), catalog, catalog.model("tiny"))
    assert (found.classes, found.input) == ((), None)
    assert found.fetch(silent).path == tmp_path / "a.safetensors"


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("a.txt", BadFile, "it is neither a run of zoo nor a file of tensors"),
        ("folder", UsageError, "it is a folder without run.json, so no run of zoo"),
        ("gone.safetensors", UsageError, "the weights gone.safetensors do not exist"),
        ("runs/gone", UsageError, "the weights runs/gone do not exist"),
        (
            "https://publisher.example/a.pth",
            UsageError,
            "are an address, and zoo downloads only what a plugin publishes",
        ),
        ("s3://bucket/a.safetensors", UsageError, "are an address, and zoo downloads only what a plugin publishes"),
        ("v9", UnknownName, "no weights of tiny named 'v9'"),
        ("headless@v1", UsageError, "are weights of tiny/headless, not of tiny/tiny"),
        ("other_run", UsageError, "the run other_run trained tiny/headless, not tiny/tiny"),
    ],
)
def test_what_cannot_be_weights_is_refused(
    text: str, kind: type[ZooError], sentence: str, catalog: Catalog, empty_directory: Path
) -> None:
    (empty_directory / "a.txt").write_bytes(b"x")
    (empty_directory / "folder").mkdir()
    tiny_run(empty_directory / "other_run", model="tiny/headless")
    with pytest.raises(kind, match=re.escape(sentence)) as error:
        find_source(text, catalog, catalog.model("tiny"))
    assert error.value.exit_code == 2


def test_the_cache_is_listed_and_cleared_by_name(catalog: Catalog, zoo_command: Callable[..., Any]) -> None:
    path = fetch(catalog.weight("tiny@v1"), progress=silent).path
    broken = cache_path(catalog.weight("tiny@v2").spec)
    broken.parent.mkdir(parents=True)
    broken.with_name("v2.pth.part").write_bytes(b"half")
    stray = cache_root() / "weights" / "1234" / "stray.pth"
    stray.parent.mkdir()
    stray.write_bytes(b"whose?")

    listed = zoo_command("weights", "list", "--json").json
    assert [(one["name"], one["size"], one["whole"]) for one in listed["files"]] == [
        (None, 6, True),
        ("tiny/tiny@tiny/v1", path.stat().st_size, True),
        ("tiny/tiny@tiny/v2", 4, False),
    ]
    assert "interrupted" in zoo_command("weights", "list").out

    assert zoo_command("weights", "clear").code == 2
    assert zoo_command("weights", "clear", "tiny@v7").code == 2
    cleared = zoo_command("weights", "clear", "tiny@v1", "--json").json
    assert cleared == {"schema": 1, "removed": ["tiny@v1"], "bytes": listed["files"][1]["size"]}
    assert not path.exists()
    assert zoo_command("weights", "clear", "--all").code == 0
    assert cached_files(catalog) == ()
