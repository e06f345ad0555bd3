"""Downloading published weights before the work that needs them, with a line that says how far it is; torch-free."""

from __future__ import annotations

from zoo.api.specs import WeightsSpec
from zoo.cli.progress import ProgressLine
from zoo.models.target import WeightsTarget, find_target
from zoo.models.weights.published import fetch, is_here
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry


def download_weights(entry: RegistryEntry[WeightsSpec]) -> None:
    """Put published weights into the cache where they are not there yet."""
    if is_here(entry):
        return
    line = ProgressLine(f"fetching {entry.bare_name}", unit="bytes")
    try:
        fetch(entry, progress=line)
    finally:
        line.close()


def download_named(target: str | None) -> None:
    """The same for a TARGET, if it is the name of weights."""
    if target and "@" in target:
        meant = find_target(target, Catalog.discover())
        if isinstance(meant, WeightsTarget):
            download_weights(meant.weights)
