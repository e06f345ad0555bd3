"""docs/plugins.md: its plugin is installed and used as it stands there, and nothing of the contract is left out."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.plugins import HOOKS

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's three files, installed as pip would."""
    files = dict(re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "zoo_mlp" / "__init__.py").write_text("")
    project = tomllib.loads(files["pyproject.toml"])["project"]
    record = tmp_path / f"zoo_mlp-{project['version']}.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = project["entry-points"]["zoo.plugins"]
    (record / "entry_points.txt").write_text(
        "[zoo.plugins]\n" + "".join(f"{name} = {module}\n" for name, module in entries.items())
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for module in ("zoo_mlp", "zoo_mlp.plugin", "zoo_mlp.model"):
        sys.modules.pop(module, None)


@pytest.mark.usefixtures("installed")
def test_the_plugin_of_the_page_works(zoo_command: Callable[..., Any], tmp_path: Path) -> None:
    import torch

    (record,) = zoo_command("list", "mlp/*", "--json").json
    assert (record["name"], record["available"]) == ("mlp/mlp", True)
    model = zoo.create_model("mlp", num_classes=3)
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 3)
    place = str(tmp_path / "run")
    said = zoo_command("train", "mlp", "-o", place, "--limit-train", "256", "--epochs", "1", "--json")
    assert said.code == 0, said.err
    assert said.json["model"] == "mlp/mlp"
    assert zoo_command("eval", place, "--split", "validation", "--json").json["items"] == 1000


@pytest.mark.parametrize("name", [*HOOKS, "ZOO_API", "ZOO_PREFER", "ZOO_LOAD_PLUGINS", "ZOO_DISABLE_PLUGINS"])
def test_the_contract_is_on_the_page(name: str) -> None:
    assert f"`{name}" in PAGE


@pytest.mark.parametrize("name", sorted(set(re.findall(r"zoo\.([A-Za-z_]\w+)", PAGE)) - {"plugins"}))
def test_every_name_on_the_page_is_public(name: str) -> None:
    assert name in (*zoo.__all__, "__all__")
