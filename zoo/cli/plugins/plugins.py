"""`zoo plugins`: who is installed, what each offers, and why a broken one offers nothing."""

from __future__ import annotations

import click

from zoo.api.hookspecs import API_VERSION
from zoo.cli.terminal.lazy import Entry, LazyGroup
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.registry.loader import Plugin

COMMANDS = {
    "check": Entry("zoo.cli.plugins.check:check", "Put a plugin to the conformance kit."),
    "new": Entry("zoo.cli.plugins.new:new", "Write a complete package for a plugin."),
}


@click.group("plugins", cls=LazyGroup, table=COMMANDS, invoke_without_command=True)
@json_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """The installed plugins, broken ones with the reason.

    ZOO_LOAD_PLUGINS=a,b loads only these ('' none), ZOO_DISABLE_PLUGINS=a,b all but these, and
    ZOO_STRICT_PLUGINS=1 makes a broken one an error.
    """
    if ctx.invoked_subcommand is not None:
        return
    out = Output(as_json=as_json)
    installed = Catalog.discover().plugins
    if as_json:
        out.document({"schema": 1, "api": API_VERSION, "plugins": [plugin_record(plugin) for plugin in installed]})
    elif installed:
        out.table(
            ("plugin", "distribution", "version", "api", "state", "offers"),
            [
                (
                    plugin.name,
                    plugin.distribution,
                    plugin.version,
                    str(API_VERSION),
                    "broken" if plugin.error else "ok",
                    offered(plugin),
                )
                for plugin in installed
            ],
        )
    else:
        out.note("no plugins are loaded; is ZOO_LOAD_PLUGINS set?")
    for plugin in installed:
        out.note(plugin.warning)
    working = [plugin for plugin in installed if not plugin.error]
    out.next(f"zoo info {working[0].name}" if working else "zoo list")


def offered(plugin: Plugin) -> str:
    """80 models, 110 sets of weights."""
    counts = {
        ("model", "models"): len(plugin.models),
        ("set of weights", "sets of weights"): len(plugin.weights),
        ("trainer", "trainers"): len(plugin.trainers),
        ("task", "tasks"): len(plugin.tasks),
        ("format", "formats"): len(plugin.formats),
        ("runtime", "runtimes"): len(plugin.runtimes),
        ("callback", "callbacks"): len(plugin.callbacks),
    }
    return ", ".join(
        f"{number} {singular if number == 1 else plural}" for (singular, plural), number in counts.items() if number
    )


def plugin_record(plugin: Plugin) -> dict[str, object]:
    """One plugin for machines."""
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": "broken" if plugin.error else "ok",
        "error": plugin.error,
        "hint": plugin.hint,
        "seconds": round(plugin.seconds, 3),
        "models": [spec.name for spec in plugin.models],
        "weights": [f"{spec.model}@{spec.tag}" for spec in plugin.weights],
        "trainers": [spec.name for spec in plugin.trainers],
        "tasks": [spec.name for spec in plugin.tasks],
        "formats": list(dict.fromkeys(spec.name for spec in plugin.formats)),
        "runtimes": [spec.name for spec in plugin.runtimes],
        "callbacks": [spec.name for spec in plugin.callbacks],
    }
