"""What is installed, read from its folders, is what `importlib.metadata` says; anything unusual is left to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import distribution, distributions, entry_points
from pathlib import Path
from types import ModuleType

import pytest

from zoo.registry.discovery import GROUP, installed_candidates
from zoo.registry.distributions import (
    Metadata,
    canonical,
    installed_metadata,
    metadata_of,
    read_entries,
    read_metadata,
    record_folders,
)

Install = Callable[..., Path]
GOOD = "import zoo\n"


def folders() -> dict[str, str]:
    """The records of this environment, which has nothing unusual."""
    records = record_folders()
    assert records is not None
    return records


def test_the_distributions_of_this_environment_are_those_that_importlib_finds() -> None:
    expected = {canonical(record.metadata["Name"]) for record in distributions()}
    assert set(folders()) == expected
    assert len(expected) > 50


def test_each_says_of_itself_what_importlib_reads() -> None:
    for name, folder in folders().items():
        actual, expected = read_metadata(folder), metadata_of(distribution(name))
        assert (actual.name, actual.version, actual.extras) == (expected.name, expected.version, expected.extras)
        assert actual.requires == expected.requires


def test_the_plugins_are_those_of_the_entry_points() -> None:
    actual = [(candidate.name, candidate.distribution) for candidate in installed_candidates()]
    expected = [(point.name, point.dist and point.dist.metadata["Name"]) for point in entry_points(group=GROUP)]
    assert sorted(actual) == sorted(expected)
    assert ("cnn", "edgezoo") in actual


class Finder:
    """A finder of somebody's own that may know distributions."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """No module is found here."""

    def find_distributions(self, context: object) -> tuple[()]:  # noqa: ARG002  as importlib calls it
        """Nor any distribution."""
        return ()


def add_egg(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "zoo_old.egg-info").mkdir()


def add_zip(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "packed.zip").write_bytes(b"PK")
    monkeypatch.syspath_prepend(site / "packed.zip")


def add_finder(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])


@pytest.mark.parametrize("unusual", [add_egg, add_zip, add_finder])
def test_where_anything_is_unusual_importlib_is_asked_and_says_the_same(
    unusual: Callable[[Path, pytest.MonkeyPatch], None], install_plugin: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = install_plugin("acme", GOOD, distribution="zoo-acme").parent
    expected = [(candidate.name, candidate.title, candidate.module) for candidate in installed_candidates()]
    assert ("acme", "plugin 'acme' (zoo-acme 1.0)") in [item[:2] for item in expected]
    unusual(site, monkeypatch)
    assert record_folders() is None
    assert [(candidate.name, candidate.title, candidate.module) for candidate in installed_candidates()] == expected
    assert installed_metadata("Zoo_Acme") == Metadata(name="zoo-acme", version="1.0")
    assert installed_metadata("zoo-absent") is None


def test_a_plugin_of_an_egg_is_found(install_plugin: Install) -> None:
    record = install_plugin("acme", GOOD, distribution="zoo-acme").parent / "zoo_acme-1.0.dist-info"
    (record / "METADATA").rename(record / "PKG-INFO")
    record.rename(record.with_name("zoo_acme.egg-info"))
    assert [candidate.title for candidate in installed_candidates() if candidate.name == "acme"] == [
        "plugin 'acme' (zoo-acme 1.0)"
    ]


def test_the_first_on_the_path_hides_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0"):
        record = tmp_path / version / f"zoo_acme-{version}.dist-info"
        record.mkdir(parents=True)
        (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: zoo-acme\nVersion: {version}\n")
        (record / "entry_points.txt").write_text(f"[zoo.plugins]\nacme{version[0]} = acme\n")
        monkeypatch.syspath_prepend(tmp_path / version)
    assert [item.name for item in installed_candidates() if item.distribution == "zoo-acme"] == ["acme2"]
    (tmp_path / "old.egg").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert record_folders() is None
    assert [item.name for item in installed_candidates() if item.distribution == "zoo-acme"] == ["acme2"]


def test_fields_are_read_up_to_the_description_and_folded_ones_are_joined(tmp_path: Path) -> None:
    (tmp_path / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: zoo-acme\nversion: 1.0\nProvides-Extra: big\nProvides-Extra: small\n"
        "Requires-Dist: thing>=1\n ; extra == 'big'\n\nName: of the description\nVersion: 9\n"
    )
    assert read_metadata(str(tmp_path)) == Metadata(
        name="zoo-acme", version="1.0", extras=("big", "small"), requires=("thing>=1 ; extra == 'big'",)
    )


def test_only_groups_of_zoo_are_read_and_comments_are_none(tmp_path: Path) -> None:
    file = tmp_path / "entry_points.txt"
    assert read_entries(str(tmp_path)) == {}
    file.write_text("[console_scripts]\nthis is damaged, and nothing of ours\n")
    assert read_entries(str(tmp_path)) == {}
    file.write_text("# a comment\n[zoo.plugins]\n  acme = zoo_acme.plugin \n\n[other]\na=b\n")
    assert read_entries(str(tmp_path)) == {"zoo.plugins": (("acme", "zoo_acme.plugin"),), "other": (("a", "b"),)}
    file.write_text("[zoo.plugins]\nno entry\n")
    with pytest.raises(ValueError, match="'no entry' is no entry point"):
        read_entries(str(tmp_path))
