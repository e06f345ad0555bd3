"""Deliberately bad packages, really installed: each is named with a hint, and the other plugins work.

What single plugins do wrong is told apart in test_plugins.py; here they stand side by side, and commands are run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fresh import imported
from tests.tiny import tiny_run
from zoo import ImageInput, Problem, create_model

Install = Callable[..., Path]
Command = Callable[..., Any]

MODEL = """
    return [zoo.ModelSpec(name={name!r}, task="image-classification", builder={builder!r}, trainer="classification",
                          input=zoo.ImageInput(size=(28, 28), channels=1, mean=(0.5,), std=(0.5,)), extra={extra!r})]
"""
GOOD = "import zoo\n\n@zoo.hookimpl\ndef zoo_models():" + MODEL


def model(name: str, *, builder: str = "nowhere:build", extra: str | None = None) -> str:
    """The source of a sound plugin with one model."""
    return GOOD.format(name=name, builder=builder, extra=extra)


BAD = {
    "raising": ("raise RuntimeError('no licence server')", "RuntimeError: no licence server"),
    "leaving": ("import sys\nsys.exit(3)", "SystemExit: 3"),
    "heavy": (
        "import torch\n" + model("net"),
        "it imports torch when it is loaded, which would make every command slow",
    ),
    "misspelt": (
        model("net").replace("zoo_models", "zoo_model"),
        "it implements the unknown hook 'zoo_model'; did you mean 'zoo_models'?",
    ),
    "old": ("ZOO_API = 0\n" + model("net"), "it declares ZOO_API = 0, and this zoo supports 1 and 2"),
    "wrong": (
        "import zoo\n\n@zoo.hookimpl\ndef zoo_models():\n    return ['resnet18']",
        "its hook 'zoo_models' returned a str where a ModelSpec belongs",
    ),
    "double": (model("net").replace("return [", "return 2 * ["), "it offers 2 times a model named 'net'"),
    "touching": (
        "import zoo\n\n@zoo.hookimpl\ndef zoo_models():\n    zoo.Recipe().epochs = 3\n    return []",
        "FrozenInstanceError: cannot assign to field 'epochs'",
    ),
}
"""Plugin name to its source, and to what is said about it."""


@pytest.fixture
def all_bad(install_plugin: Install) -> None:
    """Every bad package, beside a good one and two distributions with one entry-point name."""
    for name, (source, _) in BAD.items():
        install_plugin(name, source, distribution=f"zoo-{name}")
    install_plugin("good", model("sound"), distribution="zoo-good")
    install_plugin("twin", model("left"), distribution="zoo-left")
    install_plugin("twin", model("right"), distribution="zoo-right")


@pytest.mark.usefixtures("all_bad")
def test_list_names_every_plugin_at_fault_with_a_hint_and_lists_the_others(
    zoo_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    said = zoo_command("list", "--json")
    assert said.code == 0
    names = {record["name"] for record in said.json}
    assert {"good/sound", "twin/left", "cnn/cnn", "torchvision/resnet18"} < names
    assert not {"twin/right", *(f"{name}/net" for name in BAD)} & names
    lines = said.err.splitlines()
    for name, (_, sentence) in BAD.items():
        (line,) = (number for number, text in enumerate(lines) if f"plugin '{name}' (zoo-{name} 1.0) is broken" in text)
        assert f"offers nothing: {sentence}" in lines[line]
        assert (
            lines[line + 1] == f"  pip install -U zoo-{name}, pip uninstall zoo-{name}, or ZOO_DISABLE_PLUGINS={name}"
        )
    (line,) = (number for number, text in enumerate(lines) if "'twin'" in text)
    assert "(zoo-right 1.0) is broken and offers nothing: the name 'twin' is already taken by zoo-left" in lines[line]
    assert lines[line + 1] == "  pip uninstall zoo-right, or zoo-left"
    assert sum("is broken" in text for text in lines) == len(BAD) + 1


@pytest.mark.usefixtures("all_bad")
def test_plugins_says_the_same_to_machines(zoo_command: Command) -> None:
    records = {(one["name"], one["distribution"]): one for one in zoo_command("plugins", "--json").json["plugins"]}
    broken = {name for (name, _), one in records.items() if one["state"] == "broken"}
    assert broken - {"heavy"} == {*BAD, "twin"} - {"heavy"}  # torch may be here already, in this process
    assert records["old", "zoo-old"]["error"] == "it declares ZOO_API = 0, and this zoo supports 1 and 2"
    assert records["old", "zoo-old"]["hint"].endswith("ZOO_DISABLE_PLUGINS=old")
    assert records["good", "zoo-good"]["models"] == ["sound"]


def test_a_plugin_that_wants_torch_does_not_make_listing_slow(install_plugin: Install, tmp_path: Path) -> None:
    install_plugin("heavy", "import torch\n" + model("net"), distribution="zoo-heavy")
    install_plugin("sneaky", model("net").replace("import zoo", "import zoo, torchvision.models", 1))
    assert not {"torch", "torchvision", "numpy"} & imported("list", cwd=tmp_path)


LOUD = """
import atexit, os, subprocess, sys
print("one")
sys.__stdout__.write("two")
os.write(1, b"three")
subprocess.run([sys.executable, "-c", "print('four')"])
atexit.register(print, "five")
"""


def test_whatever_a_plugin_prints_the_answer_is_one_document(install_plugin: Install) -> None:
    site = install_plugin("acme", LOUD + model("swift"), distribution="zoo-acme").parent
    path = os.pathsep.join(entry for entry in (str(site), *sys.path) if entry)
    command = [sys.executable, "-m", "zoo", "list", "acme/*", "--json"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    assert [record["name"] for record in json.loads(done.stdout)] == ["acme/swift"]
    assert {word for word in ("one", "two", "three", "four", "five") if word in done.stderr} == {
        "one",
        "two",
        "three",
        "four",
        "five",
    }


def test_control_c_names_the_plugin_that_never_answers(install_plugin: Install, zoo_command: Command) -> None:
    install_plugin("acme", "import signal\nsignal.raise_signal(signal.SIGINT)", distribution="zoo-acme")
    said = zoo_command("list")
    assert said.code == 130
    assert "while the plugin 'acme' (zoo-acme 1.0) was loaded; ZOO_DISABLE_PLUGINS=acme leaves it out" in said.err


def test_a_clash_of_names_is_nobodys_failure(install_plugin: Install, zoo_command: Command) -> None:
    for name in ("acme", "beta"):
        install_plugin(name, model("robin"), distribution=f"zoo-{name}")
    said = zoo_command("list", "robin", "--json")
    assert [one["name"] for one in said.json] == ["acme/robin", "beta/robin"]
    assert said.err == "next: zoo info acme/robin\n"
    assert zoo_command("info", "beta/robin").code == 0
    refused = zoo_command("info", "robin")
    assert refused.code == 2
    assert "acme/robin" in refused.err
    assert "beta/robin" in refused.err


def test_a_missing_extra_is_said_where_it_matters(install_plugin: Install, zoo_command: Command) -> None:
    metadata = 'Provides-Extra: big\nRequires-Dist: nonesuch>=1; extra == "big"\n'
    install_plugin("acme", model("swift", extra="big"), distribution="zoo-acme", metadata=metadata)
    said = zoo_command("list", "acme/*")
    assert "needs the extra big" in said.out
    refused = zoo_command("train", "acme/swift")
    assert refused.code == 2
    assert "acme/swift needs nonesuch>=1, not installed here\npip install 'zoo-acme[big]'" in refused.err


def test_requirements_that_nobody_can_read_are_no_reason_not_to_list(
    install_plugin: Install, zoo_command: Command
) -> None:
    metadata = 'Provides-Extra: big\nRequires-Dist: not ! a = requirement ; extra == "big"\n'
    install_plugin("odd", model("swift", extra="big"), distribution="zoo-odd", metadata=metadata)
    assert "needs the extra big" in zoo_command("list", "odd/*").out
    refused = zoo_command("train", "odd/swift")
    assert refused.code == 3
    assert "odd/swift of the plugin 'odd' (zoo-odd 1.0) cannot be used: " in refused.err


def test_an_extra_that_nobody_declared_is_no_reason_not_to_list(install_plugin: Install, zoo_command: Command) -> None:
    install_plugin("acme", model("swift", extra="bgi"), distribution="zoo-acme")
    assert zoo_command("list", "acme/*").code == 0
    refused = zoo_command("train", "acme/swift")
    assert refused.code == 3
    assert "zoo-acme declares no extra 'bgi'" in refused.err


LEARNING = """
import zoo

