"""A proved export as one directory for the edge, and the report of one that was not proved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Literal

from zoo.api.errors import BadFile, OutputExists
from zoo.api.postprocess import PostprocessStep
from zoo.bundle.judge.evidence import Environment
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.onnx_file.external_data import WEIGHTS, Weights
from zoo.bundle.report.page import page
from zoo.bundle.report.record import Report, report_of
from zoo.bundle.runtime.bundle import REPORT, Bundle
from zoo.bundle.runtime.bundled_self_test import differing_files
from zoo.bundle.runtime.code_check import runner, zoo_version
from zoo.bundle.runtime.consistency import proved_sizes
from zoo.bundle.runtime.manifest import NAME, ROLES, BundleFile, GoldenCase, Manifest, Role, VariantRecord
from zoo.bundle.runtime.signature import sign as sign_bundle
from zoo.registry.discovery import same_name
from zoo.runs import atomic
from zoo.runs.notebook import facts_html
from zoo.runs.serialization import to_json
from zoo_export.bundle.form import Form
from zoo_export.bundle.golden_files import GoldenFile, golden_files
from zoo_export.bundle.runtime import JudgedRuntime
from zoo_export.bundle.speed import pipeline_speeds
from zoo_export.bundle.variant import Variant
from zoo_export.bundle.worst_cases import shown_cases
from zoo_export.capture.capture import PIPELINE
from zoo_export.proof.prove import Proof
from zoo_export.subject.golden_cases import is_own, public_origins
from zoo_export.subject.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedVariants:
    """The variants that are asked for, and under which conditions."""

    names: Sequence[str] = ()
    max_drop: float | None = None
    keep_anyway: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What lies on the disk after an export.

    Examples:
        >>> written = zoo.export("cnn@digits", output="another")
        >>> written.published, written.verdict
        (True, 'PASS')
    """

    path: Path
    """The bundle, or the folder of the report when nothing was published."""
    published: bool
    """Whether a bundle lies there."""
    report: Report
    """The proof."""
    verdict: str
    """PASS, WARN, FAIL, INCONCLUSIVE or unproved."""
    sha256: str = ""
    """Of manifest.json; empty when nothing was published."""
    files: tuple[BundleFile, ...] = ()
    """The files of the bundle with their hashes and roles."""
    golden: tuple[GoldenCase, ...] = ()
    """The golden cases of the bundle."""
    variants: tuple[VariantRecord, ...] = ()
    """Those in the bundle; the report has the refused ones as well."""
    up_to_date: bool = False
    """The bundle was there already."""

    def _repr_html_(self) -> str:
        title = f"{self.path}: {self.verdict}"
        return facts_html(title, [(gate.name, f"{gate.status} {gate.detail}") for gate in self.report.gates])


def report_folder(output: Path) -> Path:
    """Where the report of an export goes that was not proved: beside the bundle that does not exist."""
    return output.with_name(f"{output.name}-report")


def current_bundle(
    output: Path,
    subject: Subject,
    *,
    opset: int,
    overwrite: bool,
    golden_of_users: bool = True,
    variants: WantedVariants = WantedVariants(),
    runtimes: Sequence[str] = (),
) -> Bundle | None:
    """The bundle at `output` that is up to date; None where a new one may be written; OutputExists otherwise.

    It must have the variants that are asked for, made under the same conditions, and the runtimes.
    """
    if not output.exists():
        return None
    current = None if overwrite else _up_to_date(output, subject, opset=opset)
    if current is not None:
        _check_golden(current, subject, of_users=golden_of_users)
        _check_variants(current, variants)
        _check_runtimes(current, runtimes)
    if current is None and not overwrite:
        raise OutputExists(
            f"{output} exists already and is no proved bundle of this checkpoint",
            hint="choose another place with -o, or say --overwrite",
        )
    return current


def _up_to_date(output: Path, subject: Subject, *, opset: int) -> Bundle | None:
    try:
        bundle = Bundle.open(output)
    except BadFile:
        return None
    manifest = bundle.manifest
    same = (
        same_name(manifest.model, subject.model)
        and manifest.opset == opset
        and manifest.lineage.weights_sha256 == subject.lineage.weights_sha256
        and manifest.problem == subject.problem
        and manifest.verdict != "unproved"
        and manifest.zoo == zoo_version()
    )
    whole = not list(differing_files(bundle.path, to_json(manifest)))
    return bundle if same and whole else None


