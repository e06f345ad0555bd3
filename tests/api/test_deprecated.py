"""What API 1 offered and zoo no longer documents still works, and warns once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

import zoo
from zoo.api.errors import warn_deprecated


@pytest.fixture(autouse=True)
def nothing_warned() -> Iterator[None]:
    warn_deprecated.cache_clear()
    yield
    warn_deprecated.cache_clear()


def test_picture_controls_warns_once_and_gives_the_generic_controls() -> None:
    with pytest.warns(zoo.ZooDeprecationWarning, match=r"zoo\.generic_controls gives the same") as warned:
        controls = [zoo.picture_controls({"classes": "there are none"}) for _ in range(3)]
    assert controls == [zoo.generic_controls({"classes": "there are none"})] * 3
    assert [warning.filename for warning in warned] == [__file__]


@pytest.mark.parametrize("exporter", ["dynamo", "torchscript"])
def test_an_exporter_warns_once_that_it_has_no_effect(exporter: str) -> None:
    with pytest.warns(
        zoo.ZooDeprecationWarning, match=r"ExportSpec\.exporter has no effect .*; leave it out"
    ) as warned:
        specs = [zoo.ExportSpec(exporter=exporter) for _ in range(3)]  # type: ignore[arg-type]
    assert [spec.exporter for spec in specs] == [exporter] * 3
    assert [warning.filename for warning in warned] == [__file__]


def test_what_is_not_deprecated_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert zoo.ExportSpec().exporter is None
        zoo.generic_controls({})
