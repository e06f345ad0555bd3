"""The files below a folder: those of the wanted kind, and the number of the others by suffix."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from zoo.api.data import DataNote, counted
from zoo.api.errors import BadSample, DataError

HEIC = frozenset({".heic", ".heif"})
"""Suffixes of pictures from phones, which the extra `heic` reads."""
PICTURES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".png",
        ".bmp",
        ".gif",
        ".tif",
        ".tiff",
        ".webp",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".jp2",
        ".avif",
        ".tga",
        ".ico",
        *(HEIC if find_spec("pillow_heif") else ()),
    }
)
"""Suffixes that Pillow can read, with pillow-heif those of phones as well."""
UNREAD_PICTURES = frozenset(
    {
        *(() if HEIC <= PICTURES else HEIC),
        ".raw",
        ".cr2",
        ".cr3",
        ".nef",
        ".arw",
        ".dng",
        ".psd",
        ".svg",
        ".eps",
        ".pdf",
    }
)
"""Suffixes of pictures that Pillow cannot read: they are an error, never left out silently."""
SOUND_SUFFIXES = frozenset(
    {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".au"}
)
UNREAD_SOUND_SUFFIXES = frozenset({".m4a", ".aac", ".wma", ".amr", ".ape"})
"""Suffixes of sounds that cannot be read: they are an error, never left out silently."""
VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """Which files are wanted of a folder."""

    plural: str
    """What several are called."""
    suffixes: frozenset[str]
    unread: frozenset[str]
    """Suffixes of files that are meant as data, too, but cannot be read."""
    remedy: str
    """What to do with those."""


PICTURE_FILES = FileKind(
    plural="pictures",
    suffixes=PICTURES,
    unread=UNREAD_PICTURES,
    remedy="convert them to JPEG or PNG",
)
MOST_WRAPPINGS = 4
"""Folders with a single folder in them, one in the other, as archives unpack."""
ABOUT = frozenset({"readme", "license", "licence", "changelog", "citation"})
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".zst", ".7z", ".rar")
LOOK_AT = 20_000
"""Most files that are listed to recognise a format."""


def folded(name: str) -> str:
    """What is the same in every spelling of a file's name: macOS takes letters and their accents apart."""
    return unicodedata.normalize("NFC", name).lower()


def hidden(name: str, *, folder: bool = False) -> bool:
    """Names that are bookkeeping, not data: .ipynb_checkpoints, __MACOSX, .DS_Store, ._photo.jpg.

    An underscore hides folders alone: cameras call pictures _MG_0001.JPG.
    """
    return name.startswith((".", "_") if folder else ".")


def is_about(file: Path) -> bool:
    """Whether a file speaks of the data, as a README does, and is none of them."""
    words = re.split(r"[._ -]", file.name.lower())
    return file.stem.lower() in ABOUT or "readme" in words or file.stem.lower().endswith("submission")


def special_kind(path: Path) -> str:
    """What a path is that would never end when it is read: a pipe, a socket, a device; empty for files and folders."""
    mode = path.stat().st_mode
    kinds = {"a pipe": stat.S_ISFIFO, "a socket": stat.S_ISSOCK, "a device": stat.S_ISCHR, "a disk": stat.S_ISBLK}
    return next((kind for kind, holds in kinds.items() if holds(mode)), "")


def subfolders(folder: Path) -> list[str]:
    """Names of the visible folders in it, sorted."""
    try:
        return sorted(
            entry.name for entry in os.scandir(folder) if entry.is_dir() and not hidden(entry.name, folder=True)
        )
    except OSError as error:
        raise _unreadable(error) from error


def only_folders(folder: Path, *, stop: Callable[[str], object]) -> Iterator[Path]:
    """The folder in a folder that holds nothing else to learn from, the one in that, and so on: from the outside in.

    Not further than to one whose name says something, for which `stop` is true.
    """
    for _ in range(MOST_WRAPPINGS if folder.is_dir() else 0):
        names = subfolders(folder)
        if len(names) != 1 or stop(names[0]) or any(_may_be_data(entry) for entry in os.scandir(folder)):
            return
        folder = folder / names[0]
        yield folder


def only_picture_folder(folder: Path, *, stop: Callable[[str], object]) -> Path | None:
    """The folder below one in which all its pictures lie, in several folders; None where that is the folder itself.

    Beside it lie lists and annotations alone, as images/ beside meta/, or Data/ beside ImageSets/.  None also where a
    folder on the way has a name that says something, for which `stop` is true.
    """
    inside = folder
    for _ in range(MOST_WRAPPINGS if folder.is_dir() else 0):
        if any(entry.is_file() and Path(entry.name).suffix.lower() in PICTURES for entry in os.scandir(inside)):
            return None
        names = [name for name in subfolders(inside) if _has_pictures(inside / name)]
        if len(names) > 1:
            return None if inside == folder else inside
        if not names or stop(names[0]):
            return None
        inside = inside / names[0]
    return None


