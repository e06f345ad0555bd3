"""Options as other trainers call them: understood as zoo's own, or answered with how zoo says it."""

from __future__ import annotations

from collections.abc import Mapping

import click
import pytest

from zoo.cli import main
from zoo.cli.eval import evaluate
from zoo.cli.predict import predict
from zoo.cli.terminal.peers import MEASURED, PREDICTED, SUGGESTED, UNDERSTOOD
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


@pytest.mark.parametrize(("command", "table"), [(predict, PREDICTED), (evaluate, MEASURED)])
def test_other_commands_name_none_of_their_own_options(command: click.Command, table: Mapping[str, str]) -> None:
    own = {flag for parameter in command.params for flag in parameter.opts}
    assert not table.keys() & own


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["predict", "cnn@digits", "a.png", "--imgsz", "64"], "the model brings pictures to its own size"),
        (["predict", "cnn@digits", "--source", "a.png"], "the files after the target, without an option"),
        (["predict", "--weights", "cnn@digits"], "a run, a bundle, or weights as in cnn@digits"),
        (["eval", "cnn@digits", "--batch", "8"], "the size of a batch changes no answer"),
    ],
)
def test_options_of_tools_that_answer_are_named(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert sentence in capsys.readouterr().err
