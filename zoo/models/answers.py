"""From sources to answers that people can read: reading, asking and showing, whoever does the answering."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zoo.api.errors import BadFile, MissingExtra, NetworkError, UsageError, ZooError
from zoo.api.parts import FileItem, Task
from zoo.api.problem import Json, LatentInput, Problem
from zoo.api.task import Case, Shown, Signature
from zoo.api.untrusted import one_line
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.predict import bundle_pipeline
from zoo.data.formats.text_files import check_encoding
from zoo.models.answer_html import answers_html
from zoo.models.inputs.opened import Opener, drawn_often, named, silent
from zoo.models.inputs.source import ResolvedInputs, Source, text_source
from zoo.models.target import BundleTarget, TargetRequest
from zoo.models.variant_port import VariantPort, variant_port
from zoo.registry.catalog import Catalog
from zoo.runs.scratch import ScratchFolder

if TYPE_CHECKING:
    from zoo.api.task import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOptions:
    """How answers are made and shown."""

    limit: int = 5
    """How many ranked answers each shows."""
    settings: Mapping[str, float] = field(default_factory=dict)
    """What the task lets choose, by name: temperature, threshold."""
    text_column: str = ""
    """The column of a table that holds the texts, where its name does not say so."""
    encoding: str = ""
    """What tables and files of text are in, where that is not UTF-8."""
    strict: bool = False
    """Refuse inputs that are larger than any that a bundle was proved with."""


DEFAULT_OPTIONS: Final = AnswerOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Something that answers one raw input at a time, with all that reading and showing need."""

    model: str
    """Full name."""
    task: Task
    problem: Problem
    answer: Callable[[Arrays], Arrays]
    """Inputs of pipeline.onnx by name to its outputs by name."""
    signature: Signature
    """Of that function, with the state that a sequence model carries from step to step."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: checkpoints passed over, another version of the plugin."""
    proved: Mapping[str, int] = field(default_factory=dict)
    """The largest size at which a bundle was proved, by axis name; empty for what is no bundle."""
    variant: VariantPort | None = None
    """Where `answer` is that of a variant for one size or for batches."""
    explain: Callable[[Arrays], bytes] | None = None
    """Inputs of pipeline.onnx to a PNG of where the model looks; None where nobody asked for it."""

    def chosen(self, options: AnswerOptions) -> Answerer:
        """The same with the options that reading and showing look up among the problem's facts."""
        if (options.text_column or options.encoding) and not self.task.tags.reads_text:
            option = "--text-column" if options.text_column else "--encoding"
            raise UsageError(f"{option} is for texts, and {self.model} reads none", hint=f"leave {option} out")
        check_encoding(options.encoding)
        facts: dict[str, Json] = {} if self.task.tags.generative else dict(options.settings)
        columns = {"text_column": options.text_column, "encoding": options.encoding}
        facts |= {name: value for name, value in columns.items() if value}
        return replace(self, problem=replace(self.problem, facts={**self.problem.facts, **facts})) if facts else self

    def read(self, source: Source) -> Sequence[FileItem]:
        """The items of a source; a ZooError where it cannot be read."""
        if source.failure is not None:
            raise source.failure
        if source.arrays is not None:
            return (FileItem(inputs=source.arrays),)
        if source.path is None:
            return (FileItem(inputs=self.task.data.read_text(source.text or "", self.problem)),)
        try:
            return self.task.data.read(source.path, self.problem)
        except BadFile as error:
            raise named(error, source.path, source.name) from error

    def default_sources(self) -> list[Source]:
        """What is answered where nothing is given, by the task's own choice."""
        texts = self.task.answers.prompts(self.problem) if self.task.tags.unconditional else ()
        return [text_source(text) for text in texts]

    def respond(self, inputs: Arrays, settings: Mapping[str, float] = MappingProxyType({})) -> Arrays:
        """The task's answer to one item, in one run or, where the task says so, in many."""
        arrays = {**inputs, **self.signature.initial_state()}
        if self.task.tags.generative:
            chosen = {**self.task.tags.settings, **settings}
            return self.task.answers.generate(self.answer, arrays, self.signature.feedback, self.problem, chosen)
        if isinstance(self.problem.input, LatentInput):
            return in_chunks(self.answer, arrays)
        return self.answer(arrays)

    def beyond_proof(self, inputs: Arrays) -> str:
        """How an input is larger than any that the bundle was proved with, in a sentence; empty where it is not."""
        ports = [port for port in self.signature.inputs if port.name in inputs]
        axes = {axis for port in ports for axis in zip(port.shape, inputs[port.name].shape, strict=False)}
        larger = sorted((str(name), size) for name, size in axes if size > self.proved.get(str(name), size))
        sizes = [
            f"its {name} is {size:,}, and this bundle was proved up to {self.proved[name]:,}" for name, size in larger
        ]
        return "; ".join(sizes)


