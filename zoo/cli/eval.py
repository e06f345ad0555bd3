"""`zoo eval`: what a trained model reaches on the test data."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo.api.data import counted
from zoo.bundle.evaluate import evaluate_bundle
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
from zoo.cli.terminal.peers import EvalCommand
from zoo.cli.terminal.progress import ProgressLine
from zoo.models.target import BundleTarget, RunTarget, TargetRequest, resolve_target
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    from zoo.api.data import Split
    from zoo.runs.evaluation_result import Evaluation


@click.command("eval", cls=EvalCommand)
@click.argument("target", required=False, shell_complete=complete_name)
@click.option("--data", help="What to measure on; by default what the run was trained on.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where a named dataset is kept.")
@click.option("--encoding", default="", metavar="NAME", help="What files of text are in, where not UTF-8: cp1252.")
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), help="By default test, where there is one."
)
@click.option("--save", type=click.Path(path_type=Path), help="A new folder for metrics.json and pictures.")
@click.option("--overwrite", is_flag=True, help="Replace the folder that --save names.")
@device_option
@click.option("--runs-root", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@checkpoint_option
@licence_option
@json_option
def evaluate(
    *,
    target: str | None,
    data: str | None,
    data_root: Path | None,
    encoding: str,
    split: Split | None,
    save: Path | None,
    overwrite: bool,
    device: str,
    runs_root: Path,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Measure a trained model, or the pipeline of a bundle, on its test data.

    TARGET is a run directory, a bundle directory, or weights as in cnn@digits; without one, the latest run.
    """
    out = Output(as_json=as_json)
    request = resolve_target(target, runs_root=runs_root, checkpoint=checkpoint, device=device)
    if isinstance(request.target, BundleTarget):
        no_device(device)
    name = str(request.target.path) if target is None and isinstance(request.target, RunTarget) else str(target)
    checking, measuring = ProgressLine("checking the data"), ProgressLine("measuring")
    try:
        result = _evaluate(
            request,
            data=data,
            data_root=data_root,
            encoding=encoding,
            split=split,
            save=save,
            overwrite=overwrite,
            checking=checking,
            measuring=measuring,
        )
    finally:
        measuring.close()
    is_bundle = isinstance(request.target, BundleTarget)
    _print(out, name, result, save)
    out.next(f"zoo verify {quote(name)}" if is_bundle else f"zoo export {quote(name)} --onnx{repeated(checkpoint)}")


def _evaluate(
    request: TargetRequest,
    *,
    data: str | None,
    data_root: Path | None,
    encoding: str,
    split: Split | None,
    save: Path | None,
    overwrite: bool,
    checking: ProgressLine,
    measuring: ProgressLine,
) -> Evaluation:
    """The metrics of a target; torch is imported for what is no bundle."""
    if isinstance(request.target, BundleTarget):
        return evaluate_bundle(
            request.target.path,
            request.catalog,
            data=data,
            data_root=data_root,
            encoding=encoding,
            split=split,
            save=save,
            overwrite=overwrite,
            checking=checking,
            measuring=measuring,
        )
    from zoo.training.results.evaluate import evaluate_target  # noqa: PLC0415  torch, after every usage error

    return evaluate_target(
        request,
        data=data,
        data_root=data_root,
        encoding=encoding,
        split=split,
        save=save,
        overwrite=overwrite,
        checking=checking,
        fetching=ProgressLine("downloading the weights", unit="bytes"),
        measuring=measuring,
    )


def _print(out: Output, target: str, result: Evaluation, save: Path | None) -> None:
    for note in result.notes:
        out.note(note)
    out.document({"schema": 1, "target": target, **to_json(result)})
    out.facts(
        [
            ("model", result.model),
            ("data", f"{result.data}, {result.split} split, {counted(result.items, 'item')}"),
            *((name, _value(result, name)) for name in result.metrics),
            ("calibration error", "" if result.calibration_error is None else f"{result.calibration_error:.4f}"),
            ("time", f"{result.seconds:.1f} s"),
            ("saved", str(save) if save else ""),
        ]
    )


def _value(result: Evaluation, name: str) -> str:
    """A metric with its 95 % interval, where it has one: 0.9880 (0.9822 to 0.9919)."""
    text = f"{result.metrics[name]:.4f}"
    if name not in result.intervals:
        return text
    low, high = result.intervals[name]
    return f"{text} ({low:.4f} to {high:.4f})"
