"""The fields of a spec hold what their types say, or the first that does not is named."""

from __future__ import annotations

from typing import Any

import pytest

from zoo import ImageInput, ModelSpec, Monitor, Recipe, TokenInput, TrainerSpec, WeightsSpec
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import BUILT_IN
from zoo.registry.validation import type_error


def model(**fields: Any) -> ModelSpec:
    told: dict[str, Any] = {"name": "net", "task": "staring", "builder": "a:b", "trainer": "t"}
    return ModelSpec(**told | {"input": ImageInput(size=(8, 8))} | fields)


def weights(**fields: Any) -> WeightsSpec:
    return WeightsSpec(**{"model": "net", "tag": "x", "licence": "MIT", "sha256": "0" * 64, "url": "u"} | fields)


@pytest.mark.parametrize(
    "spec",
    [
        model(),
        model(input=TokenInput(), parameters=7, gflops=1, extra="big", conformance={"overfits": "why"}),
        model(recipes={"default": Recipe(lr=1, clip=None, input_size=(8, 8), options={"most": 0.3, "on": True})}),
        weights(classes="a:b", metrics={"top1": 0.5}, input=ImageInput(size=(8, 8))),
        weights(classes=("a", "b"), facts={"deep": [1, None, {"deeper": [[True]]}]}),
        TrainerSpec(name="t", task="staring", trainer="a:b", monitor=Monitor(metric="top1", mode="max")),
    ],
)
def test_what_fits_is_let_through(spec: object) -> None:
    assert type_error(spec) == ""


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (model(summary=7), "summary is 7, where str belongs"),
        (model(aliases="abc"), "aliases is 'abc', where tuple[str, ...] belongs"),
        (model(head=["fc."]), "head is ['fc.'], where tuple[str, ...] belongs"),
        (model(parameters=True), "parameters is True, where int | None belongs"),
        (model(input=None), "input is None, where Input belongs"),
        (model(input=ImageInput(size=28)), "input.size is 28, where tuple[int, int] belongs"),  # type: ignore[arg-type]
        (model(input=ImageInput(size=(8, 8, 3))), "input.size is (8, 8, 3), where tuple[int, int] belongs"),  # type: ignore[arg-type]
        (model(recipes={"default": {}}), "recipes is {'default': {}}, where Mapping[str, Recipe] belongs"),
        (model(conformance=None), "conformance is None, where Mapping[str, str] belongs"),
        (weights(metrics={"top1": "high"}), "metrics is {'top1': 'high'}, where Mapping[str, float] belongs"),
        (weights(optional=("a" * 60, 1)), f"optional is ('{'a' * 38}…, where tuple[str, ...] belongs"),
    ],
)
def test_what_does_not_fit_is_named(spec: object, sentence: str) -> None:
    assert type_error(spec) == sentence


def test_a_value_that_cannot_be_shown_is_named_by_its_kind() -> None:
    class Silent:
        def __repr__(self) -> str:
            raise RuntimeError("never")

    assert type_error(model(summary=Silent())) == "summary is a Silent, where str belongs"


def test_all_that_comes_with_zoo_fits() -> None:
    plugins = [one for one in Catalog.discover().plugins if one.distribution == BUILT_IN]
    specs = [spec for one in plugins for spec in (*one.models, *one.trainers, *one.weights, *one.tasks)]
    assert len(specs) > 300
    assert [found for found in map(type_error, specs) if found] == []
