"""Names that mean nothing, or too much: one sentence, the next step, exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

SWIFT = """
import zoo

@zoo.hookimpl
def zoo_models():
    return [zoo.ModelSpec(name="swift", task="image-classification", builder="builtins:object",
                          trainer="classification", input=zoo.ImageInput(size=(8, 8)), extra={extra!r})]
"""


@pytest.fixture(autouse=True)
def two_plugins(install_plugin: Callable[..., Path]) -> None:
    install_plugin("acme", SWIFT.format(extra=None), distribution="zoo-acme")
    metadata = 'Provides-Extra: big\nRequires-Dist: nonesuch>=1; extra == "big"\n'
    install_plugin("beta", SWIFT.format(extra="big"), distribution="zoo-beta", metadata=metadata)


@pytest.mark.parametrize(
    ("words", "kind", "message", "hint"),
    [
        (
            ("info", "swift"),
            "ambiguous-name",
            "the model 'swift' is offered by more than one plugin: acme/swift, beta/swift",
            "use the full name, or decide with ZOO_PREFER=acme",
        ),
        (
            ("info", "resnet81"),
            "unknown-name",
            "no model, task, trainer, callback, runtime, plugin or format named 'resnet81'",
            "did you mean re",
        ),
        (("list", "--task", "image-clas"), "unknown-name", "no task named 'image-clas'", "did you mean image-classif"),
        (
            ("predict", "resnet18@imagenet", __file__),
            "unknown-name",
            "no weights of resnet18 named 'imagenet'",
            "torchvision/resnet18 has imagenet1k_v1",
        ),
        (("predict", "gone/x@y", __file__), "unknown-name", "no model named 'gone/x': no plugin 'gone' is", "install"),
        (("eval", "runs/gone"), "usage", "runs/gone does not exist, and no model named 'runs/gone'", "installed: "),
    ],
)
def test_a_bad_name_is_one_sentence(
    words: tuple[str, ...], kind: str, message: str, hint: str, zoo_command: Command
) -> None:
    said = zoo_command(*words, "--json")
    assert said.code == 2
    error = said.json["error"]
    assert error["kind"] == kind
    assert error["message"].startswith(message)
    assert error["hint"].startswith(hint)


def test_a_person_decides_a_clash(zoo_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_PREFER", "beta")
    assert zoo_command("info", "swift", "--json").json["name"] == "beta/swift"
    assert zoo_command("info", "acme/swift", "--json").json["name"] == "acme/swift"


def test_a_plugin_that_is_wanted_but_not_installed(zoo_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "acme,gone")
    said = zoo_command("list")
    assert said.code == 2
    assert said.err.startswith(
        "Error: ZOO_LOAD_PLUGINS names the plugin 'gone', which is not installed\ninstalled are "
    )


def test_a_broken_plugin_is_an_error_for_the_strict(
    zoo_command: Command, install_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin("bad", "raise SystemExit('out')", distribution="zoo-bad")
    assert zoo_command("list").code == 0
    monkeypatch.setenv("ZOO_STRICT_PLUGINS", "1")
    said = zoo_command("list")
    hint = "pip install -U zoo-bad, pip uninstall zoo-bad, or ZOO_DISABLE_PLUGINS=bad"
    assert (said.code, said.err) == (3, f"Error: plugin 'bad' (zoo-bad 1.0) failed: SystemExit: out\n{hint}\n")


def test_a_model_that_lacks_its_extra_says_what_to_install(zoo_command: Command) -> None:
    said = zoo_command("list", "beta/swift", "--json")
    assert [record["available"] for record in said.json] == [False]
    said = zoo_command("train", "beta/swift", "--json")
    assert (said.code, said.json["error"]["kind"]) == (2, "missing-extra")
    assert said.json["error"]["hint"] == "pip install 'zoo-beta[big]'"
