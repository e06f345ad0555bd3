"""Files on Hugging Face's hub: found in its cache or downloaded into it; what goes wrong is a sentence.

The hub names a large file by its sha256, and so does its cache.  HF_HOME, HF_TOKEN and HF_ENDPOINT mean what they mean
to every tool of the hub; ZOO_OFFLINE=1 downloads nothing.  The library's telemetry is off unless
HF_HUB_DISABLE_TELEMETRY says otherwise.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from zoo.api.errors import MissingExtra, NetworkError, UsageError, ZooError
from zoo.models.weights.licence import check_licence

WEIGHTS: Final = "model.safetensors"
CONFIG: Final = "config.json"
MODEL_CARD: Final = "README.md"
LICENCE_LINE: Final = re.compile(r"^(license|license_name):\s*['\"]?([^'\"\n]+?)['\"]?\s*$", re.MULTILINE)
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def hub_folder(repository: str, files: Sequence[str], *, extra: str) -> Path:
    """The folder with these files of a repository, "owner/name" or "owner/name@revision"; others are not fetched.

    A file that the repository has not is absent in the folder.  `extra` is the extra of edgezoo that brings the hub's
    library.  Weights are asked for together with README.md, which names their licence.  MissingExtra without that
    library; UsageError for a name that can be none, where the hub wants an account or a licence accepted, and for
    weights whose licence forbids commercial use, unless the user has accepted that; NetworkError where the repository
    cannot be had.

    Args:
        repository: "owner/name" or "owner/name@revision".
        files: Names in the repository.
        extra: The extra of edgezoo that brings the hub's library.

    Returns:
        A folder in the hub's own cache.

    Raises:
        UsageError: The name can be none, or a licence must be accepted first.
        MissingExtra: The hub's library is not installed.
        NetworkError: The repository cannot be had.

    Examples:
        >>> zoo.hub_folder("no name", ["config.json"], extra="timm")
        Traceback (most recent call last):
        zoo.api.errors.UsageError: ...
    """
    if not REPOSITORY.fullmatch(repository):
        raise _no_name(repository)
    hub = _library(repository, extra)
    name, _, revision = repository.partition("@")
    _check_name(hub, name)
    if MODEL_CARD in files and WEIGHTS in files and cached_hub_weights(repository) is None:
        told = _fetch(hub, name, revision, [file for file in files if file in (MODEL_CARD, CONFIG)])
        check_licence(repository, stated_licence(told))
    return _fetch(hub, name, revision, files)


def _check_name(hub: Any, name: str) -> None:
    """UsageError for a name that the hub gives to no repository: "../x", or one of a hundred letters."""
    try:
        hub.utils.validate_repo_id(name)
    except hub.errors.HFValidationError as error:
        raise _no_name(name) from error


def _no_name(repository: str) -> UsageError:
    return UsageError(f"{repository!r} names nothing on the hub", hint="a name there is owner/name, as timm/resnet18")


def _fetch(hub: Any, name: str, revision: str, files: Sequence[str]) -> Path:
    offline, snapshot = is_offline(), hub.snapshot_download  # its module sets the log's level when it is imported
    try:
        with _quiet(hub):
            return Path(snapshot(name, revision=revision or None, allow_patterns=list(files), local_files_only=offline))
    except Exception as error:  # the hub has a dozen of its own, and those of two HTTP libraries
        raise _sentence(error, hub, name, revision, offline=offline) from error


def stated_licence(folder: Path) -> str:
    """The licence that a repository's config.json or the head of its README.md names; empty where none does.

    A licence of the publisher's own is "other" there, and has a name beside.

    Args:
        folder: A repository of the hub, as `hub_folder` gives it.

    Returns:
        As in "apache-2.0"; empty where nothing is stated.

    Examples:
        >>> _ = Path("README.md").write_text("---\\nlicense: mit\\n---\\n")
        >>> zoo.stated_licence(Path())
        'mit'
    """
    try:
        config = json.loads((folder / CONFIG).read_bytes())
        licence = (config.get("pretrained_cfg") or config).get("license")
        if isinstance(licence, str) and licence:
            return licence
    except (OSError, ValueError, AttributeError):
        pass  # whoever reads the configuration says what is wrong with it
    try:
        card = (folder / MODEL_CARD).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    head = card.split("---")[1] if card.startswith("---") else ""
    stated: dict[str, str] = dict(LICENCE_LINE.findall(head))
    name = stated.get("license", "")
    return stated.get("license_name", name) if name == "other" else name


def hub_weights(repository: str, *, extra: str = "timm") -> Path:
    """`model.safetensors` of a repository; UsageError where it has only a pickle, and as `hub_folder`."""
    path = hub_folder(repository, [WEIGHTS], extra=extra) / WEIGHTS
    if not path.is_file():
        raise _only_a_pickle(repository)
    return path


def check_weights(repository: str, *, extra: str) -> None:
    """The errors of `hub_weights` for weights that cannot be had; nothing of them is fetched."""
    hub = _library(repository, extra)
    name, _, revision = repository.partition("@")
    if is_offline():
        raise _sentence(OSError(), hub, name, revision, offline=True)
    try:
        hub.get_hf_file_metadata(hub.hf_hub_url(name, WEIGHTS, revision=revision or None))
    except hub.errors.EntryNotFoundError as error:
        raise _only_a_pickle(repository) from error
    except Exception as error:  # as in `hub_folder`
        raise _sentence(error, hub, name, revision, offline=False) from error


def cached_hub_weights(repository: str) -> Path | None:
    """The same where it is in the hub's cache already; None elsewhere.  No network."""
    try:
        hub = _library(repository, "timm")
    except MissingExtra:
        return None
    name, _, revision = repository.partition("@")
    path = hub.try_to_load_from_cache(name, WEIGHTS, revision=revision or None)
    return Path(path) if isinstance(path, str) else None


