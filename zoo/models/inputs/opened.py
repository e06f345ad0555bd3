"""From what was given to sources, one after the other; copies go into a scratch folder and are gone at the next one."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from zoo.api.errors import BadFile, MissingExtra, NetworkError, ZooError
from zoo.api.problem import ImageInput, Input, LatentInput, Problem
from zoo.models.inputs.archive import archive_files
from zoo.models.inputs.fetch import FetchLimits, fetch_file
from zoo.models.inputs.kinds import VIDEOS, file_kind
from zoo.models.inputs.source import (
    GivenAddress,
    GivenFile,
    GivenLatents,
    GivenStream,
    GivenText,
    GivenValue,
    NamedInput,
    Source,
    file_source,
    text_source,
)
from zoo.models.inputs.video import check_video_reader, video_frames

if TYPE_CHECKING:
    from zoo.api.task import Arrays

STREAM_BYTES: Final = 200_000_000
"""The most that standard input may hold."""


def silent(_: str) -> None:
    """A note that nobody reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """How given things are opened for one model."""

    problem: Problem
    folder: Path
    """For copies; empty, and removed by whoever made it."""
    latent: str = "latent"
    """The name of the pipeline's input that latents are for."""
    every: int = 1
    """Of so many frames of a video the first is answered."""
    note: Callable[[str], None] = silent
    """Called with what was left out of an archive."""
    limits: FetchLimits | None = None
    """What an address may cost; None stands for the usual."""

    def sources(self, given: Iterable[NamedInput]) -> Iterator[Source]:
        """Every source; what cannot be opened is one with its failure, and stops nobody."""
        for entry in given:
            name = _name(entry)
            try:
                yield from self._opened(entry)
            except (BadFile, NetworkError, MissingExtra) as error:
                yield Source(name=name, failure=error)

    def _opened(self, entry: NamedInput) -> Iterator[Source]:
        match entry:
            case GivenText(text=text):
                yield text_source(text)
            case GivenFile(path=path):
                yield from self._file(path, path)
            case GivenAddress(url=url):
                yield from self._copied(url, lambda: fetch_file(url, self.folder, limits=self.limits))
            case GivenStream(stream=stream):
                yield from self._copied("-", lambda: self._received(stream))
            case GivenLatents(count=count, seed=seed):
                yield Source(name=f"seed {seed}", arrays=self._latents(count, seed))
            case GivenValue(value=value, name=name):
                yield from self._value(value, name)

    def _copied(self, name: str, copy: Callable[[], Path]) -> Iterator[Source]:
        """The sources of a file that is not there under its own name."""
        path = copy()
        try:
            yield from self._file(path, name)
        finally:
            path.unlink(missing_ok=True)

    def _file(self, path: Path, name: Path | str) -> Iterator[Source]:
        kind = file_kind(self.problem.input)
        if kind is not None and _is_archive(path):
            yield from self._archive(path, name)
        elif isinstance(self.problem.input, ImageInput) and path.suffix.lower() in VIDEOS:
            yield from self._video(path, name)
        else:
            yield replace(file_source(path), name=name)

    def _archive(self, path: Path, name: Path | str) -> Iterator[Source]:
        kind = file_kind(self.problem.input)
        assert kind is not None, "only models whose files are known read archives"

        def note(sentence: str) -> None:
            self.note(sentence.replace(str(path), str(name)))

        try:
            for inner, file in archive_files(path, self.folder, kind, note=note):
                shown = f"{name}/{inner}"
                if isinstance(file, BadFile):
                    yield Source(name=_as(name, shown), failure=file)
                else:
                    yield Source(name=_as(name, shown), path=file)
        except BadFile as error:
            raise named(error, path, name) from error

    def _video(self, path: Path, name: Path | str) -> Iterator[Source]:
        check_video_reader(name)
        frame = self.folder / "frame.bmp"  # written and read faster than any other kind
        try:
            for number, picture in video_frames(path, every=self.every):
                picture.convert("RGB").save(frame)
                yield Source(name=name, path=frame, item=f"frame {number}")
        except BadFile as error:
            raise named(error, path, name) from error
        finally:
            frame.unlink(missing_ok=True)

    def _received(self, stream: BinaryIO) -> Path:
        """Standard input as a file; UsageError where there is nothing in it, or more than a file may hold."""
        data = stream.read(STREAM_BYTES + 1)
        if not data:
            raise BadFile("standard input (-) is empty", hint="pipe a file into zoo predict TARGET -")
        if len(data) > STREAM_BYTES:
            raise BadFile(f"standard input (-) holds more than {STREAM_BYTES / 1e6:,.0f} MB", hint="name a file")
        path = self.folder / f"input{_suffix_of_stream(self.problem.input)}"
        path.write_bytes(data)
        return path

    def _latents(self, count: int, seed: int) -> Arrays:
        import numpy as np  # noqa: PLC0415  listing needs none

        assert isinstance(self.problem.input, LatentInput), "only models with latents are given some"
        drawn = np.random.default_rng(seed).standard_normal((count, self.problem.latent_size), np.float32)
        return {self.latent: drawn}

    def _value(self, value: object, name: str) -> Iterator[Source]:
        from zoo.models.inputs.in_memory import value_files  # noqa: PLC0415  Pillow

        columns = self.problem.facts.get("columns")
        names = [str(column) for column in columns] if isinstance(columns, list) else []
        for item, path in value_files(value, self.folder, self.problem.input, columns=names):
            yield Source(name=name, path=path, item=item)
            path.unlink(missing_ok=True)


def named(error: ZooError, path: Path, name: Path | str) -> BadFile:
    """The error with the name that the user knows instead of that of a copy."""
    return BadFile(error.message.replace(str(path), str(name)), hint=error.hint)


def drawn_often(sources: Iterable[Source], count: int) -> Iterator[Source]:
    """Each source so many times, each time to be answered from a seed of its own."""
    for source in sources:
        for sample in range(count):
            item = ", ".join(part for part in (source.item, f"sample {sample + 1}") if part)
            yield replace(source, sample=sample, item=item if count > 1 else source.item)


def _is_archive(path: Path) -> bool:
    """By its suffix; what came without one, by its contents."""
    return path.suffix.lower() == ".zip" or (not path.suffix and zipfile.is_zipfile(path))


def _suffix_of_stream(input: Input) -> str:
    """Files that are told apart by their suffix get that of the plainest kind."""
    kind = file_kind(input)
    return {"texts": ".txt", "tables": ".csv", "recordings": ".wav", "latents": ".npy"}.get(
        kind.plural if kind else "", ""
    )


def _as(name: Path | str, text: str) -> Path | str:
    """The text as a path where the name is one."""
    return Path(text) if isinstance(name, Path) else text


def _name(entry: NamedInput) -> Path | str:
    match entry:
        case GivenFile(path=path):
            return path
        case GivenText(text=text):
            return text
        case GivenAddress(url=url):
            return url
        case GivenValue(name=name):
            return name
        case _:
            return "-"
