"""`zoo profile`: which nodes of a bundle cost most on this machine, by module of the model."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output

if TYPE_CHECKING:
    from zoo.bundle.profile import GraphCost

SCHEMA = 1


@click.command("profile")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--variant", metavar="NAME", help="The graph of this variant, as int8.")
@click.option(
    "--graph",
    type=click.Choice(["pipeline", "model"]),
    default="pipeline",
    show_default=True,
    help="pipeline.onnx, from the raw input to the answer; or model.onnx alone.",
)
@click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True, help="Threads of the runtime.")
@click.option("--runs", type=click.IntRange(1, 1000), default=20, show_default=True, help="Runs after the first.")
@click.option("--depth", type=click.IntRange(1, 20), default=2, show_default=True, help="Parts of a module's name.")
@click.option("--top", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Nodes and modules listed.")
@json_option
def profile(  # noqa: PLR0917  click passes options by name
    bundle: Path,
    variant: str | None,
    graph: str,
    threads: int,
    runs: int,
    depth: int,
    top: int,
    as_json: bool,
) -> None:
    """The nodes of a bundle's graph that cost most on this machine, and the modules of the model that they belong to.

    The times are ONNX Runtime's own, on a golden case of the bundle. Nodes that the runtime merges count as one.
    """
    from zoo.bundle.benchmark import processor  # noqa: PLC0415  imports numpy
    from zoo.bundle.profile import profile_graph  # noqa: PLC0415
    from zoo.bundle.runtime.bundle import Bundle  # noqa: PLC0415
    from zoo.runs.serialization import to_json  # noqa: PLC0415

    out, opened = Output(as_json=as_json), Bundle.open(bundle)
    cost = profile_graph(opened, graph=f"{graph}.onnx", variant=variant, threads=threads, runs=runs)
    out.document(
        {
            "schema": SCHEMA,
            "bundle": str(opened.path),
            "machine": processor(),
            **to_json(cost),
            "modules": [to_json(module) for module in cost.modules(depth)],
        }
    )
    words = "one thread" if threads == 1 else f"{threads} threads"
    out.line(f"{cost.graph}, {words}, the golden case {cost.case}, {runs} runs on {processor()}")
    _show(out, cost, depth=depth, top=top)
    command = f"zoo bench {quote(str(bundle))}" + (f" --variant {variant}" if variant else "")
    out.next(command)


def _show(out: Output, cost: GraphCost, *, depth: int, top: int) -> None:
    total = sum(node.seconds for node in cost.nodes) or 1.0
    modules = cost.modules(depth)
    rows = [(m.module, str(m.nodes), f"{1e6 * m.seconds:.0f}", f"{m.seconds / total:.1%}") for m in modules[:top]]
    out.table(("module", "nodes", "µs", "share"), rows, right=("nodes", "µs", "share"))
    _more(out, len(modules) - top)
    out.line()
    nodes = [(n.name, n.op, n.module, f"{1e6 * n.seconds:.0f}", f"{n.seconds / total:.1%}") for n in cost.nodes[:top]]
    out.table(("node", "operator", "module", "µs", "share"), nodes, right=("µs", "share"))
    _more(out, len(cost.nodes) - top)
    out.line(f"all nodes {1e3 * total:.3f} ms, a whole run {1e3 * cost.seconds:.3f} ms under the profiler")


def _more(out: Output, count: int) -> None:
    if count > 0:
        out.line(f"and {count} more (--top)")
