"""`zoo info`: everything about one thing that has a name, or about a run or a bundle on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from zoo.api.errors import UnknownName
from zoo.cli.info.describe import Formats, describe
from zoo.cli.info.describe_paths import describe_bundle, describe_run
from zoo.cli.terminal.options import complete_name, json_option
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.registry.discovery import current_plugin
from zoo.registry.loader import Plugin
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.misspelt import near_outputs


@click.command("info")
@click.argument("name", shell_complete=complete_name)
@json_option
def info(name: str, as_json: bool) -> None:
    """Everything about NAME: a model, model@tag, task, trainer, callback, runtime, format, plugin, run or bundle."""
    out, path = Output(as_json=as_json), Path(name)
    if (path / "run.json").is_file():
        describe_run(out, path)
    elif (path / "manifest.json").is_file():
        describe_bundle(out, path)
    else:
        catalog = Catalog.discover()
        describe(out, catalog, _find(name, catalog))


def _find(name: str, catalog: Catalog) -> RegistryEntry[Any] | Plugin | Formats:
    """What the name means; a name of nothing gets the suggestions that the models have for it."""
    if "@" in name:
        return catalog.weight(name)
    finders: tuple[Callable[[str], RegistryEntry[Any] | Plugin | Formats], ...] = (
        catalog.model,
        catalog.task,
        catalog.trainer,
        catalog.callback,
        catalog.runtime,
        catalog.plugin,
        catalog.format,
    )
    owner = current_plugin(name.partition("/")[0], catalog.plugins)
    if any(plugin.error and plugin.name == owner for plugin in catalog.plugins if "/" in name):
        return catalog.model(name)  # which says why its plugin offers nothing
    hints = []
    for find in finders:
        try:
            return find(name)
        except UnknownName as error:
            hints.append(error.hint)
    hint = next((hint for hint in hints if hint.startswith("did you mean")), hints[0])
    raise UnknownName(
        f"no model, task, trainer, callback, runtime, plugin or format named {name!r}, and no run or bundle here",
        hint=near_outputs(name) or hint,
    )
