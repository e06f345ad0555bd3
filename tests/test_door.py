"""`import zoo` shows the whole public interface and pays for none of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import zoo


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(zoo.__file__).read_text())
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    homes = {
        alias.asname: statement.module
        for statement in typed.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    api_1 = {name: reference.partition(":")[0] for name, reference in zoo._API_1.items() if name != "Offer"}
    assert homes == {**zoo._HOMES, **api_1}


def test_every_public_name_is_there() -> None:
    assert [name for name in zoo.__all__ if getattr(zoo, name, None) is None or name not in dir(zoo)] == []


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'zoo' has no attribute 'tarin'"):
        zoo.tarin  # noqa: B018


def test_a_name_of_api_1_still_means_the_same() -> None:
    assert zoo.Offer is zoo.RegistryEntry
    assert zoo.picture_controls({"classes": "none"}) == zoo.generic_controls({"classes": "none"})
    assert zoo.Responding.__module__ == "zoo.api.api_1"
    assert not {*zoo._API_1} & {*zoo.__all__}
