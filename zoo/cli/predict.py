"""`zoo predict`: answers for files, from a run, from published weights, or from a bundle without torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shlex import quote

import click

from zoo.api.errors import BadFile
from zoo.api.untrusted import one_line
from zoo.cli.download import download_weights
from zoo.cli.options import checkpoint_option, device_option, json_option, no_device, repeated
from zoo.cli.output import Output
from zoo.models.answer_files import save_answers
from zoo.models.answers import (
    Answer,
    Answerer,
    answers,
    bundle_answerer,
    chosen_settings,
    compared,
    resolve_inputs,
)
from zoo.models.target import BundleTarget, TargetRequest, resolve_target


@click.command("predict")
@click.argument("target")
@click.argument("inputs", metavar="[INPUT...]", nargs=-1)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="How to answer, as in temperature=0.5.")
@click.option(
    "--top", type=click.IntRange(min=1), default=5, show_default=True, help="How many ranked answers to show."
)
@click.option("--save", type=click.Path(path_type=Path), help="A new folder for pictures, files and predictions.")
@click.option("--overwrite", is_flag=True, help="Replace the folder that --save names.")
@device_option
@checkpoint_option
@json_option
def predict(
    *,
    target: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    top: int,
    save: Path | None,
    overwrite: bool,
    device: str,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Answers for files, for every file of a folder, or for a text in quotes; for sounds also for nothing at all.

    TARGET is a run directory, a bundle directory, or weights as in cnn@digits.
    """
    out = Output(as_json=as_json)
    request = resolve_target(target, checkpoint=checkpoint, device=device)
    task = request.make_task()
    files, chosen = resolve_inputs(inputs, task), chosen_settings(task, settings)
    with _answerer(request) as answerer:
        for note in answerer.notes:
            out.note(note)
        shown = _show(out, answers(answerer, answerer.default_inputs(files), limit=top, settings=chosen))
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
    unreadable = [answer for answer in answered if answer.unreadable]
    if len(unreadable) == len(answered):
        raise BadFile(unreadable[0].unreadable)
    if save is not None:
        out.note(f"saved to {save}")
    if unreadable:
        out.note(f"{len(unreadable)} of {len(answered)} files cannot be read")
    is_bundle = isinstance(request.target, BundleTarget)
    out.next(f"zoo verify {quote(target)}" if is_bundle else f"zoo export {quote(target)} --onnx{repeated(checkpoint)}")
    if unreadable:
        raise click.exceptions.Exit(BadFile.exit_code)


@contextmanager
def _answerer(request: TargetRequest) -> Iterator[Answerer]:
    """What answers; torch is imported for what is no bundle."""
    if isinstance(request.target, BundleTarget):
        no_device(request.device)
        with bundle_answerer(request.target.path, request.catalog) as answerer:
            yield answerer
    else:
        download_weights(request.download)
        from zoo.models.predict import target_answerer  # noqa: PLC0415

        with target_answerer(request) as answerer:
            yield answerer


def _show(out: Output, answered: Iterator[Answer]) -> Iterator[Answer]:
    """The same answers, each printed as it comes."""
    for answer in answered:
        if answer.shown is None:
            out.note(one_line(f"{answer.file}: {answer.unreadable}"))
        else:
            first, *more = answer.shown.text.splitlines() or [""]
            name = one_line(answer.title)
            out.line(f"{name}: {first}" if not more else f"{name}:")
            for line in [first, *more] if more else ():
                out.line(f"  {line}")
        yield answer
