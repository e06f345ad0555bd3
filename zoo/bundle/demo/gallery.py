"""A folder of pages, one a bundle, and the index that leads to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from zoo.bundle.demo.page import filled, page_policy, page_style, text
from zoo.bundle.runtime.manifest import Manifest

INDEX = "index.html"
MARK = "gallery.json"
"""The file that every such folder holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryEntry:
    """One page of a gallery."""

    file: str
    model: str
    task: str
    weights: str
    bytes: int


def entry_of(manifest: Manifest, *, size: int) -> GalleryEntry:
    """What the index says about a page of so many bytes."""
    model = manifest.model.rpartition("/")[2]
    return GalleryEntry(
        file=f"{model}.html", model=model, task=manifest.task, weights=manifest.lineage.weights, bytes=size
    )


def index_page(entries: Iterable[GalleryEntry]) -> str:
    """The page that leads to all others."""
    style = page_style()
    rows = [
        f'<li><a href="./{quote(entry.file)}">{text(entry.model)}</a><br>{text(entry.task)}'
        f'<br><span class="dim">{text(entry.weights)}, {entry.bytes / 1e6:.1f} MB</span></li>'
        for entry in entries
    ]
    policy = escape(page_policy(style=style), quote=True)
    return filled("gallery.html", {"policy": policy, "style": style, "entries": "\n".join(rows)})
