"""The bundles that were exported from a run to another place, found by what their manifests say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Final

from zoo.api.errors import BadFile
from zoo.bundle.runtime.manifest import NAME, read_manifest

MAX_FOLDERS: Final = 1000
"""So many folders are looked at in one place."""


def no_bundle_in(run: Path) -> BadFile:
    """That a run holds no bundle; it names those that were exported from it to another place."""
    if bundles := bundles_of(run):
        hint = f"{' and '.join(str(bundle) for bundle in bundles)} was exported from it: name that folder"
    else:
        export = f"zoo export {quote(str(run))} --onnx"
        hint = f"{export} writes one there; one that went elsewhere with -o is named by its own folder"
    return BadFile(f"{run} is a run, and no bundle of it is in {run / 'export'}", hint=hint)


def bundles_of(run: Path) -> list[Path]:
    """Those in the working directory, in exports/ and beside the run whose manifests name this run, by their names."""
    try:
        created = json.loads((run / "run.json").read_bytes()).get("created")
    except (OSError, ValueError, AttributeError):
        return []
    places = dict.fromkeys((Path(), Path("exports"), run.parent))
    folders = {folder.resolve(): folder for place in places for folder in _bundles_in(place)}
    return sorted(folder for folder in folders.values() if _is_of(folder, run, created))


def _bundles_in(place: Path) -> Iterator[Path]:
    try:
        yield from (folder for folder in islice(place.iterdir(), MAX_FOLDERS) if (folder / NAME).is_file())
    except OSError:
        return


def _is_of(bundle: Path, run: Path, created: object) -> bool:
    """Whether a bundle's manifest names the run: by when it was made, or in an older bundle by its path."""
    try:
        lineage = read_manifest(bundle).manifest.lineage
    except (BadFile, OSError):
        return False
    if lineage.run_created:
        return lineage.run_created == created
    return bool(lineage.target) and Path(lineage.target.rpartition("@")[2]).resolve() == run.resolve()
