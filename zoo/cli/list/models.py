"""`zoo list`: the models on offer, their weights, the callbacks, or the runtimes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

from zoo.api.errors import UnknownName, UsageError
from zoo.cli.kept_listing import current_listing
from zoo.cli.terminal import text
from zoo.cli.terminal.counts import read_count
from zoo.cli.terminal.options import complete_family, complete_name, complete_plugin, complete_task, json_option
from zoo.cli.terminal.output import Output
from zoo.registry.listing import ListedModel, ListedWeights, Listing, SortKey, in_order, nearest, select

if TYPE_CHECKING:
    from zoo.api.specs import WeightsSpec
    from zoo.registry.name_resolution import RegistryEntry


@click.command("list")
@click.argument("pattern", default="*", shell_complete=complete_name)
@click.option("--task", default="", shell_complete=complete_task, help="Only models of this task.")
@click.option("--plugin", default="", shell_complete=complete_plugin, help="Only models of this plugin, as timm.")
@click.option("--family", default="", shell_complete=complete_family, help="Only models of this family, as resnet.")
@click.option("--licence", default="", help="Only weights (of models without any: code) whose licence contains this.")
@click.option("--max-params", metavar="N", help="Only models with at most so many parameters: 5M, 300k.")
@click.option("--pretrained", is_flag=True, help="Only models with published weights.")
@click.option("--sort", type=click.Choice(["name", "params", "family", "task"]), default="name", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="At most so many rows.")
@click.option("--weights", "show_weights", is_flag=True, help="List the sets of weights instead of the models.")
@click.option(
    "--callbacks", "show_callbacks", is_flag=True, help="List what can listen to a training: --callback NAME."
)
@click.option("--runtimes", "show_runtimes", is_flag=True, help="List what can execute a bundle: --runtime NAME.")
@click.option(
    "--fits", metavar="LIMITS", help="List bundles instead, those within a budget: 'latency<10ms,size<8MB,memory<64MB'."
)
@json_option
def list_models(
    *,
    pattern: str,
    task: str,
    plugin: str,
    family: str,
    licence: str,
    max_params: str | None,
    pretrained: bool,
    sort: SortKey,
    limit: int | None,
    show_weights: bool,
    show_callbacks: bool,
    show_runtimes: bool,
    fits: str | None,
    as_json: bool,
) -> None:
    """The models on offer.

    PATTERN fits names and aliases: with * or ? the whole name ('resnet*'), without any part of it.  On a terminal a
    long table is shown in a pager.
    """
    out = Output(as_json=as_json)
    if show_callbacks or show_runtimes:
        both = show_callbacks and show_runtimes
        others = task or plugin or family or licence or max_params or pretrained or show_weights or limit or fits
        if others or both:
            option = "--callbacks" if show_callbacks else "--runtimes"
            raise UsageError(f"{option} goes with a PATTERN and --json alone", hint="leave the other options out")
        from zoo.cli.list.callbacks import list_callbacks  # noqa: PLC0415  kept rows need no plugins
        from zoo.cli.list.runtimes import list_runtimes  # noqa: PLC0415

        (list_callbacks if show_callbacks else list_runtimes)(out, pattern)
        return
    if fits is not None:
        if plugin or family or licence or max_params or pretrained or show_weights or limit or sort != "name":
            raise UsageError("--fits goes with a PATTERN, --task and --json alone", hint="leave the other options out")
        from zoo.cli.list.fitting import list_fitting  # noqa: PLC0415  imports numpy

        list_fitting(out, fits, pattern=pattern, task=task)
        return
    listing = current_listing()
    for note in listing.notes:
        out.note(note)
    rows = select(
        listing.models,
        pattern=pattern,
        task=_task(task, listing),
        plugin=_plugin(plugin, listing),
        family=known_family(family, {row.family for row in listing.models}),
        licence=licence,
        max_params=read_count(max_params),
        pretrained=pretrained or show_weights,
    )
    if not rows:
        rows = _nearest(out, listing, pattern, filtered=bool(task or plugin or family or licence or max_params))
    ordered = in_order(rows, sort) if sort != "name" else rows
    if show_weights:
        listed = [weights for row in ordered for weights in row.weights]
        _print_weights(out, listed[:limit])
        if not listed:
            out.note("no weights are offered for these models")
        _end(out, [weights.bare_name for weights in listed], limit, "sets of weights")
    else:
        _print_models(out, ordered[:limit])
        _end(out, [row.bare_name for row in ordered], limit, "models")


def _print_models(out: Output, rows: Sequence[ListedModel]) -> None:
    if out.as_json:
        out.document(_documents(rows))
    elif rows:
        out.table(
            ("model", "plugin", "task", "params", "input", "weights"),
            [_model_row(row) for row in rows],
            right=("params",),
            paged=True,
        )


def _model_row(row: ListedModel) -> tuple[str, ...]:
    names = [*row.aliases, *(f"{alias} up to {side} px" for alias, side in row.takes_over.items())]
    aliases = f" ({', '.join(names)})" if names else ""
    missing = "not available" if row.not_available else f"needs the extra {row.extra}" if row.extra else ""
    tags = ", ".join(weights.tag for weights in row.weights)
    return (
        row.bare_name + aliases,
        row.plugin,
        row.task,
        text.count(row.parameters),
        row.input,
        "; ".join(part for part in (missing, tags) if part),
    )


def _print_weights(out: Output, listed: Sequence[ListedWeights]) -> None:
    if out.as_json:
        out.document(_weights_documents({weights.full_name for weights in listed}))
    elif listed:
        out.table(
            ("weights", "plugin", "licence", "size", "data", "metrics"),
            [
                (
                    weights.bare_name,
                    weights.plugin,
                    text.licence(weights.licence),
                    text.size(weights.size),
                    weights.data,
                    text.metrics(weights.metrics),
                )
                for weights in listed
            ],
            right=("size",),
            paged=True,
        )


def _end(out: Output, names: Sequence[str], limit: int | None, plural: str) -> None:
    """How many of these names are shown, and the next command for the first of them."""
    if limit is not None and limit < len(names):
        out.note(f"{limit} of {len(names):,} {plural} are shown (--limit {limit})")
    out.next(f"zoo info {names[0]}" if names else "zoo list")


# --- what was asked for ---


def _task(name: str, listing: Listing) -> str:
    """The full name of a task; UnknownName where nobody offers it."""
    known = {row.task_full_name for row in listing.models}
    resolved = known & {name} or {full for full in known if full.rpartition("/")[2] == name}
    if not name or len(resolved) == 1:
        return next(iter(resolved), "")
    from zoo.registry.catalog import Catalog  # noqa: PLC0415  kept rows need no plugins

    return Catalog.discover().task(name).full_name


def _plugin(name: str, listing: Listing) -> str:
    """The present name of a plugin; UnknownName where none has or had it."""
    if not name or any(row.plugin == name for row in listing.models):
        return name
    from zoo.registry.catalog import Catalog  # noqa: PLC0415  kept rows need no plugins

    return Catalog.discover().plugin(name).name


def known_family(name: str, known: Collection[str]) -> str:
    """The family; UnknownName with the nearest where no model is of it."""
    if not name or name in known:
        return name
    from difflib import get_close_matches  # noqa: PLC0415  only for a typing mistake

    close = get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(sorted(known))}"
    raise UnknownName(f"no model is of a family {name!r}", hint=hint)


def _nearest(out: Output, listing: Listing, pattern: str, *, filtered: bool) -> tuple[ListedModel, ...]:
    """The models with names like the pattern, said so; none where options may be what left all others out."""
    close = () if filtered or pattern == "*" else nearest(listing.models, pattern)
    asked = [*([repr(pattern)] if pattern != "*" or not filtered else []), *(["the options"] if filtered else [])]
    out.note(f"no model fits {' and '.join(asked)}")
    if close:
        out.note("the nearest names are shown")
    return close


# --- for machines ---


def _documents(rows: Sequence[ListedModel]) -> list[dict[str, object]]:
    from zoo.registry.catalog import Catalog  # noqa: PLC0415  kept rows need no plugins
    from zoo.runs.serialization import to_json  # noqa: PLC0415  a plain table does not need cattrs

    entries = {entry.full_name: entry for entry in Catalog.discover().models()} if rows else {}
    documents = []
    for row in rows:
        spec = entries[row.full_name].spec
        documents.append(
            {
                "name": row.full_name,
                "plugin": row.plugin,
                "family": row.family,
                "task": row.task,
                "aliases": list(row.aliases),
                "takes_over": dict(row.takes_over),
                "parameters": row.parameters,
                "input": to_json(spec)["input"],
                "weights": [weights.tag for weights in row.weights],
                "licence": row.licence,
                "available": not row.extra and not row.not_available,
                "not_available": row.not_available,
                "summary": spec.summary,
            }
        )
    return documents


def _weights_documents(full_names: set[str]) -> list[dict[str, object]]:
    from zoo.registry.catalog import Catalog  # noqa: PLC0415  kept rows need no plugins

    return [weights_record(entry) for entry in Catalog.discover().weights() if entry.full_name in full_names]


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
        "hub": spec.hub,
        "resource": spec.resource,
    }
