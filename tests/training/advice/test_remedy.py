"""The command that stands in the place of the export after a training that went wrong."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import zoo
from zoo.api.callback import ALL_EPOCHS, ALL_STEPS, TIME_IS_UP
from zoo.cli.data.data import show
from zoo.cli.train import train
from zoo.runs.train_options import TrainOptions
from zoo.training.advice.diagnosis import Finding, Remedy
from zoo.training.advice.remedy import after_divergence, learn_for_8_bits, remedy
from zoo.training.launch.request import resolve_training

KIND = {"data": "not-measured", "labels": "contradiction", "longer": "no-better", "rate": "stuck"}


@pytest.fixture(name="catalog", scope="module")
def _catalog() -> zoo.Catalog:
    return zoo.Catalog.discover()


def command(catalog: zoo.Catalog, helps: Remedy, *, model: str = "cnn", **changes: Any) -> str:
    """What is printed after a training of a model with the recipe for folders, changed."""
    request = resolve_training(model, TrainOptions(data="digits"), catalog=catalog)
    reason, steps = changes.pop("reason", ALL_EPOCHS), changes.pop("steps", 500)
    recipe = replace(request.entry.spec.recipes["default"], **changes.pop("recipe", {}))
    config = replace(request.config, data="my photos", recipe=recipe, **changes)
    finding = Finding(kind=KIND[helps], message="it went wrong", remedy=helps)  # type: ignore[arg-type]
    run = SimpleNamespace(path=Path("runs/a"), config=config)
    outcome = SimpleNamespace(reason=reason, steps=steps)
    ended: Any = SimpleNamespace(entry=request.entry, run=run, outcome=outcome, findings=(finding,))
    return remedy(ended, catalog)


def test_each_kind_of_remedy_has_its_command(catalog: zoo.Catalog) -> None:
    assert command(catalog, "data") == "zoo train cnn --data 'my photos' --val FOLDER"
    assert command(catalog, "labels") == "zoo data show 'my photos' --model cnn -o samples.html"
    assert command(catalog, "longer") == "zoo train --config runs/a --epochs 24"
    assert command(catalog, "rate") == "zoo data show 'my photos' --model cnn -o samples.html"
    assert command(catalog, "rate", steps=2) == "zoo train --config runs/a --epochs 24"


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"reason": TIME_IS_UP, "max_time": 90.0}, "--max-time 270s"),
        ({"reason": ALL_STEPS, "max_steps": 50}, "--max-steps 150"),
        ({"reason": ALL_STEPS, "max_steps": 50, "stop_after": 20}, "--stop-after 60"),
        ({"reason": "no better for 2 epochs", "recipe": {"patience": 2}}, "--patience 6"),
        ({"max_time": 90.0, "recipe": {"patience": 2}}, "--epochs 24"),
    ],
)
def test_longer_moves_the_limit_that_ended_it(catalog: zoo.Catalog, changes: dict[str, Any], option: str) -> None:
    assert command(catalog, "longer", **changes) == f"zoo train --config runs/a {option}"


@pytest.mark.parametrize("helps", ["longer", "rate"])
def test_a_rate_that_the_user_chose_is_the_first_suspect(catalog: zoo.Catalog, helps: Remedy) -> None:
    usual = catalog.model("cnn").spec.recipes["default"].lr
    assert command(catalog, helps, recipe={"lr": 1000 * usual}) == f"zoo train --config runs/a --lr {usual:g}"
    assert command(catalog, helps, recipe={"lr": usual / 1000}) == f"zoo train --config runs/a --lr {usual:g}"
    assert " --lr " not in command(catalog, helps, recipe={"lr": usual / 2})


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (
            {"lr": 4.0},
            "try a lower rate, as in --lr 0.004, the recipe's own, or --set recipe.clip=1, or --precision 32",
        ),
        ({"lr": 0.006, "precision": "32"}, "try a lower rate, as in --lr 0.002, or --set recipe.clip=1"),
        ({"lr": 0.006, "precision": "32", "clip": 1.0}, "try a lower rate, as in --lr 0.002"),
        ({"lr": 1e-5, "precision": "bf16", "clip": 0.5}, "try a lower rate, as in --lr 3e-06, or --precision 32"),
    ],
)
def test_after_a_divergence_the_rate_comes_first(catalog: zoo.Catalog, recipe: dict[str, Any], said: str) -> None:
    request = resolve_training("cnn", TrainOptions(data="digits"), catalog=catalog)
    own = replace(request.entry.spec.recipes["default"], **recipe)
    assert after_divergence(replace(request.config, data="photos", recipe=own), request.entry.spec) == said


def test_published_weights_come_before_more_epochs(catalog: zoo.Catalog) -> None:
    said = "zoo train mobilenet_v3_small --data 'my photos' --pretrained"
    assert command(catalog, "longer", model="mobilenet_v3_small") == said
    tuned = {"weights": "torchvision/mobilenet_v3_small@torchvision/imagenet1k_v1"}
    assert command(catalog, "longer", model="mobilenet_v3_small", **tuned).startswith(
        "zoo train --config runs/a --epochs"
    )


def test_how_the_data_are_read_stays_part_of_the_command(catalog: zoo.Catalog) -> None:
    reading: dict[str, Any] = {"train": "my a", "ratios": (0.8, 0.1, 0.1), "format": "csv", "label_column": "kind"}
    more = "--train 'my a' --ratios 0.8,0.1,0.1 --format csv --label-column kind"
    said = command(catalog, "labels", **reading)
    assert said == f"zoo data show 'my photos' --model cnn {more} -o samples.html"
    assert show.make_context("show", shlex.split(said)[3:]).params["label_column"] == "kind"
    said = command(catalog, "data", **reading)
    assert train.make_context("train", shlex.split(said)[2:]).params["ratios"] == "0.8,0.1,0.1"


def test_a_run_is_fine_tuned_for_8_bits_once(catalog: zoo.Catalog) -> None:
    request = resolve_training("cnn", TrainOptions(data="digits"), catalog=catalog)
    config = replace(request.config, recipe=replace(request.config.recipe, lr=2e-3))
    run: Any = SimpleNamespace(path=Path("my runs/a"), config=config)
    said = learn_for_8_bits(run)
    tuning = "--weights 'my runs/a' --epochs 3 --lr 0.0002 --set recipe.fake_quantize=true"
    assert said == f"zoo train --config 'my runs/a' {tuning}"
    assert train.make_context("train", shlex.split(said)[2:]).params["weights"] == "my runs/a"
    run.config = replace(config, recipe=replace(config.recipe, fake_quantize=True))
    assert learn_for_8_bits(run) == ""
