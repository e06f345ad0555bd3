"""The pictures below a folder by path, name and stem, whatever the case of their letters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoo.data.formats.folders import PICTURES, UNREAD_PICTURES, walk

Paths = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class PictureIndex:
    """Paths below the root, with slashes, by a key in lower case."""

    by_path: Paths
    by_name: Paths
    by_stem: Paths
    """The last part of the path without its suffix."""

    def at(self, path: str) -> str | None:
        """The picture at a path, or the only one whose path differs in the case of its letters alone."""
        files = self.by_path.get(path.lower(), ())
        return path if path in files else files[0] if len(files) == 1 else None

    def ending(self, path: str) -> list[str]:
        """Every picture whose path ends in this one."""
        low = path.lower()
        files = self.by_name.get(PurePosixPath(low).name, ())
        return [file for file in files if f"/{file.lower()}".endswith(f"/{low}")]


def index_pictures(root: Path) -> PictureIndex:
    """Every picture below a folder, those of kinds that cannot be read among them."""
    wanted = PICTURES | UNREAD_PICTURES
    paths: defaultdict[str, list[str]] = defaultdict(list)
    names: defaultdict[str, list[str]] = defaultdict(list)
    stems: defaultdict[str, list[str]] = defaultdict(list)
    for file, skipped in walk(root, root):
        path = PurePosixPath(file)
        if not skipped and path.suffix.lower() in wanted:
            paths[file.lower()].append(file)
            names[path.name.lower()].append(file)
            stems[path.stem.lower()].append(file)
    return PictureIndex(paths, names, stems)
