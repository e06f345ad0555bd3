"""`zoo predict`: answers for files, from a run, from published weights, or from a bundle without torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shlex import quote

import click

from zoo.api.errors import UsageError
from zoo.api.untrusted import one_line
from zoo.cli.download import download_weights
from zoo.cli.terminal.options import (
    checkpoint_option,
    complete_name,
    device_option,
    json_option,
    licence_option,
    no_device,
    repeated,
)
from zoo.cli.terminal.output import Output
from zoo.cli.terminal.peers import PredictCommand
from zoo.models.answer_files import TABLES, save_answers
from zoo.models.answer_settings import check_strict, check_variant, chosen_settings, named_settings
from zoo.models.answerer import Answerer, AnswerOptions, bundle_answerer
from zoo.models.answers import Answer, answers, compared, opened_sources
from zoo.models.inputs.resolve import InputKind, resolve_inputs
from zoo.models.target import BundleTarget, TargetRequest, resolve_target


@click.command("predict", cls=PredictCommand)
@click.argument("target", shell_complete=complete_name)
@click.argument("inputs", metavar="[INPUT...]", nargs=-1)
@click.option(
    "--threshold",
    "--conf",
    "threshold",
    type=click.FloatRange(0, 1),
    help="The score from which on detections are shown.",
)
@click.option("--samples", type=click.IntRange(1, 100_000), help="How many answers to draw, for models that draw them.")
@click.option("--seed", type=click.IntRange(min=0), help="What they are drawn from; by default 0.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="How to answer, as in temperature=0.5.")
@click.option(
    "--top", type=click.IntRange(min=1), default=5, show_default=True, help="How many ranked answers to show."
)
@click.option("--text-column", default="", metavar="NAME", help="The column of a table that holds the texts.")
@click.option("--encoding", default="", metavar="NAME", help="What files of text are in, where not UTF-8: cp1252.")
@click.option("--every", type=click.IntRange(min=1), default=1, metavar="N", help="Of a video only every Nth frame.")
@click.option(
    "--save",
    type=click.Path(path_type=Path),
    help="A new folder for pictures, files and predictions; or a new .csv or .json file, one row for each thing found.",
)
@click.option("--variant", metavar="NAME", help="Answer with this variant of a bundle, as int8 or batch.")
@click.option(
    "--batch-size",
    type=click.IntRange(1, 65_536),
    metavar="N",
    help="Pictures of equal size that go through a bundle's variant for batches together.",
)
@click.option("--strict", is_flag=True, help="Refuse inputs larger than any that the bundle was proved with.")
@click.option("--explain", is_flag=True, help="Draw where a classifier looks (Grad-CAM) into the folder of --save.")
@click.option("--overwrite", is_flag=True, help="Replace the folder or file that --save names.")
@device_option
@checkpoint_option
@licence_option
@json_option
def predict(
    *,
    target: str,
    inputs: tuple[str, ...],
    threshold: float | None,
    samples: int | None,
    seed: int | None,
    settings: tuple[str, ...],
    top: int,
    text_column: str,
    encoding: str,
    every: int,
    save: Path | None,
    variant: str | None,
    batch_size: int | None,
    strict: bool,
    explain: bool,
    overwrite: bool,
    device: str,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Answers for files, folders, globs, http(s) addresses, archives (.zip), videos, standard input (-), or texts.

    TARGET is a run directory, a bundle directory, or weights as in cnn@digits.  A text stands in quotes, where the
    model reads texts.  Of a table and of JSON Lines every row is answered.  A model that draws its answers (pictures,
    sounds) needs no INPUT.
    """
    out = Output(as_json=as_json)
    if explain and (save is None or save.suffix.lower() in TABLES):
        raise UsageError("--explain draws pictures", hint="name a folder for them with --save")
    request = resolve_target(target, checkpoint=checkpoint, device=device)
    check_strict(request, strict=strict)
    check_variant(request, variant, batch_size, explain=explain)
    task = request.make_task()
    chosen = named_settings(task, chosen_settings(task, settings), threshold=threshold, seed=seed)
    kind = InputKind(task=task, input=request.input)
    resolved = resolve_inputs(inputs, kind, stdin=sys.stdin.buffer, samples=samples, seed=seed)
    options = AnswerOptions(limit=top, settings=chosen, text_column=text_column, encoding=encoding, strict=strict)
    for note in resolved.notes:
        out.note(note)
    with (
        _answerer(request, explain=explain, variant=variant, batch_size=batch_size) as answerer,
        opened_sources(answerer, resolved, samples=samples, every=every, note=out.note) as sources,
    ):
        for note in answerer.notes:
            out.note(note)
        shown = _show(out, answers(answerer, sources, options))
        compare = partial(compared, answerer, limit=top)
        answered = list(shown) if save is None else save_answers(save, shown, overwrite=overwrite, compare=compare)
        document = {
            "schema": 1,
            "target": target,
            "model": answerer.model,
            "task": answerer.task.name,
            "answers": [answer.record() for answer in answered],
        }
        if together := compare(answered):
            out.line(together.text)
            document["comparison"] = together.record
        out.document(document)
    _end(out, answered, save, target=request, name=target, checkpoint=checkpoint)


def _end(
    out: Output, answered: list[Answer], save: Path | None, *, target: TargetRequest, name: str, checkpoint: str
) -> None:
    """What was saved, what could not be read, and the next command."""
    failures = [answer.failure for answer in answered if answer.failure is not None]
    if failures and len(failures) == len(answered):
        first = failures[0]
        raise (
            first if len(failures) == 1 else type(first)(f"none of {len(failures)} inputs is answered", hint=first.hint)
        )
    if save is not None:
        out.note(f"saved to {save}")
    if failures:
        out.note(f"{len(failures)} of {len(answered)} files cannot be read")
    is_bundle = isinstance(target.target, BundleTarget)
    out.next(f"zoo verify {quote(name)}" if is_bundle else f"zoo export {quote(name)} --onnx{repeated(checkpoint)}")
    if failures:
        raise click.exceptions.Exit(max(failure.exit_code for failure in failures))


@contextmanager
def _answerer(
    request: TargetRequest, *, explain: bool, variant: str | None, batch_size: int | None
) -> Iterator[Answerer]:
    """What answers; torch is imported for what is no bundle."""
    if isinstance(request.target, BundleTarget) and not explain:
        no_device(request.device)
        with bundle_answerer(request.target.path, request.catalog, variant=variant, batch_size=batch_size) as answerer:
            yield answerer
    else:
        download_weights(request.download)
        from zoo.models.predict import target_answerer  # noqa: PLC0415

        with target_answerer(request, explain=explain) as answerer:
            yield answerer


def _show(out: Output, answered: Iterator[Answer]) -> Iterator[Answer]:
    """The same answers, each printed as it comes; a failure that is the only answer is the error of the command."""
    held = ""
    for number, answer in enumerate(answered):
        out.note(held)
        held = ""
        if answer.shown is None:
            named = str(answer.file) in answer.unreadable
            said = one_line(answer.unreadable if named else f"{answer.title}: {answer.unreadable}")
            held = said if number == 0 else ""
            out.note("" if held else said)
        else:
            out.note(one_line(f"{answer.title}: {answer.warning}" if answer.warning else ""))
            first, *more = answer.shown.text.splitlines() or [""]
            name = one_line(answer.title)
            out.line(f"{name}: {first}" if not more else f"{name}:")
            for line in [first, *more] if more else ():
                out.line(f"  {line}")
        yield answer
