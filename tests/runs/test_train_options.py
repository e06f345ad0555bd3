"""One table of options: the command line, zoo.train, the config and the next command are the same by name and type."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import click
import pytest

import zoo
from zoo.api.recipe import Recipe
from zoo.api.specs import ModelSpec
from zoo.cli.train import train as command
from zoo.runs.train_config import TrainConfig, config_json, resolve_config
from zoo.runs.train_options import TRAIN_OPTIONS, TrainOptions, chosen_flags, command_words, given
from zoo.training.launch import start

NAMES = [option.name for option in TRAIN_OPTIONS]
COMMAND_ALONE = {"model", "resume", "allow_inexact", "from_scratch", "find_lr", "dry_run", "accept_licence", "as_json"}
PYTHON_ALONE = {"model", "catalog"}
CHOSEN: dict[str, Any] = {
    "data": "./my photos",
    "data_root": Path("kept"),
    "train": "learn",
    "validation": "check",
    "test": "held",
    "ratios": "0.5,0.25,0.25",
    "format": "csv",
    "text_column": "review",
    "label_column": "3",
    "encoding": "cp1252",
    "weights": "v1",
    "pretrained": True,
    "trainer": "classification",
    "freeze": "backbone",
    "teacher": "net@v2",
    "layer_decay": 0.75,
    "mixup": 0.2,
    "cutmix": 1.0,
    "augment_policy": "randaugment",
    "sampling": "balanced",
    "class_weights": "balanced",
    "epochs": 3,
    "batch_size": 24,
    "lr": 0.25,
    "input_size": "16x24",
    "seed": 4,
    "device": "cpu",
    "output": Path("new"),
    "overwrite": True,
    "config": None,
    "settings": ("recipe.clip=1", "momentum=0.5"),
    "precision": "bf16",
    "compile": True,
    "devices": 2,
    "threads": 3,
    "workers": 0,
    "patience": 5,
    "max_steps": 7,
    "stop_after": 5,
    "max_time": "55s",
    "save_every": "500steps",
    "limit_train": 240,
    "callbacks": ("acme/paper",),
    "on_bad_sample": "skip",
}
"""Another value than the default for every option, but for `config`."""


def test_the_command_line_has_the_table_and_its_own_switches() -> None:
    parameters = {parameter.name: parameter for parameter in command.params}
    assert set(parameters) == {*NAMES, *COMMAND_ALONE}
    for option in TRAIN_OPTIONS:
        parameter = parameters[option.name]
        assert isinstance(parameter, click.Option)
        assert parameter.opts == [*([option.short] if option.short else []), option.flag]
        assert (parameter.help, parameter.multiple, parameter.is_flag) == (
            option.help,
            option.type == Sequence[str],
            option.type is bool,
        )
        if isinstance(parameter.type, click.Choice):
            assert parameter.type.choices == option.choices


def test_python_has_the_table_with_the_same_types() -> None:
    hints = get_type_hints(zoo.train)
    assert [name for name in inspect.signature(zoo.train).parameters if name not in PYTHON_ALONE] == NAMES
    table = {**get_type_hints(TrainOptions), "callbacks": Sequence[str | zoo.Callback]}  # Python takes objects as well
    assert {name: hints[name] for name in NAMES} == {name: table[name] for name in NAMES}
    defaults = {name: parameter.default for name, parameter in inspect.signature(zoo.train).parameters.items()}
    assert {name: defaults[name] for name in NAMES} == {name: getattr(TrainOptions(), name) for name in NAMES}


def test_every_parameter_of_python_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    class Arrived(Exception):
        pass

    def arrive(model: str | None, options: TrainOptions, **_: object) -> None:
        raise Arrived(model, options)

    monkeypatch.setattr(start, "resolve_training", arrive)
    with pytest.raises(Arrived) as arrived:
        zoo.train("net", **{**CHOSEN, "config": Path("old")})
    assert arrived.value.args == ("net", TrainOptions(**{**CHOSEN, "config": Path("old")}))


def test_each_option_goes_to_a_field() -> None:
    records = {"config": TrainConfig, "recipe": Recipe}
    lost = [
        option.name
        for option in TRAIN_OPTIONS
        if option.destination in records
        and option.name != "settings"
        and option.name not in {field.name for field in fields(records[option.destination])}
    ]
    assert lost == []


def test_a_config_replays_every_option_that_is_not_of_one_start_alone(tmp_path: Path) -> None:
    assert set(CHOSEN) == set(NAMES)
    chosen = _resolved(TrainOptions(**CHOSEN))
    file = tmp_path / "config.json"
    file.write_text(json.dumps(config_json(chosen)))
    replayed = _resolved(TrainOptions(config=file, output=Path("new")))
    assert replayed == chosen
    plain = _resolved(TrainOptions(output=Path("new")))
    replayable = [option for option in TRAIN_OPTIONS if option.destination != "start" and option.name != "settings"]
    for option in replayable:
        record = "recipe." if option.destination == "recipe" else ""
        assert _value(chosen, record + option.name) != _value(plain, record + option.name), option.name
    assert (replayed.recipe.clip, replayed.recipe.momentum) == (1.0, 0.5)


def test_the_next_command_means_the_same_options() -> None:
    options = TrainOptions(**CHOSEN)
    words = shlex.split(" ".join(command_words(options)))
    parsed = command.make_context("train", ["net", *words]).params
    assert TrainOptions(**{name: parsed[name] for name in NAMES}) == options
    assert chosen_flags(options) == [option.flag for option in TRAIN_OPTIONS if option.name != "config"]
    assert given(TrainOptions(seed=0), "config") == {"seed": 0}
    assert (command_words(TrainOptions()), dict(given(TrainOptions(), "config"))) == ([], {})


def _resolved(options: TrainOptions) -> TrainConfig:
    image = zoo.ImageInput(size=(8, 8))
    return resolve_config(
        options,
        spec=ModelSpec(name="net", task="t", builder="a:b", trainer="t", input=image, recipes={"default": Recipe()}),
        full_name="some/net",
        plugin="some",
        plugin_version="1",
        default_data="digits",
        trainer_options={},
    )


def _value(config: TrainConfig, path: str) -> object:
    value: object = config
    for name in path.split("."):
        value = getattr(value, name)
    return value
