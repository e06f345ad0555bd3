"""`zoo list`, `zoo info` and `zoo plugins` on a small installed plugin, and with broken ones beside it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
Install = Callable[..., Path]

TINY = """
import zoo
print("a plugin that talks")

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(
        name="tiny", task="gazing", builder="nowhere:build", trainer="gazer", input=zoo.ImageInput(size=(28, 20)),
        aliases=("wee",), parameters=1_234_567, summary="A tiny one.", licence="MIT", paper="https://example.org/paper",
        recipes={"stars": zoo.Recipe(epochs=3), "default": zoo.Recipe(augment=zoo.Augment(shift=0.1))},
    )
    yield zoo.ModelSpec(
        name="wanting", task="gazing", builder="nowhere:build", trainer="gazer",
        input=zoo.LatentInput(size=64), extra="big",
    )

@zoo.hookimpl
def zoo_trainers():
    return [zoo.TrainerSpec(name="gazer", task="gazing", trainer="nowhere:Gazer", options={"patience": 0.5})]

@zoo.hookimpl
def zoo_tasks():
    return [zoo.TaskSpec(name="gazing", task="nowhere:Gazing", default_data="stars", metric="wonder")]

@zoo.hookimpl
def zoo_weights():
    return [zoo.WeightsSpec(model="tiny", tag="v1", licence="CC-BY-4.0", sha256="0" * 64, size=44_700_000,
                            url="https://example.org/tiny", metrics={"wonder": 0.75}, data="stars")]
