"""Plugins are found in order and loaded alone; whatever one does wrong stops nobody."""

from __future__ import annotations

import os
import sys
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace

import pytest

from zoo import ImageInput, ModelSpec, TaskSpec, UnknownName, WeightsSpec, hookimpl
from zoo.api.errors import PluginError
from zoo.registry.discovery import Candidate, enabled_candidates, installed_candidates, object_candidate
from zoo.registry.loader import Plugin, load_plugins

Install = Callable[..., Path]

GOOD = """
import zoo

@zoo.hookimpl
def zoo_tasks():
    return [zoo.TaskSpec(name="staring", task="nowhere:Task")]
"""


def model(name: str, **settings: object) -> ModelSpec:
    return ModelSpec(
        name=name,
        task="staring",
        builder="nowhere:build",
        trainer="t",
        input=ImageInput(size=(8, 8)),
        **settings,  # type: ignore[arg-type]
    )


class Good:
    name = "good"

    @hookimpl
    def zoo_models(self) -> Iterable[ModelSpec]:
        yield model("small")


def load_one(implementation: object, name: str = "acme") -> Plugin:
    """The plugin made of one object, loaded after a good one that must not notice."""
    good, plugin = load_plugins([object_candidate(Good()), Candidate(name=name, load=lambda: implementation)])
    assert [spec.name for spec in good.models] == ["small"]
    return plugin


def test_a_plugin_says_what_it_offers() -> None:
    (plugin,) = load_plugins([object_candidate(Good())])
    assert plugin.name == "good"
    assert [spec.name for spec in plugin.models] == ["small"]
    assert (plugin.trainers, plugin.weights, plugin.tasks, plugin.error) == ((), (), (), "")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("never")


def failing(error: BaseException) -> Candidate:
    def load() -> object:
        raise error

    return Candidate(name="acme", load=load, distribution="zoo-acme", version="2.0")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ModuleNotFoundError("No module named 'gone'"), "ModuleNotFoundError: No module named 'gone'"),
        (SyntaxError("invalid syntax"), "SyntaxError: invalid syntax"),
        (SystemExit(3), "SystemExit: 3"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (MemoryError(), "MemoryError"),
        (GeneratorExit("over"), "GeneratorExit: over"),
        (CancelledError(), "CancelledError"),
        (ValueError("one\n  two"), "ValueError: one two"),
        (Mute(), "Mute"),
    ],
)
def test_a_plugin_that_fails_on_import_is_remembered(error: BaseException, sentence: str) -> None:
    broken, good = load_plugins([failing(error), object_candidate(Good())])
    assert (broken.distribution, broken.version, broken.error) == ("zoo-acme", "2.0", sentence)
    assert broken.title == "plugin 'acme' (zoo-acme 2.0)"
    assert good.error == ""


def test_control_c_is_never_taken_for_a_broken_plugin() -> None:
    with pytest.raises(KeyboardInterrupt) as interrupted:
        load_plugins([failing(KeyboardInterrupt())])
    said = "while the plugin 'acme' (zoo-acme 2.0) was loaded; ZOO_DISABLE_PLUGINS=acme leaves it out"
    assert interrupted.value.__notes__ == [said]


def test_strict_plugins_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_STRICT_PLUGINS", "1")
    with pytest.raises(PluginError, match=r"plugin 'acme' \(zoo-acme 2.0\) failed: ValueError: no"):
        load_plugins([failing(ValueError("no"))])


def test_another_api_version_is_refused() -> None:
    assert load_one(SimpleNamespace(ZOO_API=3)).error == "it declares ZOO_API = 3, and this zoo supports 1 and 2"
    assert [load_one(SimpleNamespace(ZOO_API=number)).error for number in (1, 2)] == ["", ""]


def test_a_misspelt_hook_gets_the_right_name() -> None:
    class Misspelt:
        @hookimpl
        def zoo_model(self) -> list[ModelSpec]:
            return []

    assert load_one(Misspelt()).error == "it implements the unknown hook 'zoo_model'; did you mean 'zoo_models'?"


def test_a_hook_without_its_mark_is_not_ignored() -> None:
    class Unmarked:
        def zoo_models(self) -> list[ModelSpec]:
            return []

    assert (
        load_one(Unmarked()).error
        == "its function 'zoo_models' is not marked with @zoo.hookimpl, so it is never called"
    )


def test_a_hook_with_an_argument_that_does_not_exist_is_refused() -> None:
    class Curious:
        @hookimpl
        def zoo_models(self, catalog: object) -> list[ModelSpec]:  # noqa: ARG002
            return []

    assert "catalog" in load_one(Curious()).error


