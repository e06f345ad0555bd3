"""From sources to answers that people can read: reading, asking and showing, whoever does the answering."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.errors import BadFile, MissingExtra, NetworkError, ZooError
from zoo.api.parts import FileItem
from zoo.api.problem import Json
from zoo.api.task import Case, Shown
from zoo.api.untrusted import one_line
from zoo.models.answer_html import answers_html
from zoo.models.answerer import DEFAULT_OPTIONS, Answerer, AnswerOptions
from zoo.models.inputs.opened import Opener, drawn_often, silent
from zoo.models.inputs.source import ResolvedInputs, Source
from zoo.models.variant_port import VariantPort
from zoo.runs.scratch import ScratchFolder

if TYPE_CHECKING:
    from zoo.api.task import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one item of a file, or why there is none.

    Examples:
        >>> (answer,) = zoo.predict("cnn@digits", "seven.png")
        >>> answer.title, answer.failure
        ('seven.png', None)
    """

    file: Path | str
    """A path, an address, or photos.zip/a.png; a text given in words is itself."""
    is_text: bool = False
    """Whether it is a text given in words."""
    shown: Shown | None = None
    """The answer for people; None where there is none."""
    item: str = ""
    """Which item of the file it is, where a file may hold many."""
    failure: ZooError | None = None
    """Why it cannot be read."""
    warning: str = ""
    """How the input is larger than any that the bundle was proved with; empty where it is not."""
    arrays: Arrays | None = None
    """The answer itself, kept where the task compares answers."""

    @property
    def title(self) -> str:
        """The file, or which item of it: rows.csv, row 3."""
        name = str(self.file) or '""'
        return f"{name}, {self.item}" if self.item else name

    @property
    def unreadable(self) -> str:
        """Why it cannot be read, as a sentence; empty where it was answered."""
        return self.failure.message if self.failure is not None else ""

    @property
    def origin(self) -> dict[str, Json]:
        """The file or the text, and which item of it, for machines."""
        kind = "text" if self.is_text else "file"
        return {kind: str(self.file), **({"item": self.item} if self.item else {})}

    def record(self) -> dict[str, Json]:
        """The same for machines."""
        if self.shown is None:
            return {**self.origin, "unreadable": self.unreadable}
        return {**self.origin, **self.shown.record, **({"warning": self.warning} if self.warning else {})}

    def rows(self) -> list[dict[str, Json]]:
        """The rows of a table: one for each thing found, or one for the whole answer."""
        if self.shown is None or self.shown.rows is None:
            return [self.record()]
        return [{**self.origin, **row} for row in self.shown.rows or ({},)]

    def _repr_html_(self) -> str:
        return answers_html([(self.title, self.shown, self.unreadable)])


