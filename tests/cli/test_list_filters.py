"""What `zoo list` leaves out, how it sorts, what it says of a name that nothing has, the pager, and completion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.cli.terminal.options import complete_family, complete_name, complete_plugin, complete_task
from zoo.cli.terminal.output import Output

Command = Callable[..., Any]
Install = Callable[..., Path]

EYES = """
import zoo

def model(name, family, parameters, licence="MIT"):
    return zoo.ModelSpec(name=name, task="gazing", builder="nowhere:build", trainer="gazer", family=family,
                         input=zoo.ImageInput(size=(28, 20)), parameters=parameters, licence=licence)

@zoo.hookimpl
def zoo_models():
    return [model("iris", "eyes", 3_000_000), model("pupil", "eyes", 200_000, "GPL-3.0-only"),
            model("retina", "nerves", None), model("cornea", "lenses", 5_000_000)]

@zoo.hookimpl
def zoo_tasks():
    return [zoo.TaskSpec(name="gazing", task="nowhere:Gazing", default_data="stars", metric="wonder")]

@zoo.hookimpl
def zoo_weights():
    def weights(tag, licence):
        return zoo.WeightsSpec(model="iris", tag=tag, licence=licence, sha256="0" * 64, url="https://example.org/w")
    return [weights("free", "CC-BY-4.0"), weights("paid", "CC-BY-NC-4.0")]
"""


@pytest.fixture(autouse=True)
def eyes(install_plugin: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install_plugin("gaze", EYES, distribution="zoo-gaze")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "gaze")


def listed(zoo_command: Command, *words: str) -> list[str]:
    return [record["name"].partition("/")[2] for record in zoo_command("list", *words, "--json").json]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--family", "eyes"], ["iris", "pupil"]),
        (["--max-params", "3M"], ["iris", "pupil"]),
        (["--max-params", "299,999"], ["pupil"]),
        (["--licence", "gpl"], ["pupil"]),
        (["--licence", "cc-by-4.0"], ["iris"]),
        (["--pretrained"], ["iris"]),
        (["--plugin", "gaze", "--sort", "params"], ["pupil", "iris", "cornea", "retina"]),
        (["--sort", "family", "--limit", "3"], ["iris", "pupil", "cornea"]),
        (["*r*", "--task", "gaze/gazing"], ["cornea", "iris", "retina"]),
    ],
)
def test_options_leave_models_out(words: list[str], names: list[str], zoo_command: Command) -> None:
    assert listed(zoo_command, *words) == names


def test_python_chooses_alike() -> None:
    assert zoo.list_models(family="eyes", max_params=3_000_000) == ["gaze/iris", "gaze/pupil"]
    assert zoo.list_models(pretrained=True, licence="NC", catalogue="gaze", task="gazing") == ["gaze/iris"]
    with pytest.raises(zoo.UnknownName, match="no plugin named 'graze'"):
        zoo.list_models(catalogue="graze")
    with pytest.raises(zoo.UsageError, match="max_params is 0"):
        zoo.list_models(max_params=0)


def test_only_the_weights_under_the_licence_are_shown(zoo_command: Command) -> None:
    assert "free" not in zoo_command("list", "--licence", "nc").out
    assert [one["tag"] for one in zoo_command("list", "--weights", "--licence", "NC", "--json").json] == ["paid"]


def test_what_a_limit_left_out_is_said(zoo_command: Command) -> None:
    assert "2 of 4 models are shown (--limit 2)" in zoo_command("list", "--limit", "2").err
    said = zoo_command("list", "--weights", "--limit", "1")
    assert "1 of 2 sets of weights are shown (--limit 1)" in said.err
    assert len(said.out.splitlines()) == 3  # the heading, one row, the next command


def test_the_nearest_names_are_shown_for_one_that_nothing_has(zoo_command: Command) -> None:
    said = zoo_command("list", "retinae")
    assert (said.code, said.err.splitlines()) == (0, ["no model fits 'retinae'", "the nearest names are shown"])
    assert said.out.splitlines()[1].startswith("retina ")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--family", "eye"], "no model is of a family 'eye'", "did you mean eyes?"),
        (["--plugin", "graze"], "no plugin named 'graze'", "installed: gaze"),
        (["--max-params", "many"], "--max-params is 'many'; it must be a number from 1 on", "5M, 300k or 11700000"),
        (["--task", "gaping"], "no task named 'gaping'", "did you mean gazing?"),
    ],
)
def test_what_nobody_offers_is_an_error(words: list[str], message: str, hint: str, zoo_command: Command) -> None:
    said = zoo_command("list", *words)
    assert (said.code, said.err.splitlines()) == (2, [f"Error: {message}", hint])


def test_a_table_longer_than_the_terminal_is_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("click.echo_via_pager", shown.append)
    monkeypatch.setattr(Output, "on_terminal", True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "10")
    Output().table(("a", "b"), [("1", "2")] * 7, paged=True)
    assert len(shown) == 1
    Output().table(("a", "b"), [("1", "2")] * 6, paged=True)
    Output().table(("a", "b"), [("1", "2")] * 99)
    assert len(shown) == 1


@pytest.mark.parametrize(
    ("incomplete", "names"),
    [("", ["cornea", "iris", "pupil", "retina"]), ("i", ["iris"]), ("iris@p", ["iris@paid"]), ("x", [])],
)
def test_a_shell_is_offered_the_names(incomplete: str, names: list[str]) -> None:
    assert complete_name(None, None, incomplete) == names  # type: ignore[arg-type]


def test_a_shell_is_offered_tasks_plugins_and_families() -> None:
    assert complete_task(None, None, "g") == ["gazing"]  # type: ignore[arg-type]
    assert complete_plugin(None, None, "") == ["gaze"]  # type: ignore[arg-type]
    assert complete_family(None, None, "") == ["eyes", "lenses", "nerves"]  # type: ignore[arg-type]
    assert complete_family(None, None, "ey") == ["eyes"]  # type: ignore[arg-type]