INPUT = zoo.ImageInput(size=(28, 28), channels=1, mean=(0.5,), std=(0.5,))

@zoo.hookimpl
def zoo_models():
    for name in ("raising", "nan", "stumbling", "leaving", "quitting", "homeless"):
        yield zoo.ModelSpec(name=name, task="image-classification", builder=f"{__name__}:{name}", trainer=name,
                            input=INPUT, recipes={"default": zoo.Recipe(epochs=1, batch_size=8)})

@zoo.hookimpl
def zoo_trainers():
    for name in ("raising", "nan", "stumbling", "leaving", "quitting", "homeless"):
        yield zoo.TrainerSpec(name=name, task="image-classification", trainer=f"{__name__}:{name}_trainer")

def raising(*, num_classes):
    raise ZeroDivisionError("no parts")

def nan(*, num_classes):
    from torch import nn
    return nn.Sequential(nn.Flatten(), nn.Linear(784, num_classes))

def leaving(*, num_classes):
    raise SystemExit(0)

stumbling = quitting = homeless = nan

def trainer(step):
    from types import SimpleNamespace
    return SimpleNamespace(
        modules=lambda model, problem: {"model": model},
        optimizers=lambda modules, recipe, head: {"model": zoo.build_optimizer(modules["model"], recipe)},
        step=step, predict=None, state_dict=dict, load_state_dict=lambda state: None)

