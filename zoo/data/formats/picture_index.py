"""The pictures below a folder by path, name and stem, in every spelling of their letters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoo.data.formats.folders import PICTURES, UNREAD_PICTURES, folded, walk

Paths = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class PictureIndex:
    """Paths below the root, with slashes, by a key that is the same in every spelling."""

    by_path: Paths
    by_name: Paths
    by_stem: Paths
    """The last part of the path without its suffix."""

    def at(self, path: str) -> str | None:
        """The picture at a path, or the only one whose path differs in the case of its letters alone."""
        files = self.by_path.get(folded(path), ())
        return path if path in files else files[0] if len(files) == 1 else None

    def with_stem(self, path: str) -> list[str]:
        """Every picture of the name of this path without its suffix."""
        name = PurePosixPath(folded(path))
        return [*self.by_stem.get(name.stem if name.suffix in PICTURES else name.name, ())]

    def ending(self, path: str) -> list[str]:
        """Every picture whose path ends in this one."""
        low = folded(path)
        files = self.by_name.get(PurePosixPath(low).name, ())
        return [file for file in files if f"/{folded(file)}".endswith(f"/{low}")]


def index_pictures(root: Path) -> PictureIndex:
    """Every picture below a folder, those of kinds that cannot be read among them."""
    wanted = PICTURES | UNREAD_PICTURES
    paths: defaultdict[str, list[str]] = defaultdict(list)
    names: defaultdict[str, list[str]] = defaultdict(list)
    stems: defaultdict[str, list[str]] = defaultdict(list)
    for file, skipped in walk(root, root):
        path = PurePosixPath(file)
        if not skipped and path.suffix.lower() in wanted:
            paths[folded(file)].append(file)
            names[folded(path.name)].append(file)
            stems[folded(path.stem)].append(file)
    return PictureIndex(paths, names, stems)
