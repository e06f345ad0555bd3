"""Writes docs/supported.md, and verdicts.json for `zoo info`, from the rows in benchmarks/sweep.

python docs/supported.py

Every model that zoo offers has a line: its row where it was swept, the reason where it is only listed, and else an
estimate of what its proof takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import prod
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "plugins"), str(ROOT / "export")]

from docs.supported_costs import CostModel, Sizes, fit  # noqa: E402  the checkout's own
from zoo.api.problem import ImageInput, TokenInput  # noqa: E402
from zoo.api.specs import ModelSpec  # noqa: E402
from zoo.registry.catalog import Catalog  # noqa: E402
from zoo_export.sweep.rows import SweepRow, read_rows, summary  # noqa: E402
from zoo_export.sweep.verdicts import FILE, as_text  # noqa: E402
from zoo_timm.plugin import cards  # noqa: E402

PAGE = ROOT / "docs" / "supported.md"
ROWS = ROOT / "benchmarks" / "sweep"
DISTRIBUTION = "edgezoo"
MIN_OF_A_TASK = 3
"""Fewer proved models of a task say nothing about others of it."""
COLUMNS = ("model", "parameters", "verdict", "ratio", "CPU s", "memory", "nodes", "file", "ms", "ms in PyTorch")
HEAD = """# Is my model supported?

Search this page for the name, or ask `zoo info NAME`. Each model that was swept was built with seeded random weights,
exported, and its file proved as every export is ([proof](proof.md)); `zoo sweep` makes such rows anywhere
([catalogues](catalogues.md)). This page is written by `python docs/supported.py` from `benchmarks/sweep/`.

- **PASS** and WARN: proved. Any other verdict is no proof, and its reason stands below.
- `~` marks an estimate for a model that nobody swept yet: it may well be proved, and `zoo sweep NAME` tells.
- ratio: the largest error beside double precision, in units of PyTorch's own rounding error; 8 is the limit.
- CPU s: of the export with its whole proof, warm. memory: the most that the exporting process and ONNX Runtime's held.
- nodes and file: of `model.onnx`. ms: one picture, one thread, in ONNX Runtime and in PyTorch on the same machine.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model that zoo offers."""

    full_name: str
    plugin: str
    family: str
    parameters: int | None
    not_available: str
    gmacs: float | None = None
    task: str = ""
    pixels: int = 0
    """Of a picture that it takes; 0 where it takes none."""
    tokens: int = 0
    """Of the longest text that it takes; 0 where it takes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What a proof takes, as far as the rows tell."""

    seconds: CostModel | None
    memory: CostModel | None
    sizes: Mapping[str, Sizes]
    """Of the models whose parameters are known, by full name."""
    factors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """How many times as much a model takes as its sizes say, by full name: a segmenter's answer is as large as its
    picture, and a detector's proof has further cases."""

    def of(self, name: str) -> tuple[float, float] | None:
        """CPU seconds and megabytes; None where nothing can be said."""
        sizes = self.sizes.get(name)
        if sizes is None or self.seconds is None or self.memory is None:
            return None
        longer, larger = self.factors.get(name, (1.0, 1.0))
        return self.seconds.estimate(sizes) * longer, self.memory.estimate(sizes) * larger

    def for_tasks(self, tasks: Mapping[str, str], proved: Sequence[tuple[str, float, float]]) -> Estimates:
        """The same with a factor for every task of which several models were proved; `tasks` is by full name."""
        ratios: dict[str, list[tuple[float, float]]] = {}
        for name, seconds, memory in proved:
            if (estimate := self.of(name)) is not None:
                ratios.setdefault(tasks[name], []).append((seconds / estimate[0], memory / estimate[1]))
        by_task = {
            task: (median(s for s, _ in found), median(m for _, m in found))
            for task, found in ratios.items()
            if len(found) >= MIN_OF_A_TASK
        }
        return replace(self, factors={name: by_task[task] for name, task in tasks.items() if task in by_task})


