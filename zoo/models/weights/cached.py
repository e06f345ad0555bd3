"""What lies in the cache of downloaded weights, and taking it out again; torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from zoo.api.specs import WeightsSpec
from zoo.models.weights.published import cache_path
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.atomic import disk_errors
from zoo.runs.cache import cache_root


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFile:
    """One download, whole or interrupted."""

    path: Path
    """Where the whole file lies, or would."""
    size: int
    """Bytes on the disk."""
    whole: bool
    entry: RegistryEntry[WeightsSpec] | None
    """Whose it is; None when no installed plugin entries it any more."""

    @property
    def name(self) -> str:
        """As a person calls it: resnet18@imagenet1k_v1, or the path."""
        return self.entry.bare_name if self.entry else str(self.path)

    def remove(self) -> int:
        """Delete it, waiting for a download that is under way; the bytes that were freed."""
        freed = 0
        with disk_errors(self.path), FileLock(_beside(self.path, ".lock")):
            for file in (self.path, _beside(self.path, ".part")):
                if file.exists():
                    freed += file.stat().st_size
                    file.unlink()
        # the lock's file stays: another process may be waiting for it
        return freed


def cached_files(catalog: Catalog) -> tuple[CachedFile, ...]:
    """Every download in the cache, by name."""
    entries = {cache_path(entry.spec): entry for entry in catalog.weights() if entry.spec.url}
    paths = {
        file.with_name(file.name.removesuffix(".part"))
        for file in (cache_root() / "weights").glob("*/*")
        if file.suffix != ".lock"
    }
    files = [_cached(path, entries.get(path)) for path in paths]
    return tuple(sorted(files, key=lambda file: file.name))


def _cached(path: Path, entry: RegistryEntry[WeightsSpec] | None) -> CachedFile:
    files = [file for file in (path, _beside(path, ".part")) if file.exists()]
    return CachedFile(path=path, size=sum(file.stat().st_size for file in files), whole=path in files, entry=entry)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}{suffix}")
