"""`zoo --version`: a line for people, and what a report of a fault needs."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from zoo.cli import version as module

Command = Callable[..., Any]


def test_json_tells_versions_plugins_and_the_cpu_without_a_path(zoo_command: Command) -> None:
    for arguments in (("--version", "--json"), ("--json", "--version")):
        told = json.loads(zoo_command(*arguments).out)
        assert told["version"] == version("edgezoo")
        assert told["python"] == platform.python_version()
        assert told["distributions"]["torch"] == version("torch")
        assert told["plugins"]["cnn"] == f"edgezoo {version('edgezoo')}"
        assert str(Path(sys.prefix)) not in json.dumps(told)


def test_settings_are_named_without_their_values(zoo_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "a secret value")
    out = zoo_command("--version", "--json").out
    assert "ZOO_OFFLINE" in json.loads(out)["settings"]
    assert "a secret value" not in out


def test_json_before_a_command_names_its_place(zoo_command: Command) -> None:
    result = zoo_command("--json", "list")
    assert result.code == 2
    assert json.loads(result.out)["error"]["message"] == "--json stands behind the command: zoo list --json"


def test_a_system_that_does_not_tell_its_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refused)
    assert module._cpu() == {}
