"""A run or a bundle on disk told in full: what it holds, and which plugin in which version it came from."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from zoo.api.data import counted
from zoo.api.postprocess import PostprocessStep
from zoo.bundle.runtime.manifest import read_manifest
from zoo.cli.info.bundle_parts import parts_of, speed_of
from zoo.cli.terminal import text
from zoo.cli.terminal.output import Output
from zoo.runs.run import Run
from zoo.runs.serialization import to_json


def describe_run(out: Output, path: Path) -> None:
    """Print everything about a run directory."""
    run = Run.open(path)
    record, config = run.record, run.config
    out.document(
        {
            "schema": 1,
            "kind": "run",
            "run": str(path),
            "status": run.status,
            "plugin": {"name": config.plugin, "version": config.plugin_version},
            "record": to_json(record),
            "config": to_json(config),
            "data": to_json(run.data),
        }
    )
    out.facts(
        [
            ("run", str(path)),
            ("status", run.status),
            ("error", record.error),
            ("created", record.created),
            ("model", config.model),
            ("plugin", f"{config.plugin} {config.plugin_version}"),
            ("task", record.task),
            ("data", config.data),
            ("items", ", ".join(f"{number} {split}" for split, number in run.data.counts.items())),
            ("classes", _few(run.data.classes)),
            ("started from", config.weights or f"seed {config.seed}"),
            ("input", config.input.describe()),
            (
                "epochs",
                f"{record.epochs} of {config.recipe.epochs}, {counted(record.steps, 'step')}, {record.seconds:.0f} s",
            ),
            ("best epoch", "" if record.best_epoch is None else str(record.best_epoch)),
            ("validation", text.metrics(record.metrics)),
            ("test", text.metrics(record.test)),
            ("versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())),
            *(("note", note) for note in (*run.data.notes, *record.notes)),
        ]
    )
    out.line()
    run_path = quote(str(path))
    out.next(f"zoo train --resume {run_path}" if run.status == "interrupted" else f"zoo export {run_path} --onnx")


def describe_bundle(out: Output, path: Path) -> None:
    """Print everything that a bundle's manifest says about it."""
    file = read_manifest(path)
    manifest, sha256 = file.manifest, file.sha256
    out.document({"schema": 1, "kind": "bundle", "bundle": str(path), "sha256": sha256, "manifest": to_json(manifest)})
    plugin, lineage = manifest.plugin, manifest.lineage
    out.facts(
        [
            ("bundle", str(path)),
            ("verdict", manifest.verdict),
            ("model", manifest.model),
            ("plugin", f"{plugin.name} ({plugin.distribution} {plugin.version})"),
            ("task", manifest.task),
            ("created", f"{manifest.created} by zoo {manifest.zoo}"),
            ("weights", lineage.weights),
            ("metrics", text.metrics(manifest.metrics)),
            ("input", manifest.problem.input.describe()),
            ("classes", _few(manifest.problem.classes)),
            ("postprocess", _steps(manifest.postprocess)),
            ("opset", str(manifest.opset)),
            *((f"licence of the {part}", name) for part, name in manifest.licences.items()),
            ("speed", speed_of(manifest.speed)),
            *parts_of(manifest),
            ("manifest sha256", sha256),
        ]
    )
    out.line()
    out.table(
        ("file", "role", "size", "sha256"),
        [(file.name, file.role, text.size(file.bytes), file.sha256[:16]) for file in manifest.files],
        right=("size",),
    )
    out.line()
    out.next(f"zoo verify {quote(str(path))}")


def _steps(steps: tuple[PostprocessStep, ...]) -> str:
    """As in "top_k (k 1000), clip_boxes"."""
    return ", ".join(f"{step.kind} ({text.metrics(step.numbers)})" if step.numbers else step.kind for step in steps)


def _few(classes: tuple[str, ...]) -> str:
    shown = ", ".join(classes[:10])
    return f"{len(classes)}: {shown}{', …' if len(classes) > 10 else ''}" if classes else ""
