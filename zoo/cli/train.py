"""`zoo train`: a model learns from data, and a run directory keeps everything about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.api.errors import UsageError
from zoo.cli.download import download_weights
from zoo.cli.output import Output, json_option
from zoo.cli.progress import ProgressLine
from zoo.registry.catalog import Catalog
from zoo.runs.train_config import TrainConfig, TrainOptions, config_json
from zoo.training.request import TrainingRequest, check_data, resolve_training

if TYPE_CHECKING:
    from zoo.api.task import Progress
    from zoo.runs.run import Run
    from zoo.training.run_training import Ended

SCHEMA = 1
PATH = click.Path(path_type=Path)


@click.command("train")
@click.argument("model", required=False)
@click.option("--data", help="Embedded data by name, a path, or as in torchvision:CIFAR10.")
@click.option("--data-root", type=PATH, help="Where named datasets are kept.")
@click.option("--weights", help="Start from a tag, a run, a .safetensors file, or what the model knows: hf:ID.")
@click.option("--freeze", type=click.Choice(["none", "backbone"]), help="Let only the head learn.")
@click.option("--epochs", type=int)
@click.option("--batch-size", type=int, help="Over all devices.")
@click.option("--lr", type=float, help="The highest learning rate.")
@click.option("--seed", type=int)
@click.option("--device", help="cpu, cuda, mps or auto.")
@click.option("-o", "--output", type=PATH, help="The run directory; runs/MODEL/TIME-LETTERS if left out.")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there.")
@click.option("--resume", type=PATH, help="Go on with an interrupted run; stands instead of MODEL.")
@click.option("--allow-inexact", is_flag=True, help="Resume even where it cannot be exact.")
@click.option("--config", type=PATH, help="Replay the config.json of a run.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change the recipe: recipe.clip=1.")
@click.option("--precision", type=click.Choice(["auto", "32", "bf16", "16"]))
@click.option("--devices", type=int, help="Processes on this machine.")
@click.option("--threads", type=int, help="CPU threads of each process.")
@click.option("--workers", type=int, help="Threads that read data ahead.")
@click.option("--patience", type=int, help="Stop after so many epochs without a better score.")
@click.option("--max-steps", type=int)
@click.option("--max-time", help="As in 55s, 10min or 2h.")
@click.option("--limit-train", type=int, help="Use only so many training items.")
@click.option("--on-bad-sample", type=click.Choice(["error", "skip"]), help="skip leaves out at most 1 %.")
@click.option("--dry-run", is_flag=True, help="Check everything and show the config; train nothing.")
@json_option
def train(
    *,
    model: str | None,
    overwrite: bool,
    resume: Path | None,
    allow_inexact: bool,
    settings: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train MODEL on the default data of its task, or on yours."""
    output = Output(as_json=as_json)
    catalog = Catalog.discover()
    if resume is not None:
        _refuse_beside_resume(model, settings, options)
        ended = _resume(resume, catalog, allow_inexact=allow_inexact, output=output)
    else:
        said = TrainOptions(**options, settings=settings)
        request = resolve_training(model, said, catalog=catalog, overwrite=overwrite)
        with _watching() as watch:
            card = check_data(request, progress=watch)
        if dry_run:
            _show_config(request, card.counts(), output)
            return
        _download_weights(request)
        from zoo.training.start import begin  # noqa: PLC0415  torch, after all that can go wrong without it

        ended = begin(request, card, argv=sys.argv, callbacks=_callbacks(output), say=_say(output))
    _conclude(ended, output)


def _download_weights(request: TrainingRequest) -> None:
    if request.config.weights:
        from zoo.models.weights.source import find_source  # noqa: PLC0415  only fine-tuning looks weights up

        source = find_source(request.config.weights, request.catalog, request.entry)
        if source.entry:
            download_weights(source.entry)