def _check_variants(bundle: Bundle, wanted: WantedVariants) -> None:
    """OutputExists where the bundle lacks a variant that is asked for, or holds it under other conditions."""
    if not wanted.names:
        return
    known = {record.name: record for record in bundle.manifest.variants}
    budgets = {report.evidence.name: report.evidence.max_drop for report in bundle.report().variants}
    for name in wanted.names:
        if name not in known:
            words = f"is a proved bundle without the variant {name}"
        elif known[name].verdict == "unproved" and not wanted.keep_anyway:
            words = f"holds the variant {name}, which was kept although it was refused"
        elif name in budgets and budgets[name] != wanted.max_drop:
            words = f"holds the variant {name}, made with {_budget(budgets[name])}"
        else:
            continue
        raise OutputExists(
            f"{bundle.path} {words}",
            hint="choose another place with -o, or say --overwrite to export it anew with the variant",
        )


def _check_runtimes(bundle: Bundle, wanted: Sequence[str]) -> None:
    """OutputExists where the bundle was not put to a runtime that is asked for."""
    known = {record.name for record in bundle.manifest.runtimes}
    missing = [name for name in wanted if name not in known]
    if missing:
        raise OutputExists(
            f"{bundle.path} is a proved bundle that was not put to the runtime {', '.join(missing)}",
            hint="choose another place with -o, or say --overwrite to export it anew for that runtime",
        )


def _budget(max_drop: float | None) -> str:
    return "the default budget" if max_drop is None else f"--max-drop {max_drop:g}"


def _check_golden(bundle: Bundle, subject: Subject, *, of_users: bool) -> None:
    """OutputExists where the golden cases are of data that are not wanted in the bundle, or of none that are."""
    known = public_origins(subject)
    without = all(case.origin in known for case in bundle.manifest.golden)
    if of_users and not (without and is_own(subject.card)):
        return
    if not of_users and without:
        return
    raise OutputExists(
        f"{bundle.path} holds {'no ' if of_users else ''}golden cases of your data",
        hint="choose another place with -o, or say --overwrite",
    )


def write(
    proof: Proof,
    output: Path,
    *,
    reproduce: Sequence[str],
    variants: Sequence[Variant] = (),
    forms: Sequence[Form] = (),
    runtimes: Sequence[JudgedRuntime] = (),
    keep_anyway: bool = False,
    sign: Path | None = None,
    overwrite: bool = False,
    allow_unproved: bool = False,
    timed: bool = False,
) -> Written:
    """Publish a proved export at `output`, all at once; of one that is not proved only the report, beside it.

    Of the `variants` those that keep their budget go with it, and of the `forms` (those in single precision) those that
    are proved; the report has them all.  `keep_anyway` takes the refused
    ones along as well.  `sign` is a private key; the signature is a file that the manifest does not list.  With `timed`
    the manifest says how fast the pipelines answer on this machine.
    """
    proved = proof.verdict.publishes
    golden = tuple(golden_files(proof)) if proved or allow_unproved else ()
    evidence = replace(proof.evidence, golden=tuple(file.evidence for file in golden))
    made: tuple[Variant | Form, ...] = (*variants, *forms)
    kept = [variant for variant in made if variant.published(keep_anyway=keep_anyway)]
    report = report_of(
        evidence,
        proof.verdict,
        reproduce=tuple(reproduce),
        seconds=proof.seconds,
        variants=tuple(variant.report(keep_anyway=keep_anyway) for variant in variants),
        runtimes=tuple(runtime.report(keep_anyway=keep_anyway) for runtime in runtimes),
        forms=tuple(form.report(keep_anyway=keep_anyway) for form in forms),
    )
    pages = {
        "report.json": atomic.json_text(to_json(report)).encode(),
        "report.html": page(report, shown=shown_cases(proof)).encode(),
    }
    if not proved and not allow_unproved:
        failed = report_folder(output)
        atomic.write_directory(failed, lambda folder: _fill(folder, pages), overwrite=True, mark=REPORT)
        return Written(path=failed, published=False, report=report, verdict=report.verdict.value)
    subject = proof.subject
    files = {
        **proof.exported.files,
        **pages,
        **runner(subject.task, subject.problem, forms=any(isinstance(variant, Form) for variant in kept)),
    }
    files |= {file.record.file: file.data for file in golden}
    files |= {name: data for variant in kept for name, data in variant.all_files()}
    kept_runtimes = [runtime for runtime in runtimes if runtime.published(keep_anyway=keep_anyway)]
    files |= {name: data for runtime in kept_runtimes for name, data in runtime.all_files().items()}
    verdict: Literal["PASS", "WARN", "unproved"] = "unproved"
    if proved:
        verdict = "PASS" if proof.verdict.status == Status.PASS else "WARN"
    records = tuple(variant.record(evidence.environment) for variant in kept)
    manifest = manifest_of(proof, files, [file.record for file in golden], verdict)
    manifest = replace(manifest, variants=records, runtimes=tuple(runtime.record() for runtime in kept_runtimes))
    weights = proof.exported.weights
    if timed:
        manifest = _with_speeds(manifest, files, golden, evidence.environment, weights)
    text = atomic.json_text(to_json(manifest)).encode()

    def fill(folder: Path) -> None:
        _fill(folder, {**files, NAME: text})
        if weights is not None:
            copyfile(weights.path, folder / WEIGHTS)
        if sign is not None:
            sign_bundle(folder, sign)

    atomic.write_directory(output, fill, overwrite=overwrite, mark=NAME)
    return Written(
        path=output,
        published=True,
        report=report,
        verdict=verdict,
        sha256=hashlib.sha256(text).hexdigest(),
        files=manifest.files,
        golden=manifest.golden,
        variants=manifest.variants,
    )


