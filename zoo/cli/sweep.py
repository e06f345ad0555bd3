"""`zoo sweep`: many models exported and proved, a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import join, quote
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from zoo.api.data import counted
from zoo.api.errors import UsageError
from zoo.cli.terminal import text
from zoo.cli.terminal.counts import read_count
from zoo.cli.terminal.options import complete_family, complete_name, complete_plugin, complete_task, json_option
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog

if TYPE_CHECKING:
    from zoo_export.sweep.rows import SweepRow
    from zoo_export.sweep.supervise import SweepLimits
    from zoo_export.sweep.sweep import Selection

TAKES: Final = "That one model may take."
MAX_NAMES: Final = 5
"""Of models that have a row on one side alone, the names that are shown."""


@click.command("sweep")
@click.argument("pattern", default="*", shell_complete=complete_name)
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("sweep"), help="Folder of the rows.")
@click.option("--plugin", default="", shell_complete=complete_plugin, help="Only models of this plugin, as timm.")
@click.option("--task", default="", shell_complete=complete_task, help="Only models of this task.")
@click.option("--family", default="", shell_complete=complete_family, help="Only models of this family, as resnet.")
@click.option("--max-params", metavar="N", help="Only models with at most so many parameters: 5M, 300k.")
@click.option("--per-family", type=click.IntRange(min=1), metavar="N", help="Only N of each family, the smallest.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many models, the smallest first.")
@click.option("--shard", "shard_text", metavar="I/N", help="Only this part of the models: 3/16.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random weights.")
@click.option("--max-seconds", type=click.FloatRange(min=1), default=600.0, show_default="600", help=TAKES)
@click.option("--max-memory", type=click.IntRange(min=1), metavar="MB", default=8_000, show_default=True, help=TAKES)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--again", is_flag=True, help="Also models that have a row.")
@click.option("--retry", is_flag=True, help="Also models whose row is no proof.")
@click.option("--slurm", "slurm", type=click.IntRange(min=1), metavar="N", help="Write an array script of N tasks.")
@click.option("--compare", "old", type=click.Path(path_type=Path), help="What changed since the rows of this folder.")
@json_option
@click.pass_context
def sweep(
    context: click.Context,
    *,
    pattern: str,
    output: Path,
    plugin: str,
    task: str,
    family: str,
    max_params: str | None,
    per_family: int | None,
    limit: int | None,
    shard_text: str | None,
    seed: int,
    max_seconds: float,
    max_memory: int,
    threads: int,
    again: bool,
    retry: bool,
    slurm: int | None,
    old: Path | None,
    as_json: bool,
) -> None:
    """Export and prove every model that fits PATTERN, with seeded random weights, the smallest first.

    Each row is written at once: a sweep that was ended goes on where it was, and rows of shards lie in one folder.
    """
    from zoo_export.sweep.supervise import SweepLimits  # noqa: PLC0415  other commands need no sweep
    from zoo_export.sweep.sweep import Shard, sweepable  # noqa: PLC0415
    from zoo_export.sweep.sweep import sweep as sweep_models  # noqa: PLC0415

    out = Output(as_json=as_json)
    if old is not None:
        if {name for name in context.params if _is_given(context, name)} - {"old", "output", "as_json"}:
            raise UsageError("--compare goes with --output and --json alone", hint="leave the other options out")
        _compare(out, old, output)
        return
    if slurm is not None and (again or shard_text):
        option = "--again" if again else "--shard"
        raise UsageError(
            f"{option} does not go with --slurm: each task has its shard, and goes on where it was ended",
            hint="leave it out; to do all models anew, name an empty folder with -o",
        )
    catalog = Catalog.discover()
    chosen = _selection(catalog, plugin=plugin, task=task, family=family, max_params=max_params, per_family=per_family)
    models = sweepable(catalog, pattern, chosen)[:limit]
    if not models:
        others = " and the options" if plugin or task or family or max_params else ""
        raise UsageError(
            f"no model that can be exported fits {pattern!r}{others}",
            hint=f"zoo list {quote(pattern)} shows what there is",
        )
    limits = SweepLimits(seconds=max_seconds, memory_mb=max_memory)
    if slurm is not None:
        flags: dict[str, str | int | None] = {
            "--plugin": chosen.plugin,
            "--task": task,
            "--family": family,
            "--max-params": max_params,
        }
        flags |= {"--per-family": per_family, "--limit": limit}
        words = [pattern, *(word for flag, value in flags.items() for word in _given(flag, value))]
        words += ["--retry"] if retry else []
        _write_script(out, output, [*words, "--seed", str(seed)], shards=slurm, limits=limits, threads=threads)
        return
    rows = sweep_models(
        models,
        output,
        shard=Shard.parse(shard_text) if shard_text else None,
        seed=seed,
        limits=limits,
        threads=threads,
        again="all" if again else "unproved" if retry else "none",
        say=lambda row: out.note(_line(row)),
    )
    _show(out, rows, output)


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not ParameterSource.DEFAULT


def _selection(
    catalog: Catalog, *, plugin: str, task: str, family: str, max_params: str | None, per_family: int | None
) -> Selection:
    """What the options leave; UnknownName for a plugin, a task or a family that nobody has."""
    from zoo.cli.list.models import known_family  # noqa: PLC0415  other commands need no sweep
    from zoo_export.sweep.sweep import Selection  # noqa: PLC0415

    return Selection(
        plugin=catalog.plugin(plugin).name if plugin else "",
        task=catalog.task(task).full_name if task else "",
        family=known_family(family, {entry.spec.family for entry in catalog.models()}) if family else "",
        max_params=read_count(max_params),
        per_family=per_family,
    )


def _given(flag: str, value: object) -> list[str]:
    return [flag, str(value)] if value else []


def _line(row: SweepRow) -> str:
    """What is said as soon as a model is done."""
    numbers = f"{row.cpu_seconds:g} CPU s, {row.memory_mb} MB"
    return f"{row.model}  {row.verdict}  {numbers}" + (f"  {text.shortened(row.reason)}" if row.reason else "")


def _show(out: Output, rows: Sequence[SweepRow], output: Path) -> None:
    from dataclasses import asdict  # noqa: PLC0415

    from zoo_export.sweep.rows import summary  # noqa: PLC0415  other commands need no sweep

    out.document({"schema": 1, "output": str(output), "rows": [asdict(row) for row in rows]})
    out.table(
        ("model", "verdict", "params", "ratio", "CPU s", "MB", "ms", "eager ms", "reason"),
        [
            (
                row.model,
                row.verdict,
                text.count(row.parameters),
                "" if row.worst_ratio is None else f"{row.worst_ratio:.2f}",
                f"{row.cpu_seconds:.1f}",
                str(row.memory_mb),
                "" if row.latency_ms is None else f"{row.latency_ms:.1f}",
                "" if row.eager_ms is None else f"{row.eager_ms:.1f}",
                text.shortened(row.reason),
            )
            for row in rows
        ],
        right=("params", "ratio", "CPU s", "MB", "ms", "eager ms"),
    )
    out.line(summary(rows))
    out.next(f"zoo sweep --compare {quote(str(output))} -o NEWER")
    if not all(row.proved for row in rows):
        raise click.exceptions.Exit(1)


def _compare(out: Output, old: Path, new: Path) -> None:
    """The changes between two folders of rows; exit code 1 where something broke."""
    from zoo_export.sweep.compare import compare, in_one_alone, version_changes  # noqa: PLC0415  other commands need no sweep

    before, after = _rows_of_both(old, new)
    common = before.keys() & after.keys()
    changes, versions = compare(before, after), version_changes(before, after)
    gone, added = in_one_alone(before, after)
    out.document(
        {
            "schema": 1,
            "versions": list(versions),
            "changes": [
                {"model": change.model, "kind": change.kind, "before": change.before, "after": change.after}
                for change in changes
            ],
            "only_before": list(gone),
            "only_after": list(added),
        }
    )
    for sentence in versions:
        out.line(sentence)
    if changes:
        out.table(
            ("model", "what", "before", "after"),
            [
                (change.model, change.kind, text.shortened(change.before), text.shortened(change.after))
                for change in changes
            ],
        )
    for folder, models in ((old, gone), (new, added)):
        if models:
            out.line(f"{counted(len(models), 'model')} in {folder} alone: {_few(models)}")
    broken = sum(change.kind == "broken" for change in changes)
    out.line(f"{counted(len(common), 'model')} in both, {broken} broken, {len(changes)} changed")
    out.next(f"zoo sweep -o {quote(str(new))}")
    if broken:
        raise click.exceptions.Exit(1)


def _rows_of_both(old: Path, new: Path) -> tuple[dict[str, SweepRow], dict[str, SweepRow]]:
    """The rows of two folders; UsageError where one is not there, or they have no model in common."""
    from zoo_export.sweep.rows import read_rows  # noqa: PLC0415  other commands need no sweep

    for folder in (old, new):
        if not folder.exists():
            raise UsageError(f"{folder} does not exist, so there are no rows to compare", hint="zoo sweep -o FOLDER")
    before, after = read_rows([old]), read_rows([new])
    if not before.keys() & after.keys():
        raise UsageError(
            f"{old} and {new} have no model in common: {counted(len(before), 'row')} and {counted(len(after), 'row')}",
            hint="sweep the same models again: zoo sweep PATTERN -o NEW",
        )
    return before, after


def _few(models: Sequence[str]) -> str:
    shown = ", ".join(models[:MAX_NAMES])
    return f"{shown} and {len(models) - MAX_NAMES} more" if len(models) > MAX_NAMES else shown


def _write_script(
    out: Output, output: Path, arguments: Sequence[str], *, shards: int, limits: SweepLimits, threads: int
) -> None:
    from zoo_export.sweep.slurm import array_script  # noqa: PLC0415  other commands need no sweep

    path = output / "sweep.sbatch"
    if path.exists():
        raise UsageError(f"{path} exists already", hint="remove it, or choose another folder with -o")
    output.mkdir(parents=True, exist_ok=True)
    words = [*arguments, "--threads", str(threads)]
    words += ["--max-seconds", f"{limits.seconds:g}", "--max-memory", str(limits.memory_mb)]
    script = array_script(
        path,
        arguments=join(words),
        output=output.resolve(),
        shards=shards,
        memory_mb=limits.memory_mb,
        threads=threads,
    )
    path.write_text(script, encoding="utf-8")
    out.document({"schema": 1, "script": str(path)})
    out.line(f"wrote {path}")
    out.next(f"sbatch {quote(str(path))}")
