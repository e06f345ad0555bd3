"""Which plugin in which version: of a model, of a run, of a bundle; and a warning where it is another one now."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Said
from zoo.api.errors import Refused
from zoo.registry.discovery import BUILT_IN, installed_candidates

VERSION = next(one.version for one in installed_candidates() if one.distribution == BUILT_IN)


@pytest.fixture
def older_run(digits_run: tuple[Path, Any], tmp_path: Path) -> Path:
    """A run of `cnn` that says it was trained with version 0.0.9 of the plugin."""
    run = shutil.copytree(digits_run[0], tmp_path / "run")
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"plugin_version": "0.0.9"}))
    return run


def test_info_names_plugin_and_version(zoo_command: Callable[..., Said], older_run: Path) -> None:
    assert zoo_command("info", "cnn", "--json").json["plugin"] == {
        "name": "cnn",
        "distribution": BUILT_IN,
        "version": VERSION,
    }
    assert f"cnn ({BUILT_IN} {VERSION})" in zoo_command("info", "cnn@digits").out
    assert zoo_command("info", str(older_run), "--json").json["plugin"] == {"name": "cnn", "version": "0.0.9"}
    assert "plugin        cnn 0.0.9" in zoo_command("info", str(older_run)).out


def test_export_warns_of_another_version_than_the_one_that_trained(
    zoo_command: Callable[..., Said], older_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Refused("stopped before the proof")

    monkeypatch.setattr("zoo_export.export.prove", stop)
    said = zoo_command("export", str(older_run), "--onnx")
    warning = f"{older_run} was trained with version 0.0.9 of the plugin cnn; installed is {VERSION}"
    assert said.err.splitlines() == [warning, "Error: stopped before the proof"]


def test_plugins_shows_who_brings_what_in_which_state(
    zoo_command: Callable[..., Said], install_plugin: Callable[..., Path]
) -> None:
    install_plugin("broken", "raise RuntimeError('no')", distribution="zoo-broken")
    record = zoo_command("plugins", "--json").json
    (broken,) = [one for one in record["plugins"] if one["name"] == "broken"]
    assert (broken["distribution"], broken["version"], broken["state"]) == ("zoo-broken", "1.0", "broken")
    assert (broken["error"], record["api"]) == ("RuntimeError: no", 2)
    lines = zoo_command("plugins").out.splitlines()
    assert lines[0].split() == ["plugin", "distribution", "version", "api", "state", "offers"]
    assert any(line.split()[:5] == ["broken", "zoo-broken", "1.0", "2", "broken"] for line in lines)
