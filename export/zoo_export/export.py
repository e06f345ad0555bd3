"""Exporting: a target becomes a proved bundle, or a report on why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Literal

from zoo.api.errors import Refused, UsageError
from zoo.bundle.judge.form_rule import WantedForms
from zoo.bundle.judge.variant_evidence import Bits
from zoo.bundle.report.record import read_report
from zoo.bundle.runtime.bundle import REPORT, Bundle
from zoo.bundle.runtime.manifest import NAME
from zoo.bundle.runtime.signature import check_private_key
from zoo.bundle.runtime.signature import sign as sign_bundle
from zoo.models.target import ModelTarget, RunTarget, Target, TargetRequest, WeightsTarget, resolve_target, target_text
from zoo.runs import atomic
from zoo.training.engine.threads import restored_torch
from zoo_export.bundle.write import WantedVariants, Written, current_bundle, report_folder, write
from zoo_export.capture.torch_export import DEFAULT_OPSET, check_opset
from zoo_export.proof.prove import Progress, prove
from zoo_export.subject.golden_cases import is_own
from zoo_export.subject.load import find_subject
from zoo_export.variants.forms import check_forms, check_inputs, make_forms
from zoo_export.variants.make import check_evaluation_items, check_variants, make_variants
from zoo_export.verify.other_runtime import check_runtimes, judge_runtimes

Golden = Literal["mixed", "synthetic"]
NO_FORMS = WantedForms()


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
    golden: Golden | None = None,
    evaluate: int = 500,
    sign: str | Path | None = None,
    overwrite: bool = False,
    allow_unproved: bool = False,
    variants: Sequence[Bits] = (),
    max_drop: float | None = None,
    keep_anyway: bool = False,
    runtimes: Sequence[str] = (),
    fixed_sizes: Sequence[tuple[int, int]] = (),
    batch: bool = False,
    progress: Progress = lambda _: None,
) -> Written:
    """A bundle proved to answer as PyTorch does; without a target, of the latest run.

    `variants` are added to it where they keep their budget: the task's metric may fall by `max_drop`.  A refused one
    is left out, and stands in the report with the numbers, unless `keep_anyway` is set.  `runtimes` are the names of
    others than ONNX Runtime that the bundle is put to and gets the files for; a refused one is treated likewise.

    Nothing is published unless the proof passes or `allow_unproved` is set; `Written.published` tells which, and the
    report lies at `Written.path` either way.  Golden cases and pictures of the report are of the user's own data only
    with `golden="mixed"`, and of embedded data unless `golden="synthetic"`.  `sign` is the file of a private key.

    Args:
        target: A run, or weights as in "cnn@digits"; an architecture with `untrained`.
        checkpoint: "best" or "last", of a run.
        output: The folder of the bundle; by default RUN/export, or below exports/.
        opset: The operator set of ONNX.
        untrained: Export an architecture with the random weights of `seed`.
        seed: Of these weights.
        input_size: (height, width) in pixels that the model takes.
        golden: "mixed" packs items of the user's data, "synthetic" nothing but made-up ones.
        evaluate: How many evaluation items are compared.
        sign: The file of a private key.
        overwrite: Make the bundle anew where it is up to date.
        allow_unproved: Publish in spite of the verdict.
        variants: "int8", "fp16", "int4".
        max_drop: How far the metric of a variant may fall; None is 0.01 of a share, else 1 %.
        keep_anyway: Keep a variant that was refused, marked as unproved.
        runtimes: Names of runtimes in which the whole proof is executed as well: "openvino".
        fixed_sizes: (height, width) in pixels: a variant whose pipeline takes pictures of this size alone, for each.
        batch: Add a variant whose pipeline takes a batch of pictures.
        progress: Gets a sentence for each phase.

    Returns:
        Where the bundle or the report lies, the verdict, and the hash of the manifest.

    Raises:
        UsageError: The target or an option cannot be used.
        OutputExists: `output` holds something that is no bundle of this target.
        Refused: The model cannot be exported, and why.

    Examples:
        >>> written = zoo.export("cnn@digits", output="exported")
        >>> written.published, written.verdict
        (True, 'PASS')
    """
    request = resolve_target(
        target_text(target) if target is not None else None, checkpoint=checkpoint, untrained=untrained
    )
    return export_target(
        request,
        output=None if output is None else Path(output),
        opset=opset,
        seed=seed,
        input_size=input_size,
        golden=golden,
        evaluate=evaluate,
        sign=None if sign is None else Path(sign),
        overwrite=overwrite,
        allow_unproved=allow_unproved,
        variants=variants,
        max_drop=max_drop,
        keep_anyway=keep_anyway,
        runtimes=runtimes,
        forms=WantedForms(fixed_sizes=tuple(fixed_sizes), batch=batch),
        progress=progress,
    )


def export_target(
    request: TargetRequest,
    *,
    output: Path | None = None,
    opset: int = DEFAULT_OPSET,
    seed: int = 0,
    input_size: tuple[int, int] | None = None,
    golden: Golden | None = None,
    evaluate: int = 500,
    sign: Path | None = None,
    overwrite: bool = False,
    allow_unproved: bool = False,
    variants: Sequence[Bits] = (),
    max_drop: float | None = None,
    keep_anyway: bool = False,
    runtimes: Sequence[str] = (),
    forms: WantedForms = NO_FORMS,
    progress: Progress = lambda _: None,
) -> Written:
    """As `export`, for a target that was looked up; a model without trained parameters gets those of `seed`."""
    check_opset(opset)
    if evaluate < 0:
        raise UsageError(f"--evaluate is {evaluate}; it must be 0 or more items")
    if sign is not None:
        check_private_key(sign)
    target = request.target
    check_variants(variants, trained=not isinstance(target, ModelTarget), max_drop=max_drop, evaluate=evaluate)
    check_forms(forms)
    others = check_runtimes(runtimes, request.catalog)
    output = output or default_output(target)
    _check_output(output, overwrite=overwrite)
    _check_exportable(target)
    chosen_by = target.notes if isinstance(target, RunTarget) else ()
    for note in chosen_by:
        progress(note)
    subject = find_subject(
        target,
        request.catalog,
        untrained=isinstance(target, ModelTarget),
        seed=seed,
        input_size=input_size,
        data=evaluate > 0,
    )
    for note in subject.notes:
        if note not in chosen_by:
            progress(note)
    of_users = golden == "mixed" or (golden is None and not is_own(subject.card))
    wanted = WantedVariants(names=(*variants, *forms.names), max_drop=max_drop, keep_anyway=keep_anyway)
    current = current_bundle(
        output,
        subject,
        opset=opset,
        overwrite=overwrite,
        golden_of_users=of_users,
        variants=wanted,
        runtimes=[other.name for other in others],
    )
    if current is not None:
        if sign is not None:
            sign_bundle(current.path, sign)
        return _up_to_date(current)
    check_inputs(subject, forms)
    if not keep_anyway:
        check_evaluation_items(subject, variants)
    proof = prove(subject, opset=opset, evaluate=evaluate, golden_of_users=of_users, progress=progress)
    made = make_variants(proof, variants, max_drop=max_drop, progress=progress) if proof.verdict.publishes else ()
    formed = make_forms(proof, forms, golden_of_users=of_users, progress=progress) if proof.verdict.publishes else ()
    judged = (
        judge_runtimes(proof, others, evaluate=evaluate, max_drop=max_drop, progress=progress)
        if proof.verdict.publishes
        else ()
    )
    verify = f"zoo verify {quote(str(output))}"
    reproduce = [verify]
    if subject.lineage.target:
        reproduce.append(f"{verify} --against {quote(subject.lineage.target)}")
    return write(
        proof,
        output,
        reproduce=reproduce,
        variants=made,
        forms=formed,
        runtimes=judged,
        keep_anyway=keep_anyway,
        sign=sign,
        overwrite=overwrite,
        allow_unproved=allow_unproved,
        timed=True,
    )


def _up_to_date(bundle: Bundle) -> Written:
    """The bundle that is there, a proved one of the same checkpoint."""
    return Written(
        path=bundle.path,
        published=True,
        up_to_date=True,
        report=read_report(bundle.path / REPORT),
        verdict=bundle.manifest.verdict,
        sha256=bundle.sha256,
        files=bundle.manifest.files,
        golden=bundle.manifest.golden,
        variants=bundle.manifest.variants,
    )


def default_output(target: Target) -> Path:
    """Where a bundle goes without --output: into its run, else into exports/."""
    match target:
        case RunTarget(path=path, model=model, whole=whole):
            return path / ("export" if whole is None else f"export-{model.name}")
        case WeightsTarget(model=model, source=source):
            if source.entry is not None:
                return Path("exports") / source.entry.full_name.replace("/", "-")
            return Path("exports") / f"{model.full_name.replace('/', '-')}-{Path(source.name.split('@')[1]).name}"
        case ModelTarget(model=model):
            return Path("exports") / f"{model.full_name.replace('/', '-')}-untrained"
        case _:
            raise UsageError(f"{target.path} is already exported", hint=f"check it with: zoo verify {target.path}")


def _check_output(output: Path, *, overwrite: bool) -> None:
    """What can be refused before the target is loaded."""
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file; a bundle is a directory", hint="choose another place with -o")
    if overwrite and output.is_dir() and (output / "run.json").is_file():
        raise UsageError(f"{output} is a run; a bundle would replace it", hint="choose another place with -o")
    if overwrite:
        atomic.check_free(output, overwrite=True, mark=NAME)
    atomic.check_free(report_folder(output), overwrite=True, mark=REPORT)  # a proof that fails needs it for its report


def _check_exportable(target: Target) -> None:
    if isinstance(target, RunTarget | WeightsTarget | ModelTarget):
        spec = target.model.spec
        if spec.export.not_exportable:
            raise Refused(f"{spec.name} is not exportable: {spec.export.not_exportable}")
