"""Which format a source is kept in: every format is asked, and what can be read in two ways is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

from zoo.api.data import DataRequest, DataSource
from zoo.api.errors import DataError, UsageError
from zoo.api.formats import FormatMatch, FormatSpec
from zoo.data.formats.built_in import BUILT_IN_FORMATS
from zoo.data.formats.containers import advice_for, container_in, described
from zoo.data.formats.folders import only_folders, only_picture_folder
from zoo.data.formats.named_path import named_path
from zoo.data.formats.other_tools import refuse_other_tools
from zoo.data.formats.split_names import exact_split
from zoo.data.formats.text_files import check_encoding
from zoo.registry.references import resolve

T = TypeVar("T", bound="FormatReader")
Formats = Mapping[str, FormatSpec]
"""By the names that --format calls them."""


class FormatReader:
    """A part `data` that reads the formats of its task: zoo's own, or, from a catalogue, those of every plugin."""

    installed: ClassVar[Formats] = {}

    def with_formats(self: T, formats: Formats) -> T:
        """The same part that knows these formats."""
        part = copy(self)
        vars(part)["installed"] = dict(formats)
        return part


class Detect(Protocol):
    """`FormatSpec.detect`."""

    def __call__(self, path: Path, *, request: DataRequest) -> FormatMatch | None:
        """The match, where the path holds data of the format."""


class Read(Protocol):
    """`FormatSpec.read`."""

    def __call__(self, location: Path, *, request: DataRequest) -> Any:
        """Everything that the source names."""


def built_in_formats(task: str) -> dict[str, FormatSpec]:
    """The formats that zoo itself reads for one of its tasks."""
    return {spec.name: spec for spec in BUILT_IN_FORMATS if task in spec.tasks}


def detect_format(
    request: DataRequest,
    *,
    formats: Formats,
    embedded: Sequence[str],
    nothing: Callable[[Path], str],
    also: Sequence[str] = (),
) -> DataSource:
    """The source in the only format that matches it.

    DataError where several do, and where none does: with the reason of the first format that knows one, else with
    what `nothing` says about the path; `also` is accepted beside the formats.  UsageError where --format names a
    format that does not match.
    """
    if request.source in embedded:
        refuse_options(request, what=f"{request.source} is embedded data with splits of its own", ratios=False)
        return DataSource(request=request, format=request.source)
    check_encoding(request.encoding)
    accepted = _accepted([*_summaries(formats), *also, *(f"the embedded {name}" for name in embedded)])
    path = named_path(request, accepted=accepted)
    if request.format and request.format not in formats:
        raise UsageError(f"--format {request.format} is none of this task", hint=f"it reads {', '.join(formats)}")
    asked = {request.format: formats[request.format]} if request.format else formats
    matches, refusals = matching(path, request, asked)
    notes: tuple[str, ...] = ()
    if not matches and not request.train and (inner := _matching_inside(path, request, asked)):
        where = inner.path.relative_to(path).as_posix()
        notes = (f"{where}/ is read: {inner.why} in {path.name}{inner.left}",)
        path, matches = inner.path, inner.matches
    sure = {name: match for name, match in matches.items() if match.sure} or matches
    if len(sure) > 1:
        names = list(sure)
        raise DataError(
            f"{path} can be read as {' and as '.join(names)}", hint=f"say which counts: --format {names[0]}"
        )
    for name, match in sure.items():
        spec = formats[name]
        what = f"{path} is read as {name}"
        refuse_options(
            request,
            what=what,
            parts=spec.has_parts,
            columns=spec.has_columns,
            encoding=spec.has_encoding,
            format=True,
        )
        return DataSource(
            request=request, format=name, location=match.location, read=spec.read, notes=notes, sure=match.sure
        )
    refuse_other_tools(path)
    for error in refusals.values():
        raise (
            error
            if error.hint
            else DataError(error.message, problems=error.problems, hint=_container_hint(path) or accepted)
        )
    if request.format:
        others, _ = matching(path, replace(request, format=""), formats)
        raise UsageError(
            f"--format {request.format}: {path} is no such data", hint=f"it may be {', '.join(others) or 'none'}"
        )
    raise _nothing_known(path, nothing, accepted)


@dataclass(frozen=True, slots=True)
class Inside:
    """A folder below the one that was named, and the formats that match it."""

    path: Path
    matches: dict[str, FormatMatch]
    why: str
    """Why it is read, as in "the only folder"."""
    left: str = ""
    """What is said of the files and folders beside it."""


def _matching_inside(path: Path, request: DataRequest, formats: Formats) -> Inside | None:
    """The folder that a format matches, alone in the one above it or the only one with pictures; else None."""
    for inside in only_folders(path, stop=exact_split):
        matches, _ = matching(inside, request, formats)
        if matches:
            return Inside(inside, matches, "the only folder")
    inside_pictures = only_picture_folder(path, stop=exact_split)
    if inside_pictures is not None:
        refuse_other_tools(path)
        matches, _ = matching(inside_pictures, request, formats)
        if matches:
            beside = [entry.name for entry in sorted(path.iterdir()) if entry.name not in inside_pictures.parts]
            left = f"; beside it lie {', '.join(beside[:5])}{', …' if len(beside) > 5 else ''}" if beside else ""
            return Inside(inside_pictures, matches, "the only folder with pictures", left)
    return None


def _container_hint(path: Path) -> str:
    file = container_in(path)
    return f"{described(file)}: {advice_for(file)}" if file else ""


def _nothing_known(path: Path, nothing: Callable[[Path], str], accepted: str) -> DataError:
    """The error for a path that no format matches; for data in one piece, with what to do with it."""
    file = container_in(path)
    if file is None:
        return DataError(nothing(path), hint=accepted)
    if file == path:
        return DataError(f"{described(file)}: {advice_for(file)}", hint=accepted)
    return DataError(nothing(path), hint=_container_hint(path))


def refuse_options(
    request: DataRequest,
    *,
    what: str,
    ratios: bool = True,
    parts: bool = False,
    columns: bool = False,
    encoding: bool = False,
    format: bool = False,
) -> None:
    """UsageError for the first option of the request that nothing would read; those that are True may be given."""
    given = {
        "--ratios": not ratios and request.ratios,
        "--train": not parts and request.train,
        "--val": not parts and request.validation,
        "--test": not parts and request.test,
        "--text-column": not columns and request.text_column,
        "--label-column": not columns and request.label_column,
        "--encoding": not encoding and request.encoding,
        "--format": not format and request.format,
    }
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} does not apply: {what}", hint=f"leave {option} out")


def matching(path: Path, request: DataRequest, formats: Formats) -> tuple[dict[str, FormatMatch], dict[str, DataError]]:
    """The formats that can read a path, and those that know it but refuse it, with the error."""
    matches: dict[str, FormatMatch] = {}
    refusals: dict[str, DataError] = {}
    for name, spec in formats.items():
        detect = cast("Detect", resolve(spec.detect))
        try:
            match = detect(path, request=request)
        except DataError as error:
            refusals[name] = error
            continue
        if match is not None:
            matches[name] = match
    return matches, refusals


def _summaries(formats: Formats) -> list[str]:
    return [spec.summary or name for name, spec in formats.items()]


def _accepted(kinds: Sequence[str]) -> str:
    """One sentence with everything that a task takes."""
    return f"accepted are {'; '.join(kinds)}"


def read_source(source: DataSource) -> Any:
    """Everything that a source names, as the reader of its format gives it."""
    if source.location is None or not source.read:
        raise ValueError(f"a source of format {source.format} needs a location and a reader")
    read = cast("Read", resolve(source.read))
    return read(source.location, request=source.request)
