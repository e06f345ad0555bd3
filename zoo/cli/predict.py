"""`zoo predict`: answers for files, from a run, from published weights, or from a bundle without torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from zoo.api.errors import BadFile
from zoo.cli.download import bring
from zoo.cli.output import Output, checkpoint_option, device_option, json_option, no_device
from zoo.models.answer_files import save_answers
from zoo.models.answers import (
    Answer,
    Answerer,
    answers,
    bundle_answerer,
    chosen_settings,
    compared,
    meant_inputs,
    task_of,
)
from zoo.models.target import BundleTarget, Target, WeightsTarget, at_checkpoint, find_target
from zoo.registry.catalog import Catalog


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
    catalog = Catalog.discover()
    meant = at_checkpoint(find_target(target, catalog), checkpoint)
    task = task_of(meant, catalog)
    files, chosen = meant_inputs(inputs, task), chosen_settings(task, settings)
    with _answerer(meant, catalog, device) as answerer:
        for note in answerer.notes:
            out.note(note)
        shown = _show(out, answers(answerer, answerer.meant(files), limit=top, settings=chosen))
        compare = partial(compared, answerer, limit=top)
        found = list(shown) if save is None else save_answers(save, shown, overwrite=overwrite, compare=compare)
        document = {
            "schema": 1,
            "target": target,
            "model": answerer.model,
            "task": answerer.task.name,
            "answers": [answer.record() for answer in found],
        }
        if together := compare(found):
            out.line(together.text)
            document["comparison"] = together.record
        out.document(document)
    unreadable = [answer for answer in found if answer.unreadable]
    if len(unreadable) == len(found):
        raise BadFile(unreadable[0].unreadable)
    if save is not None:
        out.note(f"saved to {save}")
    if unreadable:
        out.note(f"{len(unreadable)} of {len(found)} files cannot be read")
    out.next(_next(target, meant))
    if unreadable:
        raise click.exceptions.Exit(BadFile.exit_code)


@contextmanager
def _answerer(target: Target, catalog: Catalog, device: str) -> Iterator[Answerer]:
    """What answers; torch comes only for what is no bundle."""
    if isinstance(target, BundleTarget):
        no_device(device)
        with bundle_answerer(target.path, catalog) as answerer:
            yield answerer
    else:
        if isinstance(target, WeightsTarget):
            bring(target.weights)
        from zoo.models.predict import target_answerer  # noqa: PLC0415

        with target_answerer(target, catalog, device=device) as answerer:
            yield answerer


def _show(out: Output, found: Iterator[Answer]) -> Iterator[Answer]:
    """The same answers, each printed as it comes."""
    for answer in found:
        if answer.shown is None:
            out.note(f"{answer.file}: {answer.unreadable}")
        else:
            first, *more = answer.shown.text.splitlines() or [""]
            out.line(f"{answer.title}: {first}" if not more else f"{answer.title}:")
            for line in [first, *more] if more else ():
                out.line(f"  {line}")
        yield answer


def _next(target: str, meant: Target) -> str:
    return f"zoo verify {target}" if isinstance(meant, BundleTarget) else f"zoo export {target} --onnx"