"""


@pytest.fixture(autouse=True)
def tiny(install_plugin: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = 'Provides-Extra: big\nRequires-Dist: nonesuch>=1; extra == "big"\n'
    install_plugin("gaze", TINY, distribution="zoo-gaze", metadata=metadata)
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "gaze")


def test_list_prints_an_aligned_table_and_the_next_command(zoo_command: Command) -> None:
    said = zoo_command("list")
    assert said.code == 0
    assert said.out.splitlines() == [
        "model       plugin  task    params  input      weights",
        "tiny (wee)  gaze    gazing   1.23M  3x28x20    v1",
        "wanting     gaze    gazing          latent 64  needs the extra big",
        "next: zoo info tiny",
    ]


def test_list_as_json_is_one_array(zoo_command: Command) -> None:
    said = zoo_command("list", "wee", "--task", "gazing", "--json")
    (record,) = said.json
    assert record.pop("input")["size"] == [28, 20]
    assert record == {
        "name": "gaze/tiny",
        "plugin": "gaze",
        "family": "gaze",
        "task": "gazing",
        "aliases": ["wee"],
        "takes_over": {},
        "parameters": 1_234_567,
        "weights": ["v1"],
        "licence": "MIT",
        "available": True,
        "not_available": "",
        "summary": "A tiny one.",
    }
    assert said.err.splitlines() == ["a plugin that talks", "next: zoo info tiny"]
    assert [record["available"] for record in zoo_command("list", "--json").json] == [True, False]


def test_list_says_when_nothing_fits(zoo_command: Command) -> None:
    said = zoo_command("list", "zzz*", "--json")
    assert (said.code, said.json) == (0, [])
    assert "no model fits 'zzz*'" in said.err
    said = zoo_command("list", "--task", "gaping")
    assert (said.code, said.err.splitlines()[-2:]) == (2, ["Error: no task named 'gaping'", "did you mean gazing?"])


def test_list_weights(zoo_command: Command) -> None:
    said = zoo_command("list", "--weights")
    assert said.out.splitlines() == [
        "weights  plugin  licence       size  data   metrics",
        "tiny@v1  gaze    CC-BY-4.0  44.7 MB  stars  wonder 0.75",
        "next: zoo info tiny@v1",
    ]
    assert [record["name"] for record in zoo_command("list", "--weights", "--json").json] == ["gaze/tiny@gaze/v1"]


def test_list_callbacks(zoo_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo")
    said = zoo_command("list", "--callbacks", "--json")
    assert [record["name"] for record in said.json][:2] == ["zoo/live-line", "zoo/metrics-csv"]
    one = zoo_command("list", "zoo/w*", "--callbacks", "--json").json
    assert [(record["name"], record["plugin"], record["available"]) for record in one] == [("zoo/wandb", "zoo", True)]
    assert zoo_command("list", "--callbacks").out.splitlines()[-1] == "next: zoo train resnet --callback mlflow"
    assert zoo_command("list", "--callbacks", "--weights").code == 2
    assert zoo_command("info", "tensorboard", "--json").json["kind"] == "callback"
    assert zoo_command("info", "text-classification", "--json").json["kind"] == "task"
    assert zoo_command("info", "classification", "--json").json["supports"][0] == "augment_policy"


def test_list_reports_a_broken_plugin_once_and_works(
    zoo_command: Command, install_plugin: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin("bad", "import nonesuch", distribution="zoo-bad")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "gaze,bad")
    said = zoo_command("list")
    assert (said.code, len(said.out.splitlines())) == (0, 4)
    sentence = (
        "the plugin 'bad' (zoo-bad 1.0) is broken and offers nothing: ModuleNotFoundError: No module named 'nonesuch'"
    )
    assert said.err.splitlines().count(sentence) == 1
    said = zoo_command("plugins")
    assert said.code == 0
    assert said.err.splitlines().count(sentence) == 1


def test_plugins_as_json(zoo_command: Command) -> None:
    document = zoo_command("plugins", "--json").json
    assert document["plugins"][0].pop("seconds") < 60
    assert document == {
        "schema": 1,
        "api": 2,
        "plugins": [
            {
                "name": "gaze",
                "distribution": "zoo-gaze",
                "version": "1.0",
                "state": "ok",
                "error": "",
                "hint": "",
                "models": ["tiny", "wanting"],
                "weights": ["tiny@v1"],
                "trainers": ["gazer"],
                "tasks": ["gazing"],
                "formats": [],
                "runtimes": [],
                "callbacks": [],
            }
        ],
    }


def test_no_plugins_at_all_is_no_error(zoo_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "")
    assert zoo_command("plugins").code == 0
    assert zoo_command("list", "--json").json == []


def test_info_of_a_model_shows_every_number(zoo_command: Command) -> None:
    lines = [line.split() for line in zoo_command("info", "wee").out.splitlines()]
    for words in (
        ["model", "gaze/tiny"],
        ["plugin", "gaze", "(zoo-gaze", "1.0)"],
        ["parameters", "1,234,567"],
        ["input", "size", "28", "20"],
        ["recipe", "stars", "default"],
        ["epochs", "3", "10"],
        ["augment.shift", "0", "0.1"],
        ["tiny@v1", "CC-BY-4.0", "44.7", "MB", "wonder", "0.75", "https://example.org/tiny"],
        ["next:", "zoo", "train", "tiny"],
    ):
        assert words in lines
    document = zoo_command("info", "gaze/tiny", "--json").json
    assert (document["schema"], document["kind"], document["name"]) == (1, "model", "gaze/tiny")
    assert document["plugin"] == {"name": "gaze", "distribution": "zoo-gaze", "version": "1.0"}
    assert document["recipes"]["stars"]["epochs"] == 3
    assert document["weights"][0]["licence"] == "CC-BY-4.0"


def test_info_of_a_model_that_needs_an_extra_shows_the_line(zoo_command: Command) -> None:
    said = zoo_command("info", "wanting")
    assert "pip install 'zoo-gaze[big]'" in said.out
    assert zoo_command("info", "wanting", "--json").json["available"] is False


@pytest.mark.parametrize(
    ("name", "kind", "full"),
    [
        ("tiny@v1", "weights", "gaze/tiny@gaze/v1"),
        ("gazing", "task", "gaze/gazing"),
        ("gazer", "trainer", "gaze/gazer"),
        ("gaze", "plugin", "gaze"),
    ],
)
def test_info_knows_every_kind_of_name(name: str, kind: str, full: str, zoo_command: Command) -> None:
    document = zoo_command("info", name, "--json").json
    assert (document["schema"], document["kind"], document["name"]) == (1, kind, full)
    said = zoo_command("info", name)
    assert full in said.out
    assert said.out.splitlines()[-1].startswith("next: zoo ")


def test_info_of_nothing_suggests(zoo_command: Command) -> None:
    said = zoo_command("info", "tinny", "--json")
    assert said.code == 2
    assert said.json["error"]["kind"] == "unknown-name"
    assert said.json["error"]["hint"] == "did you mean tiny?"


SLOW_TO_IMPORT = {
    "csv",
    "difflib",
    "email",
    "importlib.metadata",
    "secrets",
    "shutil",
    "subprocess",
    "tempfile",
    "zipfile",
    "zoo.runs.train_config",
    "zoo.runs.train_options",
}


def test_a_plain_list_imports_nothing_that_only_other_commands_need() -> None:
    code = "import sys; from zoo.cli import main; main(['list']); print('imported', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    line = done.stdout.splitlines()[-1].split()
    assert line[0] == "imported"
    assert "zoo.registry.catalog" in line
    assert SLOW_TO_IMPORT & set(line) == set()


def test_kept_rows_need_none_of_the_modules_that_specs_are_made_of() -> None:
    code = "import sys, zoo.cli.list.models; print({'zoo.api.specs', 'zoo.registry.catalog'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"
