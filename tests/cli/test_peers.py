"""Options as other trainers call them: understood as zoo's own, or answered with how zoo says it."""

from __future__ import annotations

import pytest

from zoo.cli import main
from zoo.cli.peers import SUGGESTED, UNDERSTOOD
from zoo.cli.train import train

FLAGS = {flag for parameter in train.params for flag in parameter.opts}


def test_the_table_names_options_that_zoo_has_and_none_of_its_own() -> None:
    assert set(UNDERSTOOD.values()) <= FLAGS
    assert not (UNDERSTOOD.keys() | SUGGESTED.keys()) & FLAGS
    assert not UNDERSTOOD.keys() & SUGGESTED.keys()


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--imgsz", "64"], "input_size", 64),
        (["--img-size=32"], "input_size", 32),
        (["--batch", "8"], "batch_size", 8),
        (["--lr0", "0.5"], "lr", 0.5),
        (["--learning-rate=0.5"], "lr", 0.5),
        (["--data-dir", "photos"], "data", "photos"),
    ],
)
def test_an_option_of_another_trainer_is_understood(words: list[str], name: str, value: object) -> None:
    assert train.make_context("train", ["cnn", *words]).params[name] == value


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--weight-decay", "0.1"], "there is no --weight-decay here; say --set recipe.weight_decay=0.05"),
        (["--arch", "resnet18"], "say the model's name without an option: zoo train MODEL"),
        (["--epochz", "3"], "--epochs"),
    ],
)
def test_an_option_that_is_said_differently_is_named(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "cnn", *words]) == 2
    assert sentence in capsys.readouterr().err