def _refuse_beside_resume(model: str | None, settings: tuple[str, ...], options: dict[str, Any]) -> None:
    """A resumed run keeps its config; saying anything else would be ignored, so it is an error."""
    said = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
    said += ["MODEL"] if model else []
    said += ["--set"] if settings else []
    if said:
        raise UsageError(f"--resume takes the run's own config, and {', '.join(said)} cannot change it")


def _resume(path: Path, catalog: Catalog, *, allow_inexact: bool, output: Output) -> Ended:
    from zoo.runs.run import Run  # noqa: PLC0415  its errors come before torch

    Run.open(path)
    from zoo.training.resume import resume  # noqa: PLC0415  torch

    with _watching() as watch:
        return resume(
            path,
            catalog=catalog,
            allow_inexact=allow_inexact,
            callbacks=_callbacks(output),
            progress=watch,
            say=_say(output),
        )


def _leads() -> bool:
    """True in the one process of several that prints."""
    return os.environ.get("RANK", os.environ.get("SLURM_PROCID", os.environ.get("LOCAL_RANK", "0"))) == "0"


def _say(output: Output) -> Any:
    def say(text: str) -> None:
        if _leads():
            (output.note if output.as_json else output.line)(text)

    return say


def _callbacks(output: Output) -> list[Any]:
    from zoo.training.callbacks.live_line import LiveLine  # noqa: PLC0415  torch

    return [LiveLine(sys.stderr if output.as_json else sys.stdout)] if _leads() else []


@contextmanager
def _watching() -> Iterator[Progress]:
    """Shows how far the check of the data is, in the process that prints."""
    line = ProgressLine("checking the data") if _leads() else None

    def watch(done: int, total: int) -> None:
        if line:
            line(done, total)
            if done >= total:
                line.close()

    try:
        yield watch
    finally:
        if line:
            line.close()


def _show_config(request: TrainingRequest, counts: dict[str, int], output: Output) -> None:
    config: TrainConfig = request.config
    record = config_json(config)
    output.document({"schema": SCHEMA, "config": record, "counts": counts, "run": str(request.output)})
    recipe = record.pop("recipe")
    assert isinstance(recipe, dict)
    output.facts([(name, str(value)) for name, value in record.items() if value is not None])
    output.facts([(f"recipe.{name}", str(value)) for name, value in recipe.items()])
    output.line("data: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    output.next(f"zoo train {request.entry.bare_name}")


def _conclude(ended: Ended, output: Output) -> None:
    """Say how it ended, where it is, and what to do next."""
    if not _leads():
        return
    from zoo.training.callbacks.live_line import clock, score  # noqa: PLC0415  torch is here by now

    run, outcome = ended.run, ended.outcome
    record = run.record
    output.document(
        {
            "schema": SCHEMA,
            "run": str(run.path),
            "model": record.model,
            "task": record.task,
            "status": record.status,
            "metrics": {**record.metrics, **{f"test/{name}": value for name, value in record.test.items()}},
            "best_epoch": record.best_epoch,
            "seconds": record.seconds,
        }
    )
    if outcome.status == "interrupted":
        output.note(f"{outcome.reason}: saved at step {outcome.steps:,} in {run.path}")
        output.next(f"zoo train --resume {run.path}")
        click.get_current_context().exit(128 + (outcome.signal or 2))
    best = "  ".join(score(name, value) for name, value in record.metrics.items())
    output.line(f"{outcome.reason} in {clock(outcome.seconds)}; best epoch {record.best_epoch}: {best}")
    if record.test:
        output.line("test: " + "  ".join(score(name, value) for name, value in record.test.items()))
    output.line(f"run: {run.path}  (report: {run.path / 'report.html'})")
    output.next(_next(run))


def _next(run: Run) -> str:
    """The command that makes use of a finished run."""
    if Catalog.discover().model(run.record.model).spec.export.not_exportable:
        return f"zoo predict {run.path} FILE"
    return "zoo export --onnx" if _is_default_place(run.path) else f"zoo export {run.path} --onnx"


def _is_default_place(path: Path) -> bool:
    return not path.is_absolute() and len(path.parts) == 3 and path.parts[0] == "runs"
