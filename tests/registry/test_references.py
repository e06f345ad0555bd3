"""Requirements of extras: what is plain is read without packaging's parser, and must be what packaging says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product

import pytest
from packaging.specifiers import SpecifierSet

from zoo.registry import references
from zoo.registry.distributions import Metadata
from zoo.registry.references import missing_requirements

VERSIONS = ("1", "1.0", "1.0.1", "1.9", "1.10", "2.0.0", "2.0rc1", "1.0.post1", "3.1+local", "2024.5")
CLAUSES = ("", ">=1", ">1.0", "<2", "<=1.9", "==1.0.0", "!=1.9", ">=1.9,<2", "~=1.9", "==1.*", ">=2.0rc1", "<2,>=1.0.1")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    missing_requirements.cache_clear()
    yield
    missing_requirements.cache_clear()


def asking(monkeypatch: pytest.MonkeyPatch, *requirements: str, installed: str | None) -> tuple[str, ...]:
    """What the extra "big" of a distribution with these requirements lacks where `thing` is so installed."""
    metadata = Metadata(name="acme", version="1.0", extras=("big", "small"), requires=requirements)
    monkeypatch.setattr(references, "installed_metadata", lambda _name: metadata)
    monkeypatch.setattr(references, "_installed", lambda _name: installed)
    missing_requirements.cache_clear()
    return missing_requirements("acme", "big")


@pytest.mark.parametrize(("version", "clauses"), list(product(VERSIONS, CLAUSES)))
def test_what_is_met_is_what_packaging_says(version: str, clauses: str, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = asking(monkeypatch, f'thing{clauses}; extra == "big"', installed=version)
    assert (missing == ()) == SpecifierSet(clauses).contains(version, prereleases=True)
    if missing:
        assert SpecifierSet(missing[0].removeprefix("thing")) == SpecifierSet(clauses)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("thing", ()),
        ("thing>=1 ; extra == 'small'", ()),
        ("other[extra]>=1", ()),
        ("acme[small]; extra == 'small'", ()),
        ("thing >= 1, < 2 ; extra == 'big'", ("thing>=1,<2",)),
        ("Thing[fast]>=1; extra == 'BIG'", ("Thing>=1",)),
        ("thing>=1; extra == 'big' and python_version >= '3'", ("thing>=1",)),
        ("thing>=1; extra == 'big' and python_version < '3'", ()),
    ],
)
def test_only_what_belongs_to_the_extra_counts(
    text: str, missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asking(monkeypatch, text, installed=None) == missing


def test_plain_requirements_need_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    others = ("acme[small]; extra == 'small'", "x~=1.0; python_version < '3'", "y~=2.0; extra == 'small'")
    assert asking(monkeypatch, *others, 'thing<6,>=5; extra == "big"', installed="5.12.1") == ()
