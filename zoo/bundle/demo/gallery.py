"""A folder of pages, one a bundle, and the index that leads to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final
from urllib.parse import quote

from zoo.bundle.demo.page import filled, page_policy, page_style, text
from zoo.bundle.demo.support import TASKS
from zoo.bundle.runtime.manifest import Manifest

INDEX = "index.html"
MARK = "gallery.json"
"""The file that every such folder holds."""
VERDICTS: Final = {"PASS": "proved", "WARN": "proved, with a warning", "unproved": "not proved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryEntry:
    """One page of a gallery."""

    file: str
    model: str
    task: str
    weights: str
    verdict: str
    bytes: int


def entry_of(manifest: Manifest, *, size: int) -> GalleryEntry:
    """What the index says about a page of so many bytes."""
    model = manifest.model.rpartition("/")[2]
    return GalleryEntry(
        file=f"{model}.html",
        model=model,
        task=manifest.task,
        weights=manifest.lineage.weights,
        verdict=VERDICTS[manifest.verdict],
        bytes=size,
    )


def index_page(entries: Iterable[GalleryEntry]) -> str:
    """The page that leads to all others, task by task."""
    style = page_style()
    known = [*TASKS]
    ordered = sorted(entries, key=lambda entry: (known.index(entry.task), entry.model))
    sections = [_section(task, group) for task, group in groupby(ordered, lambda entry: entry.task)]
    policy = escape(page_policy(style=style), quote=True)
    return filled("gallery.html", {"policy": policy, "style": style, "sections": "\n".join(sections)})


def _section(task: str, entries: Iterable[GalleryEntry]) -> str:
    rows = [
        f'<li><a href="./{quote(entry.file)}">{text(entry.model)}</a>'
        f'<br><span class="dim">{text(_short(entry.weights))}'
        f"<br>{entry.verdict}, {entry.bytes / 1e6:.1f} MB</span></li>"
        for entry in entries
    ]
    about = text(TASKS[task].shown)
    return f'<h2>{text(task)}</h2>\n<p class="dim">{about}</p>\n<ul class="gallery">\n' + "\n".join(rows) + "\n</ul>"


def _short(weights: str) -> str:
    """cnn@digits of cnn/cnn@cnn/digits; anything else, as the name of a run, as it is."""
    model, at, tag = weights.partition("@")
    plain = at and " " not in weights
    return f"{model.rpartition('/')[2]}@{tag.rpartition('/')[2]}" if plain else weights