def nan_trainer():
    def step(context, batch):
        loss = context.modules["model"](batch["input"]).sum() * float("nan")
        context.backward(loss)
        context.update("model")
        return zoo.StepOutput(loss=loss.detach(), count=len(batch["input"]))
    return trainer(step)

def stumbling_trainer():
    def step(context, batch):
        raise KeyError("labels")
    return trainer(step)

def quitting_trainer():
    def step(context, batch):
        print("enough")
        raise SystemExit(0)
    return trainer(step)

def homeless_trainer():
    raise FileNotFoundError("prices.csv")

raising_trainer = leaving_trainer = nan_trainer
"""


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("raising", 3, "the plugin 'acme' (zoo-acme 1.0) could not build acme/raising with num_classes=10: "),
        ("nan", 1, ": the loss was not a finite number for 3 steps in a row"),
        ("stumbling", 3, "the plugin 'acme' (zoo-acme 1.0) failed: KeyError: 'labels'"),
        ("leaving", 3, "the plugin 'acme' (zoo-acme 1.0) could not build acme/leaving with num_classes=10: SystemExit"),
        ("quitting", 3, "the plugin 'acme' (zoo-acme 1.0) failed: SystemExit: 0"),
        ("homeless", 3, "(zoo-acme 1.0) could not make acme/homeless: FileNotFoundError: prices.csv"),
    ],
)
@pytest.mark.usefixtures("empty_directory")
def test_what_fails_in_training_is_told_in_a_sentence(
    name: str, code: int, sentence: str, install_plugin: Install, zoo_command: Command
) -> None:
    install_plugin("acme", LEARNING, distribution="zoo-acme")
    said = zoo_command("train", f"acme/{name}", "-o", "run", "--limit-train", "64", "--json")
    assert (said.code, set(said.json)) == (code, {"error"})
    assert sentence in said.json["error"]["message"]
    assert f"acme/{name}" in said.json["error"]["message"] or "plugin 'acme'" in said.json["error"]["message"]
    assert "Traceback" not in said.err
    assert zoo_command("list", "acme/*").code == 0


CHANGING = """
import zoo

KEPT = []

@zoo.hookimpl
def zoo_models():
    KEPT[:] = [zoo.ModelSpec(name="greedy", task="image-classification", builder=f"{__name__}:build",
                             trainer="classification", input=zoo.ImageInput(size=(8, 8)), needs=("sizes",))]
    return KEPT

def build(*, sizes):
    sizes.append("more")
    KEPT.clear()
    from torch import nn
    return nn.Linear(len(sizes), 1)
"""


def test_what_a_plugin_changes_is_its_own(install_plugin: Install) -> None:
    from zoo import Catalog

    install_plugin("acme", CHANGING)
    catalog = Catalog.discover()
    problem = Problem(
        task="image-classification", input=ImageInput(size=(8, 8)), classes=("a",), facts={"sizes": [1, 2]}
    )
    first = create_model("acme/greedy", problem=problem)
    assert first.in_features == 3
    assert problem.facts == {"sizes": [1, 2]}
    assert [offer.full_name for offer in catalog.models("acme/*")] == ["acme/greedy"]


@pytest.mark.parametrize("words", [("eval",), ("export", "--onnx"), ("train", "--resume")])
def test_runs_outlive_their_plugin(words: tuple[str, ...], zoo_command: Command, empty_directory: Path) -> None:
    place = empty_directory / "runs" / "tiny" / "a"
    run = tiny_run(place, model="tiny/tiny")
    run.update(replace(run.record, status="interrupted"))
    assert [record["model"] for record in zoo_command("runs", "--json").json["runs"]] == ["tiny/tiny"]
    assert zoo_command("info", str(place)).code == 0
    said = zoo_command(*words, str(place))
    assert said.code == 2
    assert "tiny/tiny, which is not on offer here" in said.err
    assert "install the plugin tiny 1.0" in said.err


def test_a_broken_plugin_is_named_when_its_model_is_wanted(install_plugin: Install, zoo_command: Command) -> None:
    install_plugin("acme", "raise RuntimeError('no licence server')", distribution="zoo-acme")
    said = zoo_command("info", "acme/swift", "--json")
    assert said.code == 2
    assert "RuntimeError: no licence server" in json.dumps(said.json)
