"""Which runs this user has made, and from which folder, so that those with -o are found again.

A small file for each lies in the state folder; one whose run is gone is removed when it is next looked at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zoo.api.errors import DiskError, UsageError
from zoo.runs.atomic import write_json
from zoo.runs.user_paths import user_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """One run that was made on this machine."""

    path: Path
    """Absolute."""
    made_in: Path
    """The working directory of the training, absolute."""

    def belongs_to(self, folder: Path) -> bool:
        """Whether it was made in a folder, or lies below it."""
        return self.made_in == folder or folder in self.path.parents


def state_root() -> Path:
    """The folder that ZOO_STATE names, else the platform's own place for what programs remember."""
    return user_folder("state")


def remember_run(path: Path) -> None:
    """Note a new run; a state folder that cannot be written costs a listing, not a training."""
    absolute = str(path.absolute())
    name = hashlib.sha256(absolute.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    with suppress(DiskError, OSError, UnicodeError, UsageError):
        folder = state_root() / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / f"{name}.json", {"path": absolute, "made_in": str(Path.cwd())})


def known_runs() -> Iterator[KnownRun]:
    """Every noted run that is still there; none where the account has no home."""
    try:
        folder = state_root() / "runs"
    except UsageError:
        return
    for file in sorted(folder.glob("*.json")):
        try:
            entry = json.loads(file.read_bytes())
            run = KnownRun(path=Path(entry["path"]), made_in=Path(entry["made_in"]))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # being written by another process, or damaged: no run is lost by it
        if (run.path / "run.json").is_file():
            yield run
        else:
            with suppress(OSError):
                file.unlink()