def _with_speeds(
    manifest: Manifest,
    files: Mapping[str, bytes],
    golden: Sequence[GoldenFile],
    environment: Environment,
    weights: Weights | None,
) -> Manifest:
    """The manifest with the speed of pipeline.onnx, and of every variant that takes the same inputs."""
    bits = [variant.folder + PIPELINE for variant in manifest.variants if variant.signature is None]
    speeds = pipeline_speeds({PIPELINE: files[PIPELINE]}, golden, environment, weights=weights)
    speeds |= pipeline_speeds({name: files[name] for name in bits}, golden, environment, weights=None)
    variants = tuple(replace(variant, speed=speeds.get(variant.folder + PIPELINE)) for variant in manifest.variants)
    return replace(manifest, speed=speeds.get(PIPELINE), variants=variants)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def manifest_of(
    proof: Proof,
    files: Mapping[str, bytes],
    golden: Sequence[GoldenCase],
    verdict: Literal["PASS", "WARN", "unproved"],
) -> Manifest:
    """All facts of a bundle with these files."""
    subject, facts = proof.subject, proof.evidence.graphs[0].facts
    listed = (
        BundleFile(name=name, role=_role(name), sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        for name, data in files.items()
    )
    return Manifest(
        zoo=zoo_version(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=subject.model,
        task=subject.problem.task,
        plugin=subject.plugin,
        task_plugin=subject.task_plugin,
        problem=subject.problem,
        model_signature=subject.signature,
        pipeline_signature=subject.pipeline_signature,
        postprocess=postprocess_of(subject),
        opset=facts.opset if facts is not None else 0,
        lineage=subject.lineage,
        licences=subject.licences,
        verdict=verdict,
        golden=tuple(golden),
        files=tuple(sorted((*listed, *_beside(proof)), key=lambda file: file.name)),
        metrics=subject.metrics,
        proved=proved_sizes(proof.evidence),
    )


def _beside(proof: Proof) -> Iterator[BundleFile]:
    """The weights beside the graphs, where there are any."""
    weights = proof.exported.weights
    if weights is not None:
        yield BundleFile(name=WEIGHTS, role="weights", sha256=weights.sha256, bytes=weights.bytes)


def postprocess_of(subject: Subject) -> tuple[PostprocessStep, ...]:
    """The steps that the task tells."""
    return subject.task.graphs.postprocess_steps(subject.problem)


def _role(name: str) -> Role:
    if name.startswith("variants/"):
        return "golden" if name.endswith(".npz") else "variant"
    return ROLES.get(name, "golden" if name.startswith("golden/") else "other")
