"""Data of recordings, from a folder of sound files to a card; for every task that learns from sounds.  Torch-free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zoo.api.data import DataCard, DataNote, DataRequest, DataSource, Split, counted
from zoo.api.errors import BadSample, DataError
from zoo.api.formats import FormatMatch
from zoo.api.task import Progress
from zoo.data.audio.inspect import SOUNDS
from zoo.data.formats.class_folders.checks import check_listing
from zoo.data.formats.class_folders.lists import by_lists
from zoo.data.formats.detect import Formats, built_in_formats, detect_format, read_source
from zoo.data.formats.folders import (
    SOUND_SUFFIXES,
    UNREAD_SOUND_SUFFIXES,
    FileKind,
    described,
    hidden,
    subfolders,
    walk,
)
from zoo.data.formats.parts import find_parts
from zoo.data.formats.samples import FileListing, FileRow, Origins, Sample, fingerprint
from zoo.data.formats.text_files import encoding_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TONES: Final = "tones"
SOUND_FILES: Final = FileKind(
    plural="recordings", suffixes=SOUND_SUFFIXES, unread=UNREAD_SOUND_SUFFIXES, remedy="convert them to wav"
)
MIN_TOTAL_SAMPLES: Final = 4_000
"""Samples that all recordings together must have, so that a model can learn from them."""


def detect(request: DataRequest, *, installed: Formats | None = None) -> DataSource:
    """A folder of recordings, with class folders or without, or the embedded tones; DataError for anything else."""
    formats = installed or built_in_formats("audio-generation")
    return detect_format(request, formats=formats, embedded=(TONES,), nothing=_nothing)


def _nothing(path: Path) -> str:
    return f"{path} is a file, not a folder of wav files" if path.is_file() else f"{path} holds no wav files"


def detect_classes(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder with a folder of recordings for each class."""
    return FormatMatch(location=path) if _has_sounds(path) and (request.format or _has_classes(path, request)) else None


def detect_sounds(path: Path, *, request: DataRequest) -> FormatMatch | None:
    """A folder of recordings that are of no classes."""
    plain = _has_sounds(path) and (request.format or not _has_classes(path, request))
    return FormatMatch(location=path) if plain else None


def list_classes(location: Path, *, request: DataRequest) -> FileListing:
    """Every recording with its class."""
    return _listing(location, request, labelled=True)


def list_sounds(location: Path, *, request: DataRequest) -> FileListing:
    """Every recording."""
    return _listing(location, request, labelled=False)


def _has_sounds(path: Path) -> bool:
    if not path.is_dir():
        return False
    return any(
        Path(name).suffix.lower() in SOUND_SUFFIXES | UNREAD_SOUND_SUFFIXES
        for name, skipped in walk(path, path)
        if not skipped
    )


def check(source: DataSource, *, progress: Progress) -> DataCard:
    """The card of a source, its facts `sample_rate` and `samples` among them; DataError with all that is wrong."""
    if source.format == TONES:
        return _tones_card(source)
    listing: FileListing = read_source(source)
    labelled = any(row.label for row in listing.rows)
    card = check_listing(source, listing, SOUNDS, labelled=labelled, progress=progress)
    samples = card.facts["samples"]
    if isinstance(samples, int) and samples < MIN_TOTAL_SAMPLES:
        raise DataError(
            f"{source.location} holds {counted(samples, 'sample')}; "
            f"a model needs at least {MIN_TOTAL_SAMPLES:,} to learn from",
            hint="add recordings",
        )
    return card


def recording(card: DataCard | None, split: Split, index: int, *, rate: int | None = None) -> npt.NDArray[np.uint8]:
    """The mu-law codes of one recording of a split, uint8 [samples]; without a card, of the embedded tones.

    Resampled to `rate`, or else to that of most recordings of the card.
    """
    from zoo.data.audio.mu_law import to_codes  # noqa: PLC0415  listing tasks needs no numpy
    from zoo.data.audio.read_sound import read_sound, resampled  # noqa: PLC0415  the same
    from zoo.data.embedded import tones  # noqa: PLC0415  the same

    root = card.root or card.source.location if card is not None else None
    if card is None or root is None:
        own, signal = tones.SAMPLE_RATE, tones.tune(split, index)
    else:
        own, signal = read_sound(root / card.splits[split][index].name)
    usual = card.facts["sample_rate"] if card is not None else own
    wanted = rate or (usual if isinstance(usual, int) else own)
    return to_codes(resampled(signal, own, wanted)).astype("uint8")


