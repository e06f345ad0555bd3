"""What there is to say about a set of weights, in Markdown: made how, of what, and reaching what; torch-free."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.data import counted
from zoo.api.specs import WeightsSpec
from zoo.models.weights.declaration import declaration, needed_imports
from zoo.runs.serialization import to_json
from zoo.runs.train_config import TrainConfig

if TYPE_CHECKING:
    from zoo.models.load import Trained
    from zoo.runs.evaluation_result import Evaluation

ROUNDED = "float16 for tensors of two or more dimensions, everything else as it was; measured as stored"
LOCAL_OPTIONS = ("-o", "--output", "--data-root", "--runs-root")
"""Options of `zoo train` whose values are paths of one machine."""
STOPPING_OPTIONS = ("--max-time", "--stop-after")
"""Options that end a training early: where one did, or a signal, `--stop-after` says at which step."""


def card_text(spec: WeightsSpec, trained: Trained, evaluation: Evaluation, *, dtype: str) -> str:
    """The card of a set of weights."""
    record = trained.run.record if trained.run else None
    facts = {
        "model": f"{trained.entry.full_name}, {trained.entry.plugin.title}",
        "task": trained.entry.spec.task,
        "trained on": source_name(trained.lineage.data),
        "licence": spec.licence,
        "recipe": f"`{spec.recipe}`" if spec.recipe else "",
        "seeds": _listed(record.seeds) if record else "",
        "versions": _listed(record.versions) if record else "",
        "checkpoint": f"step {trained.lineage.step}, after {counted(trained.lineage.epoch or 0, 'epoch')}"
        if record
        else "",
        "measured on": f"{source_name(evaluation.data)}, {evaluation.split} split, {counted(evaluation.items, 'item')}",
        **{name: f"{value:.6g}" for name, value in evaluation.metrics.items()},
        "numbers": ROUNDED if dtype == "float16" else dtype,
        "size": f"{spec.size:,} bytes",
        "sha256": f"`{spec.sha256}`",
    }
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items() if value)
    config = f"\n## Configuration\n\n```json\n{_configuration(trained.run.config)}\n```\n" if trained.run else ""
    return (
        f"# {trained.entry.full_name}@{spec.tag}\n\n{_notes(evaluation)}| | |\n|---|---|\n{rows}\n\n"
        f"## Declaration\n\n```python\n{needed_imports(spec)}\n\n{declaration(spec)}\n```\n{config}"
    )


def recipe_of(trained: Trained) -> str:
    """The command that makes these weights, without the paths of one machine.

    A training that was stopped, or ran out of its time, is repeated up to the step of these weights.
    """
    if trained.run is None:
        return ""
    program, *words = trained.run.record.argv or ("",)
    if Path(program).name != "zoo" and Path(program).parts[-2:] != ("zoo", "__main__.py"):
        return f"zoo.train({trained.entry.bare_name!r}, ...), with the configuration on the card"
    complete = trained.run.status == "finished" and trained.run.config.max_time is None
    words = _without(words, LOCAL_OPTIONS if complete else (*LOCAL_OPTIONS, *STOPPING_OPTIONS))
    kept = [
        source_name(word) if before == "--data" else word for before, word in zip(["", *words], words, strict=False)
    ]
    return shlex.join(["zoo", *kept, *([] if complete else ["--stop-after", str(trained.lineage.step)])])


def packing_of(name: str, dtype: str) -> str:
    """What makes the file of this name from the run of a recipe, as a command to follow it; empty where nothing does.

    A recipe alone ends in a run, whose best checkpoint are the weights; only numbers of another kind are packed.
    """
    return "" if dtype == "float32" else f" -o run && zoo weights pack run -o {shlex.quote(name)} --dtype {dtype}"


def _without(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """The words of a command without these options and their values."""
    starts = tuple(f"{option}=" for option in options)
    pairs = zip(["", *words], words, strict=False)
    return [
        word for before, word in pairs if before not in options and word not in options and not word.startswith(starts)
    ]


def source_name(source: str) -> str:
    """Data as strangers may know them: a scheme or an embedded name as it is, of a path the last part."""
    return source if ":" in source else Path(source).name


def _notes(evaluation: Evaluation) -> str:
    return "".join(f"{note}.\n\n" for note in evaluation.notes)


def _listed(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _configuration(config: TrainConfig) -> str:
    kept = {name: value for name, value in to_json(config).items() if name not in ("output", "data_root")}
    return json.dumps(kept | {"data": source_name(config.data)}, indent=2, ensure_ascii=False)
