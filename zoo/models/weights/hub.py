"""Published weights on Hugging Face's hub: found in its cache or downloaded into it, the digest checked.

The hub names a large file by its sha256, and so does its cache.  HF_HOME, HF_TOKEN and HF_ENDPOINT mean what they mean
to every tool of the hub; ZOO_OFFLINE=1 downloads nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from zoo.api.errors import MissingExtra, NetworkError, UsageError

FILE: Final = "model.safetensors"
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def hub_file(repository: str) -> Path:
    """`model.safetensors` of a repository, "owner/name" or "owner/name@revision", in the hub's cache.

    MissingExtra without the library of the hub, UsageError where the hub wants an account or a licence accepted,
    NetworkError where the file cannot be had.
    """
    hub = _library(repository)
    name, _, revision = repository.partition("@")
    offline = os.environ.get("ZOO_OFFLINE", "") not in ("", "0")
    try:
        return Path(hub.hf_hub_download(name, FILE, revision=revision or None, local_files_only=offline))
    except hub.errors.GatedRepoError as error:
        raise UsageError(
            f"{repository} is given to those only who have accepted its licence",
            hint=f"accept it on the page of {name} on the hub, and set HF_TOKEN to a token of yours",
        ) from error
    except hub.errors.RepositoryNotFoundError as error:
        raise UsageError(
            f"the hub has no repository {name}, or it is private", hint="set HF_TOKEN to a token that may read it"
        ) from error
    except hub.errors.RevisionNotFoundError as error:
        raise UsageError(
            f"{name} has no revision {revision!r}", hint=f"leave @{revision} away for the newest"
        ) from error
    except hub.errors.EntryNotFoundError as error:
        if offline:
            raise _unreachable(repository, "it is not in the cache, and ZOO_OFFLINE is set") from error
        raise UsageError(
            f"{name} has no {FILE}: a pickle can run code when it is read, and zoo downloads none",
            hint="take another tag, or save the weights as safetensors",
        ) from error
    except Exception as error:  # the hub has a dozen of its own, and those of two HTTP libraries
        raise _unreachable(repository, f"{type(error).__name__}: {error}") from error


def cached_hub_file(repository: str) -> Path | None:
    """The same where it is in the hub's cache already; None elsewhere.  No network."""
    try:
        hub = _library(repository)
    except MissingExtra:
        return None
    name, _, revision = repository.partition("@")
    path = hub.try_to_load_from_cache(name, FILE, revision=revision or None)
    return Path(path) if isinstance(path, str) else None


def stated_digest(path: Path) -> str:
    """The sha256 that the hub states for a file of its cache, which names it so; empty where it states none."""
    name = path.resolve().name
    return name if DIGEST.fullmatch(name) else ""


def _unreachable(repository: str, why: str) -> NetworkError:
    return NetworkError(f"{repository} cannot be had from the hub: {why}", hint="HF_ENDPOINT names a mirror of the hub")


def _library(repository: str) -> Any:
    try:
        import huggingface_hub  # noqa: PLC0415  only this needs it
    except ImportError as error:
        raise MissingExtra(
            f"{repository} lies on the hub, and huggingface_hub is not installed here",
            hint="pip install 'edgezoo[timm]'",
        ) from error
    return huggingface_hub
