"""`zoo data`: what zoo understands of data, a page of samples, and the same data in another format."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.errors import BadFile, DataError, OutputExists, UsageError, ZooError
from zoo.api.parts import Task
from zoo.api.specs import ModelSpec
from zoo.cli.dry_run import estimate_lines
from zoo.cli.terminal.lazy import Entry, LazyGroup
from zoo.cli.terminal.options import json_option, option
from zoo.cli.terminal.output import Output
from zoo.cli.terminal.progress import watching
from zoo.data.infer_task import infer_task
from zoo.data.summary import failed_summary, summarise_for
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo.runs.atomic import write_bytes, write_directory
from zoo.runs.option_words import read_ratios
from zoo.runs.train_options import TRAIN_OPTIONS, TrainOptions, command_words
from zoo.training.launch.request import resolve_training, suit_to_data

F = TypeVar("F", bound=Callable[..., Any])
READING = (
    "data_root",
    "train",
    "validation",
    "test",
    "ratios",
    "format",
    "text_column",
    "label_column",
    "encoding",
    "on_bad_sample",
)
"""The options of a training that say how data are read."""
SEEN = ("model", "input_size", "augment.flip")
"""What of a training's choices changes the look of its samples."""
Write = Callable[[DataCard, Path], list[str]]
"""`FormatSpec.write`."""
COMMANDS: Mapping[str, Entry] = {
    "check": Entry("zoo.cli.data.data:check", "What zoo understands of data, and what is wrong with them."),
    "show": Entry("zoo.cli.data.data:show", "A page of samples as a model will see them.", torch=True),
    "convert": Entry("zoo.cli.data.data:convert", "The same data in another format."),
    "cache": Entry("zoo.cli.data.cache:cache", "The resized pictures that are kept, and making room."),
}


@click.group("data", cls=LazyGroup, table=COMMANDS)
def data() -> None:
    """Look at data before anything is trained on them."""


