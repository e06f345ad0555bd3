"""`zoo bench`: how fast a bundle runs on this machine, its variants beside it."""

from __future__ import annotations

import math
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from zoo.api.data import counted
from zoo.api.errors import OutputExists, UsageError
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.registry.references import resolve

if TYPE_CHECKING:
    from zoo.bundle.benchmark import Benchmark, Measured

SCHEMA = 1
PYTORCH = "zoo.models.benchmark:pytorch_subjects"
"""(bundle, feeds, *, graph, threads, compiled) -> pairs of a name and what runs it.  Needs torch."""
PERCENTILES = (50, 90, 99)


@click.command("bench")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--variant", "variants", multiple=True, metavar="NAME", help="Measure this variant too, as int8; or all.")
@click.option(
    "--graph",
    type=click.Choice(["pipeline", "model"]),
    default=None,
    help="pipeline.onnx, from the raw input to the answer; or model.onnx alone, as by default with --batch.",
)
@click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True, help="Threads of the runtime.")
@click.option("--batch", type=click.IntRange(1, 65_536), default=1, show_default=True, help="Items in one run.")
@click.option(
    "--seconds", type=click.FloatRange(0.1, 3_600), default=3.0, show_default=True, help="How long to measure."
)
@click.option("--eager", is_flag=True, help="Beside the model in PyTorch, which runs in turns with it (needs torch).")
@click.option("--compile", "compiled", is_flag=True, help="Beside torch.compile as well, which takes a while.")
@click.option("--chart", metavar="FILE.png", type=click.Path(path_type=Path), help="Draw the latencies into this file.")
@json_option
def benchmark_bundle(  # noqa: PLR0917  click passes options by name
    bundle: Path,
    variants: tuple[str, ...],
    graph: str | None,
    threads: int,
    batch: int,
    seconds: float,
    eager: bool,
    compiled: bool,
    chart: Path | None,
    as_json: bool,
) -> None:
    """Latency, cold start and memory of a bundle on this machine.

    What is measured runs in turns, a block of runs each, so that whatever else the machine does slows all alike. The
    input is a golden case of the bundle.
    """
    from zoo.bundle.benchmark import benchmark  # noqa: PLC0415  imports numpy
    from zoo.bundle.measured import remember_benchmark  # noqa: PLC0415
    from zoo.bundle.runtime.bundle import Bundle  # noqa: PLC0415

    if chart is not None:
        _check_chart(chart)
    if math.isnan(seconds):
        raise UsageError("--seconds is no number", hint="give seconds, as in --seconds 3")
    out, opened = Output(as_json=as_json), Bundle.open(bundle)
    known = [record.name for record in opened.manifest.variants]
    chosen = known if "all" in variants else list(dict.fromkeys(variants))
    for name in chosen:
        opened.manifest.variant(name)
    batches = bool(chosen) and all(opened.manifest.variant(name).takes_batches for name in chosen)
    name = f"{graph or ('pipeline' if batch == 1 or batches else 'model')}.onnx"
    if (eager or compiled) and name == "pipeline.onnx" and batch > 1:
        raise UsageError("PyTorch's pipeline takes one item at a time", hint="say --graph model")

    def others(feeds: Any) -> Any:
        if not eager and not compiled:
            return ()
        subjects = resolve(PYTORCH)
        return subjects(opened, feeds, graph=name, threads=threads, compiled=compiled)  # type: ignore[operator]

    measured = benchmark(
        opened, graph=name, variants=chosen, threads=threads, batch=batch, seconds=seconds, others=others
    )
    remember_benchmark(opened, measured)
    for note in dict.fromkeys(opened.unproved(name) for name in (None, *chosen)):
        out.note(note)
    out.document(_document(opened.path, measured))
    _show(out, measured)
    if chart is not None:
        from zoo.cli.bench_chart import save_latency_chart  # noqa: PLC0415  matplotlib

        out.note(f"chart: {save_latency_chart(measured, chart, machine=_machine())}")
    more = [] if chosen or not known else ["--variant", "all"]
    out.next(f"zoo bench {quote(str(bundle))} --variant all" if more else f"zoo verify {quote(str(bundle))}")


def _check_chart(path: Path) -> None:
    """What can be refused before anything is measured."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"--chart is {path}; it must end in .png", hint="as in --chart latency.png")
    if path.exists():
        raise OutputExists(f"{path} exists already", hint="choose another file with --chart")
    if not path.parent.is_dir():
        raise UsageError(f"--chart is {path}, and there is no folder {path.parent}", hint="make the folder first")


def _show(out: Output, measured: Benchmark) -> None:
    known, first = {subject.name: subject for subject in measured.subjects}, measured.subjects[0]
    header = ("", *(f"p{percent} ms" for percent in PERCENTILES), "items/s", "ratio", "cold start ms", "peak MB", "MB")
    rows = [_row(subject, known.get(subject.baseline, first), measured.batch) for subject in measured.subjects]
    items = "one item" if measured.batch == 1 else f"a batch of {measured.batch}"
    threads = counted(measured.threads, "thread")
    out.line(f"{measured.graph}, {items}, {threads}, the golden case {measured.case}, on {_machine()}")
    out.table(header, rows, right=header[1:])


def _row(subject: Measured, baseline: Measured, batch: int) -> tuple[str, ...]:
    middle = subject.percentile(50)
    return (
        subject.name,
        *(f"{1e3 * subject.percentile(percent):.3f}" for percent in PERCENTILES),
        f"{batch / middle:,.0f}",
        f"{middle / baseline.percentile(50):.2f}",
        "" if subject.first_seconds is None else f"{1e3 * subject.first_seconds:.0f}",
        "" if subject.peak_bytes is None else f"{subject.peak_bytes / 1e6:.0f}",
        "" if subject.bytes is None else f"{subject.bytes / 1e6:.2f}",
    )


def _machine() -> str:
    from zoo.bundle.benchmark import processor  # noqa: PLC0415

    return processor()


def _document(path: Path, measured: Benchmark) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "bundle": str(path),
        "machine": _machine(),
        "graph": measured.graph,
        "case": measured.case,
        "batch": measured.batch,
        "threads": measured.threads,
        "subjects": [_subject_document(subject, measured.batch) for subject in measured.subjects],
    }


def _subject_document(subject: Measured, batch: int) -> dict[str, Any]:
    return {
        "name": subject.name,
        "runs": len(subject.seconds),
        **{f"p{percent}_ms": round(1e3 * subject.percentile(percent), 4) for percent in PERCENTILES},
        "items_per_second": round(batch / subject.percentile(50), 1),
        "cold_start_ms": None if subject.first_seconds is None else round(1e3 * subject.first_seconds, 1),
        "peak_bytes": subject.peak_bytes,
        "bytes": subject.bytes,
    }
