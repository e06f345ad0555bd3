"""The runner of a bundle for Node and browsers: a folder with run.mjs, its types and what it needs of the bundle."""

from __future__ import annotations

import json
from pathlib import Path

from zoo.bundle.demo.page import facts, filled
from zoo.bundle.demo.runtime_package import VERSION
from zoo.bundle.demo.scripts import joined_script
from zoo.bundle.demo.support import TASKS, demo_of
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.manifest import Manifest
from zoo.runs.atomic import json_text, write_directory

MARK = "run.mjs"
"""The file that every such folder holds."""


def write_runner(bundle: Bundle, output: Path, *, variant: str | None = None, overwrite: bool = False) -> None:
    """Write the folder, of a variant where one is named; UsageError where JavaScript cannot answer for the bundle."""
    demo = demo_of(bundle, variant)
    manifest = demo.manifest
    texts = {
        MARK: joined_script("node.mjs"),
        "run.d.ts": types(manifest),
        "package.json": json_text(package(manifest)),
        "manifest.json": json_text(facts(demo)),
    }
    files = {name: bundle.read(name) for name in demo.files()}

    def fill(folder: Path) -> None:
        for name, raw in (files | {name: text.encode() for name, text in texts.items()}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(raw)

    write_directory(output, fill, overwrite=overwrite, mark=MARK)


def types(manifest: Manifest) -> str:
    """run.d.ts: the classes, the input and the answer of this bundle."""
    task = TASKS[manifest.task]
    labels = " | ".join(json.dumps(name) for name in manifest.problem.classes) or "string"
    fields = {"label": labels, "input": task.input, "answer": task.answer, "settings": task.settings}
    return filled("run.d.ts", fields)


def package(manifest: Manifest) -> dict[str, object]:
    """package.json: a module that needs the runtime alone."""
    return {
        "name": manifest.model.rpartition("/")[2].lower(),
        "private": True,
        "type": "module",
        "engines": {"node": ">=20.12"},
        "exports": {".": {"types": "./run.d.ts", "default": "./run.mjs"}},
        "dependencies": {"onnxruntime-web": VERSION},
    }
