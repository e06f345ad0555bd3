"""How timm's networks are trained: a kind for every module, recipes for every architecture, a short training each."""

from __future__ import annotations

from pathlib import Path

import pytest

import zoo
from zoo.training.callbacks.metrics_csv import read_rows
from zoo_timm.families import KINDS, summary
from zoo_timm.plugin import cards, zoo_models


def test_every_module_is_of_a_kind() -> None:
    assert sorted(KINDS) == sorted({card["module"] for card in cards()})
    assert summary("resnet") == "a convolutional network, of timm's module resnet"
    assert summary("levit") == "a network of convolutions and attention, of timm's module levit"


def test_every_architecture_has_recipes_from_scratch_and_for_fine_tuning() -> None:
    for spec in zoo_models():
        assert set(spec.recipes) == {"default", "finetune"}
        assert 0.5 < spec.recipes["finetune"].layer_decay < 1 == spec.recipes["default"].layer_decay


@pytest.mark.parametrize(
    ("name", "lr", "layer_decay"),
    [
        ("resnet10t", 1e-3, 0.9),
        ("convnext_atto", 5e-4, 0.8),
        ("levit_128s", 5e-4, 0.8),
        ("vit_tiny_patch16_224", 5e-4, 0.75),
        ("mixer_s16_224", 5e-4, 0.75),
    ],
)
def test_the_rates_of_a_kind(name: str, lr: float, layer_decay: float) -> None:
    recipe = next(spec for spec in zoo_models() if spec.name == name).recipes["finetune"]
    assert (recipe.lr, recipe.layer_decay) == (lr, layer_decay)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("test_resnet", 0.85),
        ("test_vit", 0.5),
        pytest.param("test_maxvit", 0.85, marks=pytest.mark.ci),
    ],
)
def test_a_short_training_of_each_kind_learns_the_digits(name: str, least: float, tmp_path: Path) -> None:
    run = zoo.train(name, data="digits", limit_train=1_500, epochs=4, seed=0, threads=1, output=tmp_path / "run")
    assert run.config.recipe.epochs == 4
    assert read_rows(run.path / "metrics.csv")[-1]["validation/top1"] > least
