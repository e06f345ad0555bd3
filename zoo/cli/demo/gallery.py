"""`zoo demo --gallery`: a page for each bundle, or for all weights that zoo ships, and an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import click

from zoo.api.data import counted
from zoo.api.errors import OutputExists, UsageError
from zoo.bundle.demo.gallery import INDEX, MARK, GalleryEntry, entry_of, index_page
from zoo.bundle.demo.page import demo_page
from zoo.bundle.demo.runtime_package import RuntimePackage
from zoo.bundle.demo.support import demo_of
from zoo.bundle.runtime.bundle import Bundle
from zoo.cli.demo.runtime_package import runtime_package
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.runs.atomic import check_free, json_text, write_directory
from zoo.runs.serialization import to_json

OWN = "edgezoo"
"""The distribution whose weights a gallery without bundles shows."""


def write_gallery(out: Output, paths: Sequence[Path], output: Path, *, package: Path | None, overwrite: bool) -> None:
    """Write the folder at once; exit code 1 where weights could not be proved and so have no page."""
    check_free(output, overwrite=overwrite, mark=MARK, option="--gallery")
    bundles = [Bundle.open(path) for path in paths]
    _check_bundles(bundles)
    runtime = runtime_package(out, package)
    missing: list[str] = []
    if not bundles:
        bundles, missing = _shipped(out, output.with_name(f"{output.name}-bundles"), overwrite=overwrite)
    entries = _write(bundles, output, runtime, overwrite=overwrite)
    out.document(
        {"schema": 1, "gallery": str(output), "pages": [to_json(entry) for entry in entries], "missing": missing}
    )
    out.line(f"{output / INDEX}: {counted(len(entries), 'page')}, {sum(entry.bytes for entry in entries) / 1e6:.1f} MB")
    out.next(f"python -m http.server --directory {quote(str(output))}")
    if missing:
        out.note(f"no page for {', '.join(missing)}: their exports were not proved")
        raise click.exceptions.Exit(1)


def _check_bundles(bundles: Sequence[Bundle]) -> None:
    names = [bundle.manifest.model.rpartition("/")[2] for bundle in bundles]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two bundles are of the model {twice[0]}, and a gallery has one page for each model")
    for bundle in bundles:
        demo_of(bundle)


def _shipped(out: Output, folder: Path, *, overwrite: bool) -> tuple[list[Bundle], list[str]]:
    """Bundles of all weights that zoo ships, made where they are not there yet, and the names of those not proved.

    A bundle of another version of zoo is made anew where `overwrite` is said.
    """
    from zoo.models.target import resolve_target  # noqa: PLC0415  torch and the exporter, only where something is made
    from zoo_export.export import export_target  # noqa: PLC0415

    bundles, missing = [], []
    shipped = [
        entry for entry in Catalog.discover().weights() if entry.spec.resource and entry.plugin.distribution == OWN
    ]
    for number, entry in enumerate(shipped, 1):
        out.note(f"{number} of {len(shipped)}: {entry.bare_name}")
        place = folder / entry.spec.model.rpartition("/")[2]
        request = resolve_target(entry.bare_name)
        try:
            written = export_target(request, output=place)
        except OutputExists:
            if not overwrite:
                raise
            written = export_target(request, output=place, overwrite=True)
        if written.published:
            bundles.append(Bundle.open(place))
        else:
            missing.append(entry.bare_name)
    return bundles, missing


def _write(bundles: Sequence[Bundle], output: Path, runtime: RuntimePackage, *, overwrite: bool) -> list[GalleryEntry]:
    entries: list[GalleryEntry] = []

    def fill(folder: Path) -> None:
        for bundle in bundles:
            raw = demo_page(bundle, runtime, index=INDEX).encode()
            entry = entry_of(bundle.manifest, size=len(raw))
            (folder / entry.file).write_bytes(raw)
            entries.append(entry)
        entries.sort(key=lambda entry: (entry.task, entry.model))
        (folder / INDEX).write_text(index_page(entries), encoding="utf-8")
        (folder / MARK).write_text(json_text({"schema": 1, "pages": [to_json(entry) for entry in entries]}))

    write_directory(output, fill, overwrite=overwrite, mark=MARK)
    return entries
