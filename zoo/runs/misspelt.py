"""The runs, bundles and ONNX files beside a path that does not exist, for whoever misspelt one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from zoo.registry.suggestions import close_names

KINDS: Final = {"run.json": "a run", "manifest.json": "a bundle"}
"""What a folder is, by a file in it."""


def near_outputs(text: str | Path) -> str:
    """As in "did you mean bundle (a bundle)?"; empty where nothing beside the path has such a name."""
    folder, name = Path(text).parent, Path(text).name
    try:
        kinds = {entry.name: kind for entry in folder.iterdir() if (kind := _kind(entry))}
    except OSError:
        return ""
    close = [f"{folder / near} ({kinds[near]})" for near in close_names(name, kinds)]
    return f"did you mean {' or '.join(close)}?" if close else ""


def _kind(path: Path) -> str:
    if path.suffix == ".onnx":
        return "an ONNX file"
    return next((kind for file, kind in KINDS.items() if (path / file).is_file()), "")