def source_options(command: F) -> F:
    """SOURCE, --task, --model, and the options that say how data are read."""
    for row in reversed([row for row in TRAIN_OPTIONS if row.name in READING]):
        command = option(row)(command)
    command = click.option("--model", help="Read them as this model would.")(command)
    command = click.option("--task", help="Read them for this task.")(command)
    return click.argument("source")(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose data a source is taken for."""

    request: DataRequest
    task: Task
    source: DataSource
    model: RegistryEntry[ModelSpec] | None = None
    name: str = ""
    """What the user called the model; the data may decide among the members of a family."""
    note: str = ""
    """How the task was chosen, where nobody named it."""


def asked(source: str, task: str | None, model: str | None, chosen: Mapping[str, Any], catalog: Catalog) -> Asked:
    """The task of a model, the one that is named, or the one whose format the source is kept in."""
    request = _request(source, chosen)
    if model is not None:
        entry = catalog.usable_model(model)
        if task is not None and catalog.task(task).full_name != catalog.task(entry.spec.task).full_name:
            raise UsageError(f"{model} is for {entry.spec.task}, not for {task}", hint="leave out --task")
        made = catalog.make_task(entry.spec.task)
        return Asked(request=request, task=made, source=made.data.detect(request), model=entry, name=model)
    note = ""
    if task is None:
        inferred = infer_task(request, catalog)
        others = f" (or, with --task: {', '.join(inferred.others)})" if inferred.others else ""
        task, note = inferred.task, f"read for {inferred.task}{others}"
    made = catalog.make_task(task)
    return Asked(request=request, task=made, source=made.data.detect(request), note=note)


def _request(source: str, chosen: Mapping[str, Any]) -> DataRequest:
    given = {name: value for name, value in chosen.items() if value and name not in ("ratios", "data_root")}
    ratios = read_ratios(chosen["ratios"]) if chosen.get("ratios") else None
    return DataRequest(source=source, root=chosen.get("data_root"), ratios=ratios, **given)


def checked(question: Asked) -> DataCard:
    """The card of the data, with a progress line."""
    with watching() as progress:
        return question.task.data.check(question.source, progress=progress)


@click.command("check")
@source_options
@json_option
def check(*, source: str, task: str | None, model: str | None, as_json: bool, **chosen: Any) -> None:
    """Say what zoo understands of SOURCE, a path or the name of embedded data; exit 2 where something is wrong."""
    out, catalog, question = Output(as_json=as_json), Catalog.discover(), None
    try:
        question = asked(source, task, model, chosen, catalog)
        input = question.model.spec.input if question.model else None
        card = checked(question)
        summary = summarise_for(question.task, card, input)
    except (DataError, BadFile) as error:
        if not as_json:
            raise
        format = question.source.format if question else chosen["format"] or ""
        name = question.task.name if question else _task_name(task, model, catalog)
        out.document(failed_summary(error, source=source, task=name, format=format).document())
        click.get_current_context().exit(error.exit_code)
    out.note(question.note)
    out.document(summary.document())
    for line in summary.lines():
        out.line(line)
    for line in _estimate(question, card, chosen, catalog) if not as_json else ():
        out.line(line)
    out.next(_next(question, chosen))


def _task_name(task: str | None, model: str | None, catalog: Catalog) -> str:
    """The task as far as it was named."""
    return catalog.model(model).spec.task if model else task or ""


def _estimate(question: Asked, card: DataCard, chosen: Mapping[str, Any], catalog: Catalog) -> Iterator[str]:
    """The time and the disk that a training of the model takes, from one step of it; why, where nothing is known."""
    if question.model is None:
        yield "the time and the disk depend on the model: --model MODEL estimates them"
        return
    try:
        options = TrainOptions(data=question.request.source, **chosen)
        request = suit_to_data(resolve_training(question.name, options, catalog=catalog), card)
        from zoo.training.launch.start import dry_run  # noqa: PLC0415  torch, to measure a step

        yield from estimate_lines(dry_run(request, card, say=lambda _: None))
    except ZooError as error:
        yield f"no estimate of time and disk: {error.message}"


def _next(question: Asked, chosen: Mapping[str, Any]) -> str:
    """The training of the data, with the options that they were read with."""
    words = command_words(TrainOptions(data=question.request.source, **chosen))
    return " ".join(["zoo train", shlex.quote(question.name) if question.name else "MODEL", *words])


@click.command("show")
@source_options
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The page to write: FILE.html.")
@click.option("--samples", type=click.IntRange(1, 500), default=12, show_default=True, help="Of each split.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
def show(
    *, source: str, task: str | None, model: str | None, output: Path, samples: int, overwrite: bool, **chosen: Any
) -> None:
    """Write a page of samples of SOURCE as a model will see them, augmentation off and on."""
    if output.is_dir() or (output.exists() and not overwrite):
        raise OutputExists(f"{output} exists already", hint="choose another file with -o, or say --overwrite")
    out, catalog = Output(), Catalog.discover()
    question = asked(source, task, model, chosen, catalog)
    out.note(question.note)
    card = checked(question)
    from zoo.cli.data.sample_page import Shown, sample_page  # noqa: PLC0415  torch, after all that can go wrong without it

    name = question.name or _smallest_model(question.task.name, catalog).bare_name
    training = resolve_training(name, TrainOptions(data=source, **chosen), catalog=catalog)
    training = suit_to_data(training, card)
    config = training.config  # the member of a family, the size and the augmentation that a training takes
    shown = Shown(
        task=question.task,
        card=card,
        problem=question.task.problem(card, config.input),
        augment=config.recipe.augment,
        model=training.entry.bare_name,
        summary=summarise_for(question.task, card, config.input),
    )
    page = sample_page(shown, samples=samples)
    write_bytes(output, page.encode(errors="backslashreplace"))  # file names may not be valid UTF-8
    out.line(f"page: {output}")
    for choice in config.choices:
        if choice.name in SEEN:
            out.line(f"{choice.name} {choice.value}: {choice.reason}")
    out.next(_next(replace(question, name=name), chosen))


def _smallest_model(task: str, catalog: Catalog) -> RegistryEntry[ModelSpec]:
    """The model that is named where nobody names one; UsageError where the task has none that can be built."""
    models = [
        entry for entry in catalog.models(task=task) if not catalog.missing(entry) and not entry.spec.from_weights
    ]
    if not models:
        raise UsageError(f"no model for {task} is installed", hint="see `zoo list`")
    return min(models, key=lambda entry: (entry.spec.parameters or 2**62, entry.full_name))


@click.command("convert")
@source_options
@click.option("--to", "target", required=True, help="The format to write.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write; a new one.")
def convert(*, source: str, task: str | None, model: str | None, target: str, output: Path, **chosen: Any) -> None:
    """Write the data of SOURCE in another format of their task, divided as they would be for a training."""
    out, catalog = Output(), Catalog.discover()
    question = asked(source, task, model, chosen, catalog)
    out.note(question.note)
    formats = {entry.bare_name: entry for entry in catalog.formats(question.task.name) if entry.spec.write}
    if target not in formats:
        known = f"{question.task.name} is written as {', '.join(formats)}" if formats else "it is only read"
        raise UsageError(f"--to {target}: no data of {question.task.name} can be written so", hint=known)
    if output.exists():
        raise OutputExists(f"{output} exists already", hint="choose another folder with -o")
    card = checked(question)
    write = cast(
        "Callable[[DataCard, Path], list[str]]", catalog.load(formats[target], str(formats[target].spec.write))
    )
    notes: list[str] = []
    write_directory(output, lambda folder: notes.extend(write(card, folder)))
    counts = ", ".join(f"{count:,} {split}" for split, count in card.counts().items())
    out.line(f"wrote {counts} as {target} into {output}")
    for note in notes:
        out.line(note)
    out.next(shlex.join(["zoo", "data", "check", str(output), "--task", question.task.name]))