def listed_models() -> tuple[Listed, ...]:
    """Every model of zoo's own distribution."""
    return tuple(
        Listed(
            full_name=entry.full_name,
            plugin=entry.plugin.name,
            family=entry.spec.family or entry.plugin.name,
            parameters=entry.spec.parameters,
            not_available=_reason(entry.spec),
            gmacs=entry.spec.gflops,
            task=entry.spec.task,
            pixels=prod(taken.size) if isinstance(taken := entry.spec.input, ImageInput) else 0,
            tokens=taken.max_length if isinstance(taken, TokenInput) else 0,
        )
        for entry in Catalog.discover().models()
        if entry.plugin.distribution == DISTRIBUTION
    )


def _reason(spec: ModelSpec) -> str:
    """Why a model has no row of its own; empty where it can be swept."""
    if spec.from_weights:
        return f"proved with its weights: {spec.from_weights}"
    return spec.not_available or spec.export.not_exportable


def estimates(models: Sequence[Listed], rows: Mapping[str, SweepRow]) -> Estimates:
    """Fitted to the proved models whose multiply-adds are known.

    What nobody states is taken from timm's networks in the middle: activations a multiply-add, and multiply-adds a
    parameter and a pixel.  A network for texts has a multiply-add a parameter and a token.
    """
    known = [card for card in cards() if card["gmacs"]]
    activations = {f"timm/{card['name']}": float(card["macts"]) for card in cards()}
    usual = median(card["macts"] / card["gmacs"] for card in known)
    a_pixel = median(card["gmacs"] * 1e9 / card["parameters"] / prod(card["input"]["size"]) for card in known)
    sizes: dict[str, Sizes] = {}
    for model in models:
        if not model.parameters or model.not_available:
            continue
        gmacs = model.gmacs or model.parameters * (a_pixel * model.pixels + model.tokens) / 1e9
        macts = activations.get(model.full_name, usual * gmacs)
        sizes[model.full_name] = Sizes(mparams=model.parameters / 1e6, gmacs=gmacs, macts=macts)
    stated = {model.full_name for model in models if model.gmacs}
    proved = [(sizes[name], row) for name, row in rows.items() if row.proved and name in sizes and name in stated]
    tasks = {model.full_name: model.task for model in models}
    return Estimates(
        seconds=fit([size for size, _ in proved], [row.cpu_seconds for _, row in proved]),
        memory=fit([size for size, _ in proved], [float(row.memory_mb) for _, row in proved]),
        sizes=sizes,
    ).for_tasks(
        tasks, [(name, row.cpu_seconds, row.memory_mb) for name, row in rows.items() if row.proved and name in sizes]
    )


def page(models: Sequence[Listed], rows: Mapping[str, SweepRow], costs: Estimates) -> str:
    """The page in Markdown."""
    offered = {model.full_name for model in models}
    further = [
        Listed(
            full_name=name,
            plugin=name.partition("/")[0],
            family=name.partition("/")[0],
            parameters=row.parameters,
            not_available="",
        )
        for name, row in rows.items()
        if name not in offered
    ]
    ordered = sorted([*models, *further], key=lambda model: (model.plugin, model.family, model.full_name))
    parts = [HEAD, *_summary(ordered, rows, costs), *_not_proved(rows)]
    for plugin, members in groupby(ordered, key=lambda model: model.plugin):
        parts.append(f"## {plugin}\n\n")
        for family, family_members in groupby(members, key=lambda model: model.family):
            parts += _family(family, list(family_members), rows, costs)
    return "".join(parts)


def verdicts(models: Sequence[Listed], rows: Mapping[str, SweepRow], costs: Estimates) -> str:
    """The content of verdicts.json."""
    measured = {name: (row.verdict, row.cpu_seconds, row.memory_mb) for name, row in rows.items()}
    others = [model for model in models if model.full_name not in rows and model.full_name in costs.sizes]
    estimated = {
        model.full_name: (round(estimate[0]), round(estimate[1]))
        for model in others
        if (estimate := costs.of(model.full_name)) is not None
    }
    return as_text(measured, estimated)


