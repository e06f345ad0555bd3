"""`zoo list`: the models on offer, the weights, or the callbacks."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import click

from zoo.api.callback import CallbackSpec
from zoo.api.errors import PluginError, UsageError
from zoo.api.specs import ModelSpec, WeightsSpec
from zoo.cli import text
from zoo.cli.options import json_option
from zoo.cli.output import Output
from zoo.registry.catalog import Catalog, fits
from zoo.registry.name_resolution import RegistryEntry
from zoo.training.callbacks.built_in import EVERY_RUN, LIVE_LINE

PART_OF_EVERY_TRAINING = (*EVERY_RUN, LIVE_LINE)


@click.command("list")
@click.argument("pattern", default="*")
@click.option("--task", help="Only models of this task.")
@click.option("--weights", "show_weights", is_flag=True, help="List the sets of weights instead of the models.")
@click.option(
    "--callbacks", "show_callbacks", is_flag=True, help="List what can listen to a training: --callback NAME."
)
@json_option
def list_models(pattern: str, task: str | None, show_weights: bool, show_callbacks: bool, as_json: bool) -> None:
    """The models on offer.

    PATTERN fits names and aliases: with * or ? the whole name ('resnet*'), without any part of it.
    """
    out = Output(as_json=as_json)
    catalog = Catalog.discover()
    for plugin in catalog.plugins:
        out.note(plugin.warning)
    if show_callbacks:
        if task or show_weights:
            raise UsageError("--callbacks goes with neither --task nor --weights", hint="leave one of them out")
        _print_callbacks(out, catalog, [entry for entry in catalog.callbacks() if fits(entry.full_name, pattern)])
        return
    for orphan in catalog.without_model():
        out.note(_model_missing(orphan))
    models = catalog.models(pattern, task)
    if not models:
        out.note(f"no model fits {pattern!r}" + (f" and the task {task}" if task else ""))
    of_model: dict[str, list[RegistryEntry[WeightsSpec]]] = defaultdict(list)
    for weights in catalog.weights():
        of_model[weights.model].append(weights)
    if show_weights:
        _print_weights(out, [weights for model in models for weights in of_model[model.full_name]])
    else:
        _print_models(out, catalog, models, of_model)


def _model_missing(weights: RegistryEntry[WeightsSpec]) -> str:
    """Why weights are not listed, and what to install."""
    plugin, _, model = weights.model.partition("/")
    return (
        f"the {weights.plugin.title} has weights {weights.spec.tag} for {weights.model}, and no installed plugin "
        f"{plugin!r} offers {model}\n  pip install the package of the plugin {plugin!r}"
    )


def _print_models(
    out: Output,
    catalog: Catalog,
    models: tuple[RegistryEntry[ModelSpec], ...],
    of_model: dict[str, list[RegistryEntry[WeightsSpec]]],
) -> None:
    if out.as_json:
        out.document([_record(catalog, model, of_model[model.full_name]) for model in models])
    elif models:
        out.table(
            ("model", "plugin", "task", "params", "input", "weights"),
            [_row(catalog, model, of_model[model.full_name]) for model in models],
            right=("params",),
        )
    if models:
        out.next(f"zoo info {models[0].bare_name}")
    else:
        out.next("zoo list")


def _row(
    catalog: Catalog, model: RegistryEntry[ModelSpec], weights: list[RegistryEntry[WeightsSpec]]
) -> tuple[str, ...]:
    names = [*model.aliases, *(f"{alias} up to {side} px" for alias, side in model.spec.takes_over.items())]
    aliases = f" ({', '.join(names)})" if names else ""
    missing = "" if _available(catalog, model) else f"needs the extra {model.spec.extra}"
    tags = ", ".join(entry.name for entry in weights)
    return (
        model.bare_name + aliases,
        model.plugin.name,
        model.spec.task,
        text.count(model.spec.parameters),
        model.spec.input.describe(),
        "; ".join(part for part in (missing, tags) if part),
    )


def _record(
    catalog: Catalog, model: RegistryEntry[ModelSpec], weights: list[RegistryEntry[WeightsSpec]]
) -> dict[str, object]:
    from zoo.runs.serialization import to_json  # noqa: PLC0415  a plain table does not need cattrs

    spec = model.spec
    return {
        "name": model.full_name,
        "plugin": model.plugin.name,
        "task": spec.task,
        "aliases": list(spec.aliases),
        "takes_over": dict(spec.takes_over),
        "parameters": spec.parameters,
        "input": to_json(spec)["input"],
        "weights": [entry.name for entry in weights],
        "licence": spec.licence,
        "available": _available(catalog, model),
        "summary": spec.summary,
    }


def _available(catalog: Catalog, model: RegistryEntry[Any]) -> bool:
    try:
        return not catalog.missing(model)
    except PluginError:
        return False


def _print_weights(out: Output, weights: list[RegistryEntry[WeightsSpec]]) -> None:
    if out.as_json:
        out.document([weights_record(entry) for entry in weights])
    else:
        out.table(
            ("weights", "plugin", "licence", "size", "data", "metrics"),
            [
                (
                    entry.bare_name,
                    entry.plugin.name,
                    text.licence(entry.spec.licence),
                    text.size(entry.spec.size),
                    entry.spec.data,
                    text.metrics(entry.spec.metrics),
                )
                for entry in weights
            ],
            right=("size",),
        )
    if weights:
        out.next(f"zoo info {weights[0].bare_name}")
    else:
        out.note("no weights are offered for these models")
        out.next("zoo list")


def _print_callbacks(out: Output, catalog: Catalog, callbacks: list[RegistryEntry[CallbackSpec]]) -> None:
    if out.as_json:
        out.document([callback_record(catalog, entry) for entry in callbacks])
    elif callbacks:
        rows = [(entry.bare_name, entry.plugin.name, _needs(catalog, entry), entry.spec.summary) for entry in callbacks]
        out.table(("callback", "plugin", "needs", "does"), rows)
    else:
        out.note("no callback fits")
    useful = next((entry for entry in callbacks if entry.spec not in PART_OF_EVERY_TRAINING), None)
    out.next(f"zoo train resnet --callback {useful.bare_name}" if useful else "zoo train resnet")


def _needs(catalog: Catalog, entry: RegistryEntry[CallbackSpec]) -> str:
    return "" if _available(catalog, entry) else f"the extra {entry.spec.extra}"


def callback_record(catalog: Catalog, entry: RegistryEntry[CallbackSpec]) -> dict[str, object]:
    """One callback for machines."""
    return {
        "name": entry.full_name,
        "plugin": entry.plugin.name,
        "summary": entry.spec.summary,
        "available": _available(catalog, entry),
    }


def weights_record(entry: RegistryEntry[WeightsSpec]) -> dict[str, object]:
    """One set of weights for machines."""
    spec = entry.spec
    return {
        "name": entry.full_name,
        "model": entry.model,
        "tag": spec.tag,
        "plugin": entry.plugin.name,
        "licence": spec.licence,
        "metrics": dict(spec.metrics),
        "data": spec.data,
        "size": spec.size,
        "sha256": spec.sha256,
        "url": spec.url,
        "resource": spec.resource,
    }