def stated_digest(path: Path) -> str:
    """The sha256 that the hub states for a file of its cache, which names it so; empty where it states none."""
    name = path.resolve().name
    return name if DIGEST.fullmatch(name) else ""


def _only_a_pickle(repository: str) -> UsageError:
    return UsageError(
        f"{repository} has no {WEIGHTS}: a pickle can run code when it is read, and zoo downloads none",
        hint="take another tag, or save the weights as safetensors",
    )


def is_offline() -> bool:
    """Whether ZOO_OFFLINE forbids downloads."""
    return os.environ.get("ZOO_OFFLINE", "") not in ("", "0")


def _sentence(error: Exception, hub: Any, name: str, revision: str, *, offline: bool) -> ZooError:
    """What an error of the hub's library means to a user."""
    if isinstance(error, hub.errors.GatedRepoError):
        return UsageError(
            f"{name} is given to those only who have accepted its licence",
            hint=f"accept it on the page of {name} on the hub, and set HF_TOKEN to a token of yours",
        )
    status = _status(error)
    if isinstance(error, hub.errors.RepositoryNotFoundError):
        return UsageError(
            f"the hub has no repository {name}, or it is private", hint="set HF_TOKEN to a token that may read it"
        )
    if isinstance(error, hub.errors.RevisionNotFoundError):
        return UsageError(f"{name} has no revision {revision!r}", hint=f"leave @{revision} away for the newest")
    if status in (401, 403):
        return UsageError(
            f"the hub does not let you read {name}: {_reason(error)}", hint="set HF_TOKEN to a token that may read it"
        )
    if status == 404:
        return UsageError(f"the hub has no repository {name}", hint="a name there is owner/name, as timm/resnet18")
    why = "it is not in the cache, and ZOO_OFFLINE is set" if offline else _reason(error)
    return NetworkError(
        f"{name} cannot be had from the hub: {why}",
        hint="download it elsewhere into the hub's cache, or name a mirror of the hub in HF_ENDPOINT",
    )


def _status(error: BaseException | None) -> int:
    """The status of the server's answer that the error, or what caused it, brings; 0 without one."""
    while error is not None:
        if (response := getattr(error, "response", None)) is not None:
            return int(response.status_code)
        error = error.__cause__
    return 0


def _reason(error: BaseException) -> str:
    """The innermost cause in a line; of an answer of the server its status."""
    while error.__cause__ is not None:
        error = error.__cause__
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answers {response.status_code} {response.reason_phrase}"
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "it is not in the cache, and HF_HUB_OFFLINE is set"
    if isinstance(error, json.JSONDecodeError):
        return "the server's answer is not the hub's, but a page perhaps that wants a login"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def _quiet(hub: Any) -> Iterator[None]:
    """Without the library's warnings, and its progress bars only for a person who watches: an error is one sentence."""
    logger, bars = logging.getLogger("huggingface_hub"), hub.utils
    level, shown = logger.level, not bars.are_progress_bars_disabled()
    logger.setLevel(logging.CRITICAL)
    if not sys.stderr.isatty():
        bars.disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if shown:
            bars.enable_progress_bars()


def _library(repository: str, extra: str) -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import huggingface_hub  # noqa: PLC0415  only this needs it
        import huggingface_hub.errors  # noqa: PLC0415
        import huggingface_hub.utils  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra(
            f"{repository} lies on the hub, and huggingface_hub is not installed here",
            hint=f"pip install 'edgezoo[{extra}]'",
        ) from error
    return huggingface_hub