def test_a_hook_that_raises_half_way_offers_nothing() -> None:
    class HalfWay:
        @hookimpl
        def zoo_models(self) -> Iterable[ModelSpec]:
            yield model("first")
            raise RuntimeError("the second is missing")

    plugin = load_one(HalfWay())
    assert plugin.error == "RuntimeError: the second is missing"
    assert plugin.models == ()


def test_a_hook_that_exits_is_a_broken_plugin() -> None:
    class Leaving:
        @hookimpl
        def zoo_models(self) -> list[ModelSpec]:
            sys.exit("goodbye")

    assert load_one(Leaving()).error == "SystemExit: goodbye"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([{"name": "x"}], "its hook 'zoo_models' returned a dict where a ModelSpec belongs"),
        ([TaskSpec(name="t", task="a:b")], "its hook 'zoo_models' returned a TaskSpec where a ModelSpec belongs"),
        (None, "its hook 'zoo_models' returned nothing where an iterable of ModelSpec belongs"),
        (model("one"), "its hook 'zoo_models' returned a ModelSpec where an iterable of ModelSpec belongs"),
        ([model("one", summary=7)], "of its ModelSpec 'one' summary is 7, where str belongs"),
        (map(model, map("n{}".format, count())), "its hook 'zoo_models' offers more than 50"),
        ("abc", "its hook 'zoo_models' returned a str where a ModelSpec belongs"),
    ],
)
def test_a_hook_that_returns_something_else_is_refused(
    answer: object, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.registry.loader.MAX_SPECS_PER_HOOK", 50)

    class Wrong:
        @hookimpl
        def zoo_models(self) -> object:
            return answer

    assert load_one(Wrong()).error == sentence


def test_a_bad_spec_fails_in_its_authors_face() -> None:
    class BadName:
        @hookimpl
        def zoo_models(self) -> Iterable[ModelSpec]:
            yield model("Res-Net")

    assert load_one(BadName()).error.startswith("ValueError: a model's name is 'Res-Net'")


@pytest.mark.parametrize(
    "specs", [[model("a"), model("a")], [model("a"), model("b", aliases=("a",))], [model("a", aliases=("c", "c"))]]
)
def test_a_name_offered_twice_by_one_plugin_is_refused(specs: list[ModelSpec]) -> None:
    class Twice:
        @hookimpl
        def zoo_models(self) -> list[ModelSpec]:
            return specs

    assert load_one(Twice()).error.startswith("it offers 2 times a model named")


def test_a_spec_that_overrides_what_every_command_asks_is_refused() -> None:
    class Own(ModelSpec):
        def __eq__(self, other: object) -> bool:
            raise RuntimeError("never")

        __hash__ = None  # type: ignore[assignment]

    class Overriding:
        @hookimpl
        def zoo_models(self) -> list[ModelSpec]:
            return [Own(name="a", task="t", builder="a:b", trainer="t", input=ImageInput(size=(8, 8)))]

    assert load_one(Overriding()).error == "its hook 'zoo_models' returned a Own where a ModelSpec belongs"


def test_weights_offered_twice_are_refused() -> None:
    weights = WeightsSpec(model="a", tag="t", licence="MIT", sha256="0" * 64, url="https://example.org/a")

    class Twice:
        @hookimpl
        def zoo_weights(self) -> list[WeightsSpec]:
            return [weights, weights]

    assert load_one(Twice()).error == "it offers 2 times a set of weights named 'a@t'"


def test_a_name_that_cannot_be_a_namespace_is_refused() -> None:
    assert load_one(SimpleNamespace(), name="My-Plugin").error.startswith("a plugin cannot be named 'My-Plugin'")


def test_what_a_plugin_prints_is_kept_off_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    class Chatty:
        @hookimpl
        def zoo_models(self) -> list[ModelSpec]:
            print("hello")
            return []

    load_one(Chatty())
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


# --- on disk ---------------------------------------------------------------------------------------


def test_installed_plugins_come_by_name_with_their_distribution(install_plugin: Install) -> None:
    install_plugin("zebra", GOOD, distribution="zoo-zebra")
    install_plugin("ant", GOOD, distribution="zoo-ant")
    found = [one for one in installed_candidates() if one.name in ("zebra", "ant")]
    assert [(one.name, one.distribution, one.version) for one in found] == [
        ("ant", "zoo-ant", "1.0"),
        ("zebra", "zoo-zebra", "1.0"),
    ]
    assert [[spec.name for spec in plugin.tasks] for plugin in load_plugins(found)] == [["staring"], ["staring"]]


def test_of_two_distributions_with_one_name_the_second_is_reported(install_plugin: Install) -> None:
    install_plugin("twin", GOOD, distribution="zoo-b")
    install_plugin("twin", GOOD, distribution="zoo-a")
    first, second = load_plugins([one for one in installed_candidates() if one.name == "twin"])
    assert (first.distribution, first.error) == ("zoo-a", "")
    assert (second.distribution, second.error) == ("zoo-b", "the name 'twin' is already taken by zoo-a 1.0")


def test_nobody_takes_the_name_of_a_built_in_plugin(install_plugin: Install) -> None:
    install_plugin("zoo", GOOD, distribution="a-stranger")
    built_in, stranger = (one for one in installed_candidates() if one.name == "zoo")
    assert built_in.distribution == "edgezoo"
    assert stranger.distribution == "a-stranger"


def test_nothing_heavy_is_imported_to_list_a_plugin(install_plugin: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    path = install_plugin("slow", "import onnx\n" + GOOD)
    (path.parent / "onnx.py").write_text("raise AssertionError('imported')")
    monkeypatch.delitem(sys.modules, "onnx", raising=False)
    (plugin,) = load_plugins([one for one in installed_candidates() if one.name == "slow"])
    assert plugin.error == (
        "it imports onnx when it is loaded, which would make every command slow; "
        "import onnx in the modules that its references name"
    )
    assert plugin.hint == "pip install -U zoo-test, pip uninstall zoo-test, or ZOO_DISABLE_PLUGINS=slow"
    assert not any(type(finder).__name__ == "_Refuse" for finder in sys.meta_path)


def test_a_plugin_that_can_do_without_what_is_heavy_works(
    install_plugin: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin("careful", "try:\n    import onnx\nexcept ImportError:\n    onnx = None\n" + GOOD)
    monkeypatch.delitem(sys.modules, "onnx", raising=False)
    (plugin,) = load_plugins([one for one in installed_candidates() if one.name == "careful"])
    assert (plugin.error, [spec.name for spec in plugin.tasks]) == ("", ["staring"])


def test_a_slow_plugin_works_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.5, 0.5, 10.75])
    monkeypatch.setattr("zoo.registry.loader.time", SimpleNamespace(process_time=lambda: next(times)))
    good, slow = load_plugins([object_candidate(Good()), Candidate(name="acme", load=Good, distribution="zoo-acme")])
    assert (good.warning, slow.error) == ("", "")
    assert [spec.name for spec in slow.models] == ["small"]
    assert slow.warning == (
        "the plugin 'acme' (zoo-acme) takes 10.2 s to load, in every command\n  ZOO_DISABLE_PLUGINS=acme leaves it out"
    )


def test_a_plugin_that_changes_the_process_works_and_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("zoo.registry.loader.SLOW_SECONDS", -1.0)
    done = Event()

    class Meddling(Good):
        @hookimpl
        def zoo_tasks(self) -> list[TaskSpec]:
            os.chdir(tmp_path)
            os.environ["ZOO_CACHE"] = "/"
            Thread(target=done.wait).start()
            return []

    here = Path.cwd()
    (plugin,) = load_plugins([Candidate(name="acme", load=Meddling, distribution="zoo-acme", version="1.0")])
    done.set()
    assert (Path.cwd(), plugin.error, [spec.name for spec in plugin.models]) == (here, "", ["small"])
    who, leave_out = "the plugin 'acme' (zoo-acme 1.0)", "ZOO_DISABLE_PLUGINS=acme leaves it out"
    assert plugin.warning.splitlines()[1:] == [
        f"  {leave_out}",
        f"{who} starts a thread when it is loaded, and every command waits for its end",
        f"  {leave_out}",
        f"{who} changes the current directory and the environment when it is loaded; zoo undid that",
        f"  do this in the modules that its references name; {leave_out}",
    ]


CANDIDATES = tuple(Candidate(name=name, load=object) for name in ("ant", "bee", "cat"))


@pytest.mark.parametrize(
    ("load", "disable", "left"),
    [
        (None, None, ["ant", "bee", "cat"]),
        ("", None, []),
        ("cat, ant", None, ["ant", "cat"]),
        (None, "bee", ["ant", "cat"]),
        ("cat,ant", "ant,unheard", ["cat"]),
    ],
)
def test_the_environment_chooses(
    load: str | None, disable: str | None, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ZOO_LOAD_PLUGINS", load), ("ZOO_DISABLE_PLUGINS", disable)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert [one.name for one in enabled_candidates(CANDIDATES)] == left


def test_a_wanted_plugin_that_is_not_installed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "ant,dog")
    with pytest.raises(UnknownName, match="ZOO_LOAD_PLUGINS names the plugin 'dog', which is not installed"):
        enabled_candidates(CANDIDATES)