def _has_pictures(folder: Path) -> bool:
    return any(not skipped and Path(name).suffix.lower() in PICTURES for name, skipped in walk(folder, folder))


def _may_be_data(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file that says something, other than the archive that the folder came out of."""
    path = Path(entry.path)
    archive = path.suffix.lower() in ARCHIVES
    return entry.is_file() and not hidden(entry.name) and not is_about(path) and not archive


def _unreadable(error: OSError) -> DataError:
    return DataError(f"{error.filename} cannot be read: {error.strerror}", hint="see who may read it with ls -ld")


@dataclass(slots=True)
class FolderListing:
    """What a folder and everything below it hold."""

    files: list[str] = field(default_factory=list)
    """Paths of the wanted files below `root`, with slashes, sorted."""
    others: Counter[str] = field(default_factory=Counter)
    """Suffixes of everything else with their number; "" stands for files without one."""
    unread: list[str] = field(default_factory=list)
    """Paths of the files below `root` that are meant as data, too, but cannot be read."""
    skipped: list[str] = field(default_factory=list)
    """Hidden folders and files below `root`."""
    kind: FileKind = PICTURE_FILES

    @property
    def remedy(self) -> str:
        """What to do with the files that cannot be read."""
        phones = any(Path(name).suffix.lower() in HEIC for name in self.unread)
        return f"{self.kind.remedy}, or pip install 'edgezoo[heic]' (with libx265, GPL)" if phones else self.kind.remedy

    def add(self, name: str) -> None:
        """Count one visible file."""
        suffix = Path(name).suffix.lower()
        if suffix in self.kind.suffixes:
            self.files.append(name)
        else:
            self.others[suffix] += 1
            if suffix in self.kind.unread:
                self.unread.append(name)


def walk(root: Path, folder: Path) -> Iterator[tuple[str, bool]]:
    """(path below root, whether it is hidden) of every file below `folder`; links are followed, circles are not."""

    def fail(error: OSError) -> None:
        raise _unreadable(error) from error  # os.walk would leave the folder out silently

    seen: set[str] = set()
    for current, folders, files in os.walk(folder, followlinks=True, onerror=fail):
        seen.add(os.path.realpath(current))
        below = Path(current).relative_to(root).as_posix()
        prefix = "" if below == "." else f"{below}/"
        for name in folders:
            if hidden(name, folder=True):
                yield f"{prefix}{name}/", True
        folders[:] = sorted(
            name
            for name in folders
            if not hidden(name, folder=True) and os.path.realpath(Path(current, name)) not in seen
        )
        for name in sorted(files):
            yield prefix + name, hidden(name)


def contents(root: Path, folder: Path, *, kind: FileKind = PICTURE_FILES, limit: int | None = None) -> FolderListing:
    """Everything below `folder`, sorted by kind; with `limit`, only the first so many entries."""
    listing = FolderListing(kind=kind)
    for name, is_hidden in islice(walk(root, folder), limit):
        if is_hidden:
            listing.skipped.append(name)
        else:
            listing.add(name)
    listing.files.sort()
    return listing


def unread_problems(listing: FolderListing) -> list[BadSample]:
    """A problem for every file that is meant as data, but cannot be read."""
    return [
        BadSample(name, f"{Path(name).suffix.lower()} {listing.kind.plural} cannot be read", listing.remedy)
        for name in listing.unread
    ]


def described(others: Counter[str]) -> str:
    """As in "12 .heic, 3 .txt", the most frequent first."""
    return ", ".join(f"{count} {suffix or 'without a suffix'}" for suffix, count in others.most_common(5))


def notes_on(listings: list[FolderListing]) -> list[str]:
    """Sentences on what was left out of a listing."""
    notes: list[str] = []
    skipped = sorted({Path(name).name for listing in listings for name in listing.skipped})
    if skipped:
        shown = ", ".join(skipped[:5]) + (", …" if len(skipped) > 5 else "")
        why = "names that begin with a dot, and folders that begin with an underscore, are not data"
        count = sum(len(listing.skipped) for listing in listings)
        notes.append(DataNote(f"left out {shown}: {why}", kind="left-out", what=shown, items=count))
    others = sum((listing.others for listing in listings), Counter[str]())
    if others:
        plural = listings[0].kind.plural
        message = f"left out {counted(others.total(), 'file')} other than {plural} ({described(others)})"
        notes.append(DataNote(message, kind="left-out", what=described(others), items=others.total()))
    return notes