def answers(
    answerer: Answerer, sources: Iterable[Source], options: AnswerOptions = DEFAULT_OPTIONS
) -> Iterator[Answer]:
    """One answer per item, source by source; one that cannot be read gets its reason and stops nobody."""
    answerer = answerer.chosen(options)
    entries = _entries(answerer, sources, options)
    if answerer.variant is not None and answerer.variant.batch_size:
        yield from _in_batches(answerer, answerer.variant, entries, options)
        return
    for entry in entries:
        yield entry if isinstance(entry, Answer) else _answered(answerer, entry, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An item that was read."""

    answer: Answer
    """What is known before it is answered."""
    item: FileItem
    sample: int
    beyond: str
    """How it is larger than any that the bundle was proved with."""


def _entries(answerer: Answerer, sources: Iterable[Source], options: AnswerOptions) -> Iterator[Answer | _Entry]:
    """Every item, or why it is not answered."""
    for source in sources:
        unanswered = Answer(file=source.name, is_text=source.text is not None, item=source.item)
        try:
            items = answerer.read(source)
        except (BadFile, NetworkError, MissingExtra) as error:
            yield replace(unanswered, failure=error)
            continue
        for item in items:
            name = ", ".join(part for part in (item.name, source.item) if part)
            entry = replace(unanswered, item=name)
            if item.unreadable:
                yield replace(entry, failure=_unreadable(item, source))
            else:
                yield _checked(answerer, entry, item, source.sample, options)


def _checked(answerer: Answerer, entry: Answer, item: FileItem, sample: int, options: AnswerOptions) -> Answer | _Entry:
    """The item, or why it is not answered: it is larger than was proved, or not of the size of the variant."""
    beyond = answerer.beyond_proof(item.inputs)
    if beyond and options.strict:
        hint = "give a smaller one, or leave --strict away"
        return replace(entry, failure=BadFile(f"{entry.title} is not answered: {beyond}", hint=hint))
    if answerer.variant is not None and (wrong := answerer.variant.unlike(item.inputs)):
        return replace(entry, failure=BadFile(f"{entry.title} is not answered: {wrong}"))
    return _Entry(answer=entry, item=item, sample=sample, beyond=beyond)


def _in_batches(
    answerer: Answerer, variant: VariantPort, entries: Iterator[Answer | _Entry], options: AnswerOptions
) -> Iterator[Answer]:
    """The same answers in the same order, items of equal shapes together."""
    from zoo.bundle.runtime.bundled_variant import in_batches  # noqa: PLC0415  imports numpy

    pending = deque[Answer | _Entry]()

    def feeds() -> Iterator[tuple[str, Arrays]]:
        for entry in entries:
            pending.append(entry)
            if isinstance(entry, _Entry):
                yield "", entry.item.inputs

    for _, given in in_batches(answerer.answer, feeds(), variant.names, variant.batch_size):
        while isinstance(entry := pending.popleft(), Answer):
            yield entry
        yield _shown(answerer, entry, given, options)
    yield from (entry for entry in pending if isinstance(entry, Answer))


@contextmanager
def opened_sources(
    answerer: Answerer,
    resolved: ResolvedInputs,
    *,
    samples: int | None = None,
    every: int = 1,
    note: Callable[[str], None] = silent,
) -> Iterator[Iterator[Source]]:
    """The sources of what was given, else those that the task chooses; copies are removed in the end."""
    with ScratchFolder.make() as scratch:
        latent = answerer.signature.inputs[0].name
        opener = Opener(problem=answerer.problem, folder=scratch.path, latent=latent, every=every, note=note)
        sources = opener.sources(resolved.given) if resolved.given else iter(answerer.default_sources())
        generative = answerer.task.tags.generative
        yield drawn_often(sources, samples) if generative and samples else sources


def _unreadable(item: FileItem, source: Source) -> BadFile:
    """Why an item cannot be read, with the name that the user knows instead of that of a copy."""
    copy = source.path.name if source.path is not None else ""
    known = str(source.name).rpartition("/")[2]
    return BadFile(item.unreadable.replace(copy, known, 1) if copy else item.unreadable)


def _answered(answerer: Answerer, entry: _Entry, options: AnswerOptions) -> Answer:
    """The answer to one item that was read."""
    settings = dict(options.settings)
    if entry.sample:
        settings["seed"] = settings.get("seed", answerer.task.tags.settings.get("seed", 0)) + entry.sample
    try:
        answer = answerer.respond(entry.item.inputs, settings)
    except ZooError as error:
        if not entry.beyond:
            raise
        words = f"{entry.answer.title} is not answered: {entry.beyond}; {error.message}"
        return replace(entry.answer, failure=BadFile(words, hint="give a smaller one"))
    return _shown(answerer, entry, answer, options)


def _shown(answerer: Answerer, entry: _Entry, answer: Arrays, options: AnswerOptions) -> Answer:
    """An answer with what people see of it."""
    known, inputs = entry.answer, entry.item.inputs
    short = known.file if isinstance(known.file, str) else known.file.name
    name = f"{short}, {known.item}" if known.item else short
    case = Case(name=name, kind="file", inputs=inputs, origin=known.title)
    shown = _show(answerer, case, answer, limit=options.limit)
    if answerer.explain is not None:
        shown = replace(shown, files={**shown.files, "-explained.png": answerer.explain(inputs)})
    return replace(known, shown=shown, warning=entry.beyond, arrays=answer if answerer.task.tags.pairwise else None)


def _show(answerer: Answerer, case: Case, answer: Arrays, *, limit: int) -> Shown:
    """What people see; a name in the text cannot pose as another line, and records keep it as it is."""
    problem, show = answerer.problem, answerer.task.answers.show
    shown = show(case, answer, problem, limit=limit)
    names = (case.name, *problem.classes)
    name, *classes = map(one_line, names)
    if (name, *classes) == names:
        return shown
    harmless = show(replace(case, name=name), answer, replace(problem, classes=tuple(classes)), limit=limit)
    return replace(shown, text=harmless.text)


def compared(answerer: Answerer, given: Iterable[Answer], *, limit: int = 5) -> Shown | None:
    """What follows from several answers together, where the task compares them; None of fewer than two."""
    known = [(answer.title, answer.arrays) for answer in given if answer.arrays is not None]
    if not answerer.task.tags.pairwise or len(known) < 2:
        return None
    names, arrays = zip(*known, strict=True)
    return answerer.task.answers.compare(names, arrays, answerer.problem, limit=limit)
