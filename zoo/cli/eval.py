"""`zoo eval`: what a trained model reaches on the test data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.bundle.evaluate import evaluate_bundle
from zoo.cli.output import Output, checkpoint_option, device_option, json_option, no_device
from zoo.cli.progress import ProgressLine
from zoo.models.target import BundleTarget, RunTarget, at_checkpoint, find_target
from zoo.registry.catalog import Catalog
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    from zoo.api.data import Split
    from zoo.runs.evaluation_result import Evaluation


@click.command("eval")
@click.argument("target", required=False)
@click.option("--data", help="What to measure on; by default what the run was trained on.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where a named dataset is kept.")
@click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), help="By default test, where there is one."
)
@click.option("--save", type=click.Path(path_type=Path), help="A new folder for metrics.json and pictures.")
@click.option("--overwrite", is_flag=True, help="Replace the folder that --save names.")
@device_option
@click.option("--runs-root", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
@checkpoint_option
@json_option
def evaluate(
    *,
    target: str | None,
    data: str | None,
    data_root: Path | None,
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
    catalog = Catalog.discover()
    meant = at_checkpoint(find_target(target, catalog, runs_root), checkpoint)
    name = str(meant.path) if target is None and isinstance(meant, RunTarget) else str(target)
    checking, measuring = ProgressLine("checking the data"), ProgressLine("measuring")
    try:
        if isinstance(meant, BundleTarget):
            no_device(device)
            result = evaluate_bundle(
                meant.path,
                catalog,
                data=data,
                data_root=data_root,
                split=split,
                save=save,
                overwrite=overwrite,
                checking=checking,
                measuring=measuring,
            )
        else:
            from zoo.training.evaluate import evaluate_target  # noqa: PLC0415  torch, after every usage error

            result = evaluate_target(
                meant,
                catalog,
                data=data,
                data_root=data_root,
                split=split,
                save=save,
                overwrite=overwrite,
                device=device,
                checking=checking,
                fetching=ProgressLine("fetching the weights", unit="bytes"),
                measuring=measuring,
            )
    finally:
        measuring.close()
    _print(out, name, result, save, bundle=isinstance(meant, BundleTarget))


def _print(out: Output, target: str, result: Evaluation, save: Path | None, *, bundle: bool) -> None:
    for note in result.notes:
        out.note(note)
    out.document({"schema": 1, "target": target, **to_json(result)})
    out.facts(
        [
            ("model", result.model),
            ("data", f"{result.data}, {result.split} split, {result.items:,} items"),
            *((name, f"{value:.4f}") for name, value in result.metrics.items()),
            ("time", f"{result.seconds:.1f} s"),
            ("saved", str(save) if save else ""),
        ]
    )
    out.next(f"zoo verify {target}" if bundle else f"zoo export {target} --onnx")
