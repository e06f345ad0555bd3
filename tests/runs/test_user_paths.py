"""An account without a home is told what to set, and a home that nobody knows is no crash."""

from __future__ import annotations

import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Said
from zoo.api.errors import UsageError
from zoo.runs.cache import cache_root
from zoo.runs.known_runs import known_runs, remember_run
from zoo.runs.user_paths import expand_user, user_folder


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user is a mere number."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "ZOO_CACHE", "ZOO_STATE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_a_home_is_put_in_for_its_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert expand_user("~/data") == Path("/home/ada/data")
    assert expand_user("a~b") == Path("a~b")
    assert expand_user("~nobody-of-this-name/data") == Path("~nobody-of-this-name/data")


def test_a_variable_stands_in_place_of_the_platforms_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    assert cache_root() == tmp_path


def test_an_account_without_home_is_told_what_to_set(homeless: None) -> None:
    with pytest.raises(UsageError) as error:
        user_folder("cache")
    assert error.value.hint == "set ZOO_CACHE to a folder"
    assert list(known_runs()) == []
    remember_run(Path("run"))


def test_data_below_a_home_that_nobody_knows_are_not_there(zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("data", "check", "~nobody-of-this-name/data")
    assert (said.code, "there is no data at ~nobody-of-this-name/data" in said.err) == (2, True)


@pytest.mark.parametrize("words", [("list", "cnn"), ("runs",), ("info", "cnn")])
def test_what_needs_no_folder_goes_on_without_one(
    homeless: None, zoo_command: Callable[..., Said], empty_directory: Path, words: tuple[str, ...]
) -> None:
    assert zoo_command(*words).code == 0
