"""Published weights as files on this disk: shipped inside a package, or downloaded into the cache; torch-free.

ZOO_OFFLINE=1 downloads nothing.  ZOO_MIRROR is the address (or the folder) of a copy that keeps the publishers' hosts
and paths, as `wget --force-directories` writes them: MIRROR/download.pytorch.org/models/resnet18-f37072fd.pth.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from zoo.api.errors import HashMismatch, NetworkError, PluginError
from zoo.api.specs import WeightsSpec
from zoo.api.task import Progress
from zoo.models.weights.licence import check_licence, forbids_commercial_use
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.cache import cache_root
from zoo.runs.checkpoints import file_sha256

if TYPE_CHECKING:
    from zoo.models.weights.download import Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFile:
    """A file of published weights whose hash was just checked."""

    path: Path
    sha256: str
    """The whole digest, of which the publisher may have named the beginning only."""


def cache_path(spec: WeightsSpec) -> Path:
    """Where the download of a set of weights lies, or will lie."""
    name = urlsplit(spec.url).path.rpartition("/")[2] or "weights"
    return cache_root() / "weights" / spec.sha256[:16] / name


def fetch(entry: RegistryEntry[WeightsSpec], *, progress: Progress, patience: Patience | None = None) -> WeightsFile:
    """The file of a set of weights, downloaded where it is absent, its hash checked every time.

    UsageError where it is absent and its licence forbids commercial use, unless the user has accepted that.
    """
    check_accepted(entry)
    if entry.spec.hub:
        return _from_hub(entry)
    if entry.spec.resource:
        path = _shipped(entry)
    else:
        path = cache_path(entry.spec)
        if not path.exists():
            from zoo.models.weights.download import download  # noqa: PLC0415  a network client, rarely needed

            download(download_address(entry), path, sha256=entry.spec.sha256, progress=progress, patience=patience)
    sha256 = file_sha256(path)
    if not sha256.startswith(entry.spec.sha256):
        hint = (
            f"zoo weights clear {entry.bare_name}" if entry.spec.url else f"install {entry.plugin.distribution} again"
        )
        raise HashMismatch(
            f"{path} is not the published file of {entry.full_name}: it has sha256 {sha256[:16]}…, "
            f"and {entry.spec.sha256}… was expected",
            hint=hint,
        )
    return WeightsFile(path=path, sha256=sha256)


def _from_hub(entry: RegistryEntry[WeightsSpec]) -> WeightsFile:
    """The file in the hub's cache; HashMismatch where its bytes are not those that the hub or the plugin states."""
    from zoo.models.weights.hub import hub_weights, stated_digest  # noqa: PLC0415  a network client, rarely needed

    path = hub_weights(entry.spec.hub, extra=entry.plugin.name)
    sha256 = file_sha256(path)
    expected = [digest for digest in (entry.spec.sha256, stated_digest(path)) if digest]
    wrong = [digest for digest in expected if not sha256.startswith(digest)]
    if wrong or not expected:
        raise HashMismatch(
            f"{path} is not the published file of {entry.full_name}: it has sha256 {sha256[:16]}…, "
            + (f"and {wrong[0][:16]}… was expected" if wrong else "and nobody states which it should have"),
            hint=f"take it out of the hub's cache: hf cache rm model/{entry.spec.hub}",
        )
    return WeightsFile(path=path, sha256=sha256)


def check_accepted(entry: RegistryEntry[WeightsSpec]) -> None:
    """UsageError for absent weights whose licence forbids commercial use, unless the user has accepted that."""
    if forbids_commercial_use(entry.spec.licence) and not is_here(entry):
        check_licence(entry.bare_name, entry.spec.licence)


def is_here(entry: RegistryEntry[WeightsSpec]) -> bool:
    """True when using these weights needs no network."""
    if entry.spec.hub:
        from zoo.models.weights.hub import cached_hub_weights  # noqa: PLC0415  a network client, rarely needed

        return cached_hub_weights(entry.spec.hub) is not None
    return bool(entry.spec.resource) or cache_path(entry.spec).exists()


def labels(catalog: Catalog, entry: RegistryEntry[WeightsSpec]) -> tuple[str, ...]:
    """The class names of a set of weights, in index order; empty where it names none."""
    return _names(catalog, entry, entry.spec.classes)


def tokens(catalog: Catalog, entry: RegistryEntry[WeightsSpec]) -> tuple[str, ...]:
    """The vocabulary of a set of weights, in index order; empty where it reads no text."""
    return _names(catalog, entry, entry.spec.vocabulary)


def _names(catalog: Catalog, entry: RegistryEntry[WeightsSpec], names: tuple[str, ...] | str) -> tuple[str, ...]:
    if not isinstance(names, str):
        return names
    loaded = catalog.load(entry, names)
    if isinstance(loaded, tuple) and all(isinstance(name, str) for name in loaded):
        return loaded
    raise PluginError(f"{names!r} of the {entry.plugin.title} is not a tuple of names")


def _shipped(entry: RegistryEntry[WeightsSpec]) -> Path:
    package, _, inside = entry.spec.resource.partition(":")
    try:
        path = Path(str(files(package).joinpath(inside)))
    except ModuleNotFoundError as error:
        raise PluginError(f"{entry.full_name} of the {entry.plugin.title} lies in {package}: {error}") from error
    if not path.is_file():
        raise PluginError(f"{entry.full_name} of the {entry.plugin.title} should ship {path}, which is not there")
    return path


def download_address(entry: RegistryEntry[WeightsSpec]) -> str:
    """Where to download from; NetworkError where downloads are switched off."""
    url = entry.spec.url
    if os.environ.get("ZOO_OFFLINE", "") not in ("", "0"):
        raise NetworkError(
            f"{entry.bare_name} is not in the cache, and ZOO_OFFLINE is set",
            hint=f"unset ZOO_OFFLINE, or put {url} at {cache_path(entry.spec)}",
        )
    return mirrored(url)


def mirrored(url: str) -> str:
    """The address of the same file on the mirror that ZOO_MIRROR names; the address itself where it names none."""
    mirror = os.environ.get("ZOO_MIRROR", "").rstrip("/")
    if not mirror:
        return url
    if "://" not in mirror:
        mirror = Path(mirror).absolute().as_uri()
    parts = urlsplit(url)
    return f"{mirror}/{parts.netloc}{parts.path}"
