"""What lies in the cache of weights, downloaded or converted, and taking it out again; torch-free."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from zoo.api.specs import WeightsSpec
from zoo.models.weights.published import cache_path
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.atomic import disk_errors
from zoo.runs.cache import cache_root

CONVERTED = "converted"
"""The folder of the cache with the tensors of files from elsewhere, each made into safetensors once."""
HASH = ".sha256"
"""The suffix of the file beside a conversion that holds its hash."""


def converted_folder() -> Path:
    """Where `--weights FILE.pth` keeps the tensors that it has read."""
    return cache_root() / CONVERTED


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFile:
    """One download or one conversion, whole or interrupted."""

    path: Path
    """Where the whole file lies, or would."""
    size: int
    """Bytes on the disk."""
    whole: bool
    entry: RegistryEntry[WeightsSpec] | None = None
    """Whose it is; None for a conversion, and when no installed plugin offers it any more."""
    beside: tuple[Path, ...] = field(default=(), repr=False)
    """Other files that go with it: the part of an interrupted download, the hash of a conversion."""

    @property
    def name(self) -> str:
        """As a person calls it: resnet18@imagenet1k_v1, or the path."""
        return self.entry.bare_name if self.entry else str(self.path)

    @property
    def remark(self) -> str:
        """What is particular about it, in a word."""
        if self.path.parent.name == CONVERTED and self.entry is None:
            return "converted"
        return "" if self.whole else "interrupted"

    def remove(self) -> int:
        """Delete it, waiting for a download that is under way; the bytes that were freed."""
        freed = 0
        with disk_errors(self.path), FileLock(_lock(self.path)):
            for file in (self.path, *self.beside):
                if file.exists():
                    freed += file.stat().st_size
                    file.unlink()
        # the lock's file stays: another process may be waiting for it
        return freed


def cached_files(catalog: Catalog) -> tuple[CachedFile, ...]:
    """Every download and every conversion in the cache, by name."""
    entries = {cache_path(entry.spec): entry for entry in catalog.weights() if entry.spec.url}
    paths = {
        file.with_name(file.name.removesuffix(".part"))
        for file in (cache_root() / "weights").glob("*/*")
        if file.suffix != ".lock"
    }
    downloads = [_cached(path, (_part(path),), entries.get(path)) for path in paths]
    return tuple(sorted([*downloads, *_conversions()], key=lambda file: file.name))


def _conversions() -> list[CachedFile]:
    """The tensors of files from elsewhere, and what interrupted conversions have left."""
    files = [file for file in converted_folder().glob("*") if file.suffix != ".lock"]
    stems = sorted({file.name.partition(".")[0] for file in files})
    return [
        _cached(
            converted_folder() / f"{stem}.safetensors",
            tuple(file for file in files if file.name.startswith(f"{stem}.") and file.suffix != ".safetensors"),
        )
        for stem in stems
    ]


def _cached(path: Path, beside: tuple[Path, ...], entry: RegistryEntry[WeightsSpec] | None = None) -> CachedFile:
    files = [file for file in (path, *beside) if file.exists()]
    return CachedFile(
        path=path,
        size=sum(file.stat().st_size for file in files),
        whole=path in files,
        entry=entry,
        beside=beside,
    )


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _lock(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