def _summary(models: Sequence[Listed], rows: Mapping[str, SweepRow], costs: Estimates) -> Iterator[str]:
    """Counts by plugin, the machines, and how far off estimates are."""
    yield "| plugin | models | swept | proved | CPU hours |\n|---|---|---|---|---|\n"
    for plugin, members in groupby(models, key=lambda model: model.plugin):
        names = [model.full_name for model in members]
        swept = [rows[name] for name in names if name in rows]
        hours = sum(row.cpu_seconds for row in swept) / 3600
        yield f"| {plugin} | {len(names)} | {len(swept)} | {sum(row.proved for row in swept)} | {hours:.1f} |\n"
    yield f"\n{summary(list(rows.values()))}. "
    machines = sorted({row.machine for row in rows.values() if row.machine})
    yield f"Measured on {'; '.join(machines)}.\n" if machines else "\n"
    if costs.seconds and costs.memory:
        yield (
            f"Half of the estimates of swept models are off by at most {costs.seconds.error:.0%} in CPU seconds and "
            f"{costs.memory.error:.0%} in memory.\n"
        )
    yield "\n"


def _not_proved(rows: Mapping[str, SweepRow]) -> Iterator[str]:
    others = sorted((row for row in rows.values() if not row.proved), key=lambda row: row.model)
    if not others:
        return
    yield "## Swept and not proved\n\n| model | verdict | reason |\n|---|---|---|\n"
    for row in others:
        yield f"| {row.model} | {row.verdict} | {_one_line(row.reason)} |\n"
    yield "\n"


def _family(family: str, models: Sequence[Listed], rows: Mapping[str, SweepRow], costs: Estimates) -> Iterator[str]:
    yield f"### {family}\n\n"
    reasons = {model.not_available for model in models}
    if "" not in reasons:
        names = ", ".join(model.full_name.partition("/")[2] for model in models)
        yield f"{names}: {'; '.join(sorted(reasons))}.\n\n"
        return
    yield f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"
    for model in models:
        yield f"| {' | '.join(_cells(model, rows.get(model.full_name), costs))} |\n"
    yield "\n"


def _cells(model: Listed, row: SweepRow | None, costs: Estimates) -> tuple[str, ...]:
    name, parameters = model.full_name.partition("/")[2], _million(model.parameters)
    if row is None:
        return name, parameters, *_estimated(model, costs), "", "", "", ""
    return (
        name,
        parameters,
        f"**{row.verdict}**" if row.proved else row.verdict,
        "" if row.worst_ratio is None else f"{row.worst_ratio:.1f}",
        f"{row.cpu_seconds:.0f}",
        f"{row.memory_mb / 1e3:.1f} GB" if row.memory_mb else "",
        "" if row.nodes is None else str(row.nodes),
        "" if row.bytes is None else f"{row.bytes / 1e6:.1f} MB",
        "" if row.latency_ms is None else f"{row.latency_ms:.1f}",
        "" if row.eager_ms is None else f"{row.eager_ms:.1f}",
    )


def _estimated(model: Listed, costs: Estimates) -> tuple[str, str, str, str]:
    """Verdict, ratio, CPU seconds and memory of a model that nobody swept."""
    if model.not_available:
        return model.not_available, "", "", ""
    estimate = costs.of(model.full_name)
    if estimate is None:
        return "not swept", "", "", ""
    return "not swept", "", f"~{estimate[0]:.0f}", f"~{estimate[1] / 1e3:.1f} GB"


def _million(count: int | None) -> str:
    if count is None:
        return ""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def _one_line(reason: str) -> str:
    return " ".join(reason.split()).replace("|", "/")


if __name__ == "__main__":
    swept, offered = read_rows([ROWS]), listed_models()
    costs = estimates(offered, swept)
    PAGE.write_text(page(offered, swept, costs), encoding="utf-8")
    FILE.write_text(verdicts(offered, swept, costs), encoding="utf-8")
