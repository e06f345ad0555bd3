"""Entry points are read so that one damaged record hides nobody else's, and whose code failed is found out."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.registry.catalog import Catalog
from zoo.registry.discovery import BUILT_IN, GROUP, current_name, installed_candidates, same_name
from zoo.registry.loader import Plugin, load_plugins

Install = Callable[..., Path]
Command = Callable[..., Any]

GOOD = """
import zoo

@zoo.hookimpl
def zoo_tasks():
    return [zoo.TaskSpec(name="staring", task="nowhere:Task")]
"""


@pytest.fixture
def damaged(install_plugin: Install) -> Callable[..., Path]:
    """A sound plugin `ant`, and `acme` of which one file of its record holds something else."""

    def install(name: str, content: bytes | None) -> Path:
        install_plugin("ant", GOOD, distribution="zoo-ant")
        file = install_plugin("acme", GOOD, distribution="zoo-acme").parent / "zoo_acme-1.0.dist-info" / name
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        return file

    return install


def found() -> dict[str, Plugin]:
    """The strangers by name, with ant sound and zoo's own all there."""
    plugins = load_plugins(installed_candidates())
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert sum(one.distribution == BUILT_IN for one in plugins) == len(declared["project"]["entry-points"][GROUP])
    strangers = {one.name: one for one in plugins if one.distribution != BUILT_IN}
    assert [spec.name for spec in strangers.pop("ant").tasks] == ["staring"]
    return strangers


@pytest.mark.parametrize("content", [b"[zoo.plugins]\nthis is no entry\n", b"[zoo.plugins]\nacme\xff = acme\n"])
def test_entry_points_that_cannot_be_read_are_their_owners_alone(
    content: bytes, damaged: Callable[..., Path], zoo_command: Command
) -> None:
    damaged("entry_points.txt", content)
    broken = found()["zoo_acme"]
    assert broken.error.startswith("its entry_points.txt cannot be read (")
    assert broken.hint == "pip install --force-reinstall zoo-acme, or pip uninstall zoo-acme"
    said = zoo_command("plugins")
    assert said.code == 0
    assert "the plugin 'zoo_acme' (zoo-acme 1.0) is broken and offers nothing" in said.err


@pytest.mark.parametrize("content", [None, b"", b"Metadata-Version: 2.1\n"])
def test_a_distribution_without_a_name_is_told(
    content: bytes | None, damaged: Callable[..., Path], zoo_command: Command
) -> None:
    damaged("METADATA", content)
    (broken,) = found().values()
    assert broken.error.startswith("its distribution has no name: the METADATA beside its entry points is missing")
    assert broken.hint.endswith("ZOO_DISABLE_PLUGINS=acme")
    for words in (("list",), ("plugins",), ("plugins", "--json"), ("info", "acme")):
        assert zoo_command(*words).code == 0


@pytest.mark.parametrize("value", ["", "acme plugin", "acme:", "acme:::x!"])
def test_an_entry_point_that_names_nothing_says_how_one_looks(value: str, damaged: Callable[..., Path]) -> None:
    damaged("entry_points.txt", f"[zoo.plugins]\nacme = {value}\n".encode())
    assert found()["acme"].error == (
        f"its entry point is {value!r}; it must look like 'zoo_acme.plugin', or 'zoo_acme.plugin:object'"
    )


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("zoo_not_there", "ModuleNotFoundError: No module named 'zoo_not_there'"),
        ("json:plugin", "AttributeError: module 'json' has no attribute 'plugin'"),
    ],
)
def test_an_entry_point_to_what_is_not_there_is_told(value: str, sentence: str, damaged: Callable[..., Path]) -> None:
    damaged("entry_points.txt", f"[zoo.plugins]\nacme = {value}\n".encode())
    assert found()["acme"].error == sentence


def test_what_an_interrupted_upgrade_left_behind_is_no_second_plugin(install_plugin: Install) -> None:
    site = install_plugin("acme", GOOD, distribution="zoo-acme").parent
    record = site / "zoo_acme-1.0.dist-info"
    left = site / "~oo_acme-0.9.dist-info"
    left.mkdir()
    for file in record.iterdir():
        (left / file.name).write_text(file.read_text().replace("Version: 1.0", "Version: 0.9"))
    acme = [one for one in installed_candidates() if one.name == "acme"]
    assert [(one.distribution, one.name) for one in acme] == [("zoo-acme", "acme")]


def test_a_distribution_declares_what_its_plugins_were_called(
    install_plugin: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = install_plugin("acme", GOOD, distribution="zoo-acme").parent / "zoo_acme-1.0.dist-info"
    file = record / "entry_points.txt"
    file.write_text(f"{file.read_text()}\n[zoo.former_names]\nemca = acme\ncnn = acme\ndigit_models = cnn\n")
    names = {one.name: one.former_names for one in installed_candidates() if one.former_names}
    assert names == {"acme": ("emca", "cnn"), "huggingface": ("transformers",)}  # cnn is not of this distribution
    assert current_name("emca/swift@emca/v1", installed_candidates()) == "acme/swift@acme/v1"
    assert current_name("cnn/cnn", installed_candidates()) == "cnn/cnn"
    assert same_name("emca/swift", "acme/swift")
    assert not same_name("emca/swift", "cnn/swift")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "emca, cnn")
    assert [plugin.name for plugin in Catalog.discover().plugins] == ["acme", "cnn"]
    monkeypatch.setenv("ZOO_DISABLE_PLUGINS", "emca")
    assert [plugin.name for plugin in Catalog.discover().plugins] == ["cnn"]
    monkeypatch.delenv("ZOO_DISABLE_PLUGINS")
    monkeypatch.setenv("ZOO_PREFER", "emca,cnn")
    assert Catalog.discover().prefer == ("acme", "cnn")


def test_former_names_are_read_one_by_one_where_somebody_elses_entry_points_are_damaged(
    damaged: Callable[..., Path],
) -> None:
    damaged("entry_points.txt", b"[zoo.plugins]\nthis is no entry\n")
    assert current_name("transformers/bert_tiny", installed_candidates()) == "huggingface/bert_tiny"
