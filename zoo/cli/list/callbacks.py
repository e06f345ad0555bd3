"""`zoo list --callbacks`: what can listen to a training."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.api.callback import CallbackSpec
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.registry.catalog_listing import is_available
from zoo.registry.listing import matches
from zoo.registry.name_resolution import RegistryEntry
from zoo.training.callbacks.built_in import EVERY_RUN, LIVE_LINE

PART_OF_EVERY_TRAINING = (*EVERY_RUN, LIVE_LINE)


def list_callbacks(out: Output, pattern: str) -> None:
    """The callbacks whose full name fits the pattern."""
    catalog = Catalog.discover()
    for plugin in catalog.plugins:
        out.note(plugin.warning)
    callbacks = [entry for entry in catalog.callbacks() if matches(entry.full_name, pattern)]
    if out.as_json:
        out.document([callback_record(catalog, entry) for entry in callbacks])
    elif callbacks:
        _print(out, catalog, callbacks)
    else:
        out.note("no callback fits")
    useful = next((entry for entry in callbacks if entry.spec not in PART_OF_EVERY_TRAINING), None)
    out.next(f"zoo train resnet --callback {useful.bare_name}" if useful else "zoo train resnet")


def callback_record(catalog: Catalog, entry: RegistryEntry[CallbackSpec]) -> dict[str, object]:
    """One callback for machines."""
    return {
        "name": entry.full_name,
        "plugin": entry.plugin.name,
        "summary": entry.spec.summary,
        "available": is_available(catalog, entry),
    }


def _print(out: Output, catalog: Catalog, callbacks: Sequence[RegistryEntry[CallbackSpec]]) -> None:
    out.table(
        ("callback", "plugin", "needs", "does"),
        [
            (
                entry.bare_name,
                entry.plugin.name,
                "" if is_available(catalog, entry) else f"the extra {entry.spec.extra}",
                entry.spec.summary,
            )
            for entry in callbacks
        ],
    )
