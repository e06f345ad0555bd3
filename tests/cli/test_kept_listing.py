"""Rows of `zoo list` that are kept: the same as fresh ones, and never those of files that have changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from zoo.cli import kept_listing
from zoo.cli.kept_listing import current_listing
from zoo.registry.catalog import Catalog
from zoo.registry.catalog_listing import make_listing
from zoo.runs.kept_files import entries

Install = Callable[..., Path]

SOURCE = """
import zoo

@zoo.hookimpl
def zoo_models():
    for name in {names!r}:
        yield zoo.ModelSpec(name=name, task="gazing", builder="nowhere:build", trainer="gazer",
                            input=zoo.ImageInput(size=(28, 20)), family="gazers", aliases=("wee",)[:name == "tiny"])
"""


@pytest.fixture
def module(install_plugin: Install, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "gaze")
    return install_plugin("gaze", SOURCE.format(names=["tiny", "large"]), distribution="zoo-gaze")


def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One number for each time that the plugins are asked."""
    calls: list[int] = []

    def counted(catalog: Catalog) -> object:
        calls.append(1)
        return make_listing(catalog)

    monkeypatch.setattr("zoo.registry.catalog_listing.make_listing", counted)
    return calls


@pytest.mark.usefixtures("module")
def test_kept_rows_are_the_fresh_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = asked(monkeypatch)
    fresh, kept = current_listing(), current_listing()
    assert len(calls) == 1
    assert [row.bare_name for row in kept.models] == ["large", "tiny"]
    for one, other in zip(fresh.models, kept.models, strict=True):
        assert {name: list(value) if isinstance(value, tuple) else value for name, value in one._asdict().items()} == (
            other._asdict()
        )


def test_a_file_that_changed_is_read_again(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = asked(monkeypatch)
    current_listing()
    os.utime(module, ns=(1, 1))
    current_listing()
    assert len(calls) == 2


@pytest.mark.usefixtures("module")
def test_other_variables_other_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(current_listing().models) == 2
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "")
    assert current_listing().models == []


@pytest.mark.usefixtures("module")
def test_nothing_is_kept_where_that_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_KEEP", "0")
    current_listing()
    assert entries() == ()


@pytest.mark.usefixtures("module")
def test_nothing_is_kept_where_a_plugin_is_broken(install_plugin: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin("bad", "import nonesuch", distribution="zoo-bad")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "gaze,bad")
    assert len(current_listing().notes) == 1
    assert entries() == ()


@pytest.mark.usefixtures("module")
def test_nothing_is_kept_of_more_files_than_can_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_listing, "MAX_FILES", 3)
    current_listing()
    assert entries() == ()