def rate_notes(card: DataCard, rate: int) -> list[str]:
    """A sentence on the recordings that are resampled to a rate; empty where all have it."""
    usual = card.facts["sample_rate"]
    rates = card.facts.get("rates")
    total = sum(card.counts().values())
    counts = rates if isinstance(rates, dict) else {str(usual): total}
    others = {own: count for own, count in counts.items() if own != str(rate)}
    if not others:
        return []
    changed = sum(count for count in others.values() if isinstance(count, int))
    shown = ", ".join(f"{count:,} of {own} Hz" for own, count in others.items())
    message = f"{changed:,} of {total:,} recordings are resampled to {rate} Hz: {shown}"
    return [DataNote(message, kind="resampled", items=changed)]


def _tones_card(source: DataSource) -> DataCard:
    from zoo.data.embedded import tones  # noqa: PLC0415  listing tasks needs no numpy

    splits: dict[Split, tuple[Sample, ...]] = {
        split: tuple(Sample(f"{split}/{index}", tones.label(index), index, tones.LENGTH) for index in range(count))
        for split, count in tones.COUNTS.items()
    }
    return DataCard(
        source=source,
        splits=splits,
        classes=tones.CLASSES,
        facts={"sample_rate": tones.SAMPLE_RATE, "samples": tones.LENGTH * sum(tones.COUNTS.values())},
        fingerprint=fingerprint(TONES, tones.CLASSES, splits),
    )


def _has_classes(root: Path, request: DataRequest) -> bool:
    """Two or more folders with sounds, in the training folder where there is one, and no sounds beside them."""
    parts = find_parts(root, labelled=True, kind=SOUND_FILES, request=request)
    split = next((folder for name, folder in parts.folders if name in (None, "train")), root)
    beside = any(file.suffix.lower() in SOUND_SUFFIXES for file in split.iterdir() if not hidden(file.name))
    return not beside and sum(_has_sounds(split / name) for name in subfolders(split)) > 1


def _listing(root: Path, request: DataRequest, *, labelled: bool) -> FileListing:
    """Every sound file below `root`; the class is the first folder below the split's."""
    parts = find_parts(root, labelled=labelled, kind=SOUND_FILES, request=request)
    problems: list[BadSample] = [*parts.problems]
    rows: list[FileRow] = []
    others: Counter[str] = Counter()
    for split, folder in parts.folders:
        for name, kind in _files(root, folder):
            inside = (root / name).relative_to(folder).parts
            if kind in UNREAD_SOUND_SUFFIXES:
                problems.append(BadSample(name, f"{kind} files cannot be read", f"ffmpeg -i {inside[-1]} NEW.wav"))
            elif kind not in SOUND_SUFFIXES:
                others[kind] += 1
            elif labelled and len(inside) == 1:
                problems.append(BadSample(name, "it lies outside every class folder", "move it into one"))
            else:
                rows.append(FileRow(name, inside[0] if labelled else "", split))
    notes = list(parts.notes)
    origins: Origins = {}
    if labelled and all(split is None for split, _ in parts.folders):
        divided = by_lists(root, rows, encoding_of(request))
        rows, origins = divided.rows, divided.origins
        notes += divided.notes
        others = others - divided.suffixes
    if others:
        message = f"left out {counted(others.total(), 'file')} other than sounds"
        notes.append(DataNote(message, kind="left-out", what=described(others), items=others.total()))
    return FileListing(root=root, rows=rows, problems=problems, notes=notes, origins=origins)


def _files(root: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """(path below root, suffix) of every visible file below a folder, in the order of names."""
    for name, skipped in sorted(walk(root, folder)):
        if not skipped:
            yield name, Path(name).suffix.lower()
