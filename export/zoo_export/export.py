"""Exporting: a target becomes a proved bundle, or a report on why there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from zoo.api.errors import Refused, UsageError
from zoo.bundle.report.record import read_report
from zoo.bundle.runtime.bundle import REPORT
from zoo.bundle.runtime.manifest import NAME
from zoo.models.target import (
    ModelTarget,
    RunTarget,
    SourceTarget,
    Target,
    WeightsTarget,
    at_checkpoint,
    find_target,
)
from zoo.registry.catalog import Catalog
from zoo.runs import atomic
from zoo.training.engine.threads import restored_torch
from zoo_export.bundle.write import Written, check_place, report_place, write
from zoo_export.capture.torch_export import DEFAULT_OPSET, check_opset
from zoo_export.proof.prove import Progress, prove
from zoo_export.subject.load import find_subject

Golden = Literal["mixed", "synthetic"]


@restored_torch()
def export(
    target: str | Path | None = None,
    *,
    checkpoint: str = "best",
    output: str | Path | None = None,
    opset: int = DEFAULT_OPSET,
    untrained: bool = False,
    seed: int = 0,
    input_size: tuple[int, int] | None = None,
    golden: Golden = "mixed",
    evaluate: int = 500,
    overwrite: bool = False,
    allow_unproved: bool = False,
    progress: Progress = lambda _: None,
) -> Written:
    """A bundle proved to answer as PyTorch does; without a target, of the latest run.

    Nothing is published unless the proof passes or `allow_unproved` is set; `Written.published` tells which, and the
    report lies at `Written.path` either way.  `golden="synthetic"` ships none of the user's data.
    """
    check_opset(opset)
    if evaluate < 0:
        raise UsageError(f"--evaluate is {evaluate}; it must be 0 or more items")
    catalog = Catalog.discover()
    named = find_target(str(target) if target is not None else None, catalog, untrained=untrained)
    found = at_checkpoint(named, checkpoint)
    place = Path(output) if output is not None else default_place(found)
    _check_taken(place, overwrite=overwrite)
    _check_exportable(found)
    for note in getattr(found, "notes", ()):
        progress(note)
    subject = find_subject(found, catalog, untrained=untrained, seed=seed, input_size=input_size, data=evaluate > 0)
    for note in subject.notes:
        if note not in getattr(found, "notes", ()):
            progress(note)
    of_users = golden != "synthetic"
    current = check_place(place, subject, opset=opset, overwrite=overwrite, golden_of_users=of_users)
    if current is not None:
        report = read_report(current.path / REPORT)
        return Written(
            path=current.path,
            published=True,
            up_to_date=True,
            report=report,
            verdict=current.manifest.verdict,
            sha256=current.sha256,
            files=current.manifest.files,
            golden=current.manifest.golden,
        )
    proof = prove(subject, opset=opset, evaluate=evaluate, golden_of_users=of_users, progress=progress)
    again = [f"zoo verify {place}", *_against(place, subject.lineage.target)]
    return write(proof, place, reproduce=again, overwrite=overwrite, allow_unproved=allow_unproved)


def _against(place: Path, target: str) -> list[str]:
    return [f"zoo verify {place} --against {target}"] if target else []


def default_place(target: Target) -> Path:
    """Where a bundle goes that nobody named a place for: into its run, else into exports/."""
    match target:
        case RunTarget(path=path, model=part):
            return path / (f"export-{part.name}" if part else "export")
        case WeightsTarget(weights=weights):
            return Path("exports") / weights.full_name.replace("/", "-")
        case SourceTarget(model=model, source=source):
            return Path("exports") / f"{model.full_name.replace('/', '-')}-{Path(source.name.split('@')[1]).name}"
        case ModelTarget(model=model):
            return Path("exports") / f"{model.full_name.replace('/', '-')}-untrained"
        case _:
            raise UsageError(f"{target.path} is already exported", hint=f"check it with: zoo verify {target.path}")


def _check_taken(place: Path, *, overwrite: bool) -> None:
    """What can be refused before torch is imported."""
    if place.exists() and not place.is_dir():
        raise UsageError(f"{place} is a file; a bundle is a directory", hint="choose another place with -o")
    if overwrite and place.is_dir() and (place / "run.json").is_file():
        raise UsageError(f"{place} is a run; a bundle would replace it", hint="choose another place with -o")
    if overwrite:
        atomic.check_free(place, overwrite=True, mark=NAME)
    atomic.check_free(report_place(place), overwrite=True, mark=REPORT)  # an answer of no must find a place, too


def _check_exportable(target: Target) -> None:
    spec = getattr(getattr(target, "model", None), "spec", None)
    if spec is not None and spec.export.not_exportable:
        raise Refused(f"{spec.name} is not exportable: {spec.export.not_exportable}")
