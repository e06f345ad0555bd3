"""Downloading published weights before the work that needs them, with a line that says how far it is; torch-free."""

from __future__ import annotations

import click

from zoo.api.specs import WeightsSpec
from zoo.cli.terminal import text
from zoo.cli.terminal.progress import ProgressLine
from zoo.models.weights.published import check_accepted, download_address, fetch, is_here
from zoo.registry.name_resolution import RegistryEntry


def download_weights(entry: RegistryEntry[WeightsSpec] | None) -> None:
    """Put published weights into the cache where they are not there yet, and say their licence; None needs none."""
    if entry is None or is_here(entry):
        return
    check_accepted(entry)
    click.echo(f"downloading {entry.bare_name}, licence: {text.licence(entry.spec.licence)}", err=True)
    line = ProgressLine(f"downloading {entry.bare_name}", unit="bytes")
    try:
        fetch(entry, progress=line)
    finally:
        line.close()


def check_obtainable(entry: RegistryEntry[WeightsSpec] | None) -> None:
    """NetworkError for published weights that are neither in the cache nor to be had: switched off, or unreachable.

    UsageError where their licence forbids commercial use, and the user has not accepted that.
    """
    if entry is None or is_here(entry):
        return
    check_accepted(entry)
    if entry.spec.hub:
        from zoo.models.weights.hub import check_weights  # noqa: PLC0415

        check_weights(entry.spec.hub, extra=entry.plugin.name)
    else:
        from zoo.models.weights.download import check_reachable  # noqa: PLC0415  a network client, rarely needed

        check_reachable(download_address(entry))