def in_chunks(answer: Callable[[Arrays], Arrays], inputs: Arrays, *, size: int = 64) -> Arrays:
    """The answer to rows, so many at a time: a thousand latents need no more memory than a few."""
    import numpy as np  # noqa: PLC0415  listing needs none

    rows = max(len(value) for value in inputs.values())
    if rows <= size:
        return answer(inputs)
    starts = range(0, rows, size)
    parts = [answer({name: value[start : start + size] for name, value in inputs.items()}) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


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


def chosen_settings(task: Task, texts: Sequence[str]) -> dict[str, float]:
    """Settings of an answer from "name=value"; UsageError for a name that the task does not have, or no number."""
    known = task.tags.settings
    chosen = {}
    for text in texts:
        name, _, value = text.partition("=")
        check_setting(task, name)
        try:
            chosen[name] = float(value)
        except ValueError:
            raise UsageError(f"{text!r} is no number", hint=f"as in {name}={known[name]:g}") from None
    return chosen


def named_settings(
    task: Task, settings: Mapping[str, float], *, threshold: float | None = None, seed: int | None = None
) -> dict[str, float]:
    """Settings by name, with those that have an option of their own; UsageError for what is wrong with one."""
    chosen = dict(settings)
    if threshold is not None:
        chosen["threshold"] = threshold
    if seed is not None and task.tags.generative:
        chosen["seed"] = seed
    for name, value in chosen.items():
        check_setting(task, name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise UsageError(f"the setting {name} is {value!r}, which is no number")
    if not 0 <= chosen.get("threshold", 0) <= 1:
        raise UsageError(f"the threshold is {chosen['threshold']:g}; it must be from 0 to 1")
    return chosen


def check_strict(request: TargetRequest, *, strict: bool) -> None:
    """UsageError where only proved sizes are to be answered, by what is no bundle and has none."""
    if strict and not isinstance(request.target, BundleTarget):
        raise UsageError(
            "--strict refuses inputs larger than those that a bundle was proved with, and this is no bundle",
            hint="leave --strict away, or export the model first: zoo export --onnx",
        )


def check_setting(task: Task, name: str) -> None:
    """UsageError for a setting that answers of the task do not have."""
    known = task.tags.settings
    if name not in known:
        has = f"it has {', '.join(known)}" if known else "it has none"
        raise UsageError(f"answers of the task {task.name} have no setting {name!r}", hint=has)


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


@contextmanager
def bundle_answerer(
    bundle: Path, catalog: Catalog, *, variant: str = "", batch_size: int | None = None
) -> Iterator[Answerer]:
    """A bundle's pipeline.onnx in a sandboxed process, read and shown by the installed task; needs no torch.

    `variant` names one of the bundle's.  With `batch_size` up to so many items of equal shapes go through its variant
    for batches together; UsageError where it has none.
    """
    opened = Bundle.open(bundle)
    manifest = opened.manifest
    port = variant_port(manifest, variant, batch_size)
    variant = variant if port is None else port.record["name"]
    task = catalog.make_task(manifest.task)
    with bundle_pipeline(opened, variant=variant) as answer:
        yield Answerer(
            model=manifest.model,
            task=task,
            problem=manifest.problem,
            answer=answer,
            signature=manifest.pipeline_signature,
            proved=manifest.proved,
            variant=port,
        )
