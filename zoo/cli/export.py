"""`zoo export` and the torch side of `zoo verify`."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from zoo.api.data import counted
from zoo.api.errors import UsageError
from zoo.api.untrusted import one_line
from zoo.bundle.judge.cases import some
from zoo.bundle.judge.form_rule import WantedForms
from zoo.bundle.judge.variant_rule import loses_too_much
from zoo.cli.download import download_weights
from zoo.cli.runtime_report import runtime_document, show_runtime
from zoo.cli.terminal.options import checkpoint_option, complete_name, complete_runtime, json_option, licence_option
from zoo.cli.terminal.output import Output
from zoo.cli.verify import export_again
from zoo.models.target import RunTarget, Target, resolve_target
from zoo.runs.serialization import to_json
from zoo.training.advice.remedy import learn_for_8_bits

if TYPE_CHECKING:
    from zoo.bundle.judge.gates import Gate
    from zoo.bundle.judge.variant_evidence import Bits
    from zoo.bundle.report.record import FormReport, Report, VariantReport
    from zoo.bundle.sandbox.runtime import Engine

SCHEMA = 1
BITS = ("int8", "fp16", "int4")
"""The names of variants."""
PASSED_OVER = ("not measured", "it is the same graph")
"""How the reasons begin of candidates that others stand for."""
_SIZE = re.compile(r"(\d+)(?:x(\d+))?")


@click.command("export")
@click.argument("target", required=False, shell_complete=complete_name)
@click.option("--onnx", is_flag=True, help="Write ONNX (the only format so far).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where the bundle goes.")
@click.option("--opset", type=int, default=None, help="ONNX operator set; 18 by default.")
@click.option("--untrained", is_flag=True, help="Export an architecture with random weights.")
@click.option("--seed", type=int, default=0, help="Of the random weights of --untrained.")
@click.option("--input-size", metavar="N|HxW", help="Size of the pictures that the model takes.")
@click.option(
    "--golden",
    type=click.Choice(["mixed", "synthetic"]),
    default=None,
    help="mixed: pack a few items of your own data with the bundle, which holds none of them otherwise.",
)
@click.option("--evaluate", type=int, default=500, show_default=True, help="Evaluation items to compare.")
@click.option("--sign", metavar="KEY", type=click.Path(path_type=Path), help="Sign the bundle with this private key.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option("--allow-unproved", is_flag=True, help="Publish even if the proof does not pass, marked as unproved.")
@click.option("--int8", is_flag=True, help="Add a variant in 8-bit integers, where it keeps its budget.")
@click.option("--fp16", is_flag=True, help="Add a variant in half precision: half the size.")
@click.option("--int4", is_flag=True, help="Add a variant with 4-bit weights in its matrix products.")
@click.option(
    "--max-drop",
    type=float,
    metavar="DROP",
    help="How far the metric of a variant may fall; 0.01 by default, and 1 % where it is no share.",
)
@click.option("--keep-anyway", is_flag=True, help="Keep a variant that was refused, marked as unproved.")
@click.option(
    "--for",
    "runtimes",
    metavar="RUNTIME",
    multiple=True,
    shell_complete=complete_runtime,
    help="Put the bundle to this runtime as well, and add what that needs; may be repeated.  `zoo list --runtimes`.",
)
@click.option(
    "--fixed-size",
    "fixed_sizes",
    metavar="HxW",
    multiple=True,
    help="Add a variant for pictures of this height and width alone, with no dynamic shape; may be repeated.",
)
@click.option("--batch", is_flag=True, help="Add a variant whose pipeline takes a batch of pictures.")
@checkpoint_option
@licence_option
@json_option
def export(  # noqa: PLR0917  click passes options by name
    target: str | None,
    onnx: bool,
    output: Path | None,
    opset: int | None,
    untrained: bool,
    seed: int,
    input_size: str | None,
    golden: Any,
    evaluate: int,
    sign: Path | None,
    overwrite: bool,
    allow_unproved: bool,
    int8: bool,
    fp16: bool,
    int4: bool,
    max_drop: float | None,
    keep_anyway: bool,
    runtimes: tuple[str, ...],
    fixed_sizes: tuple[str, ...],
    batch: bool,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Write a bundle for the edge, and prove that it answers as the model does.

    TARGET is a run, or model@weights; without it, the latest run.
    """
    variants = wanted_variants(int8=int8, fp16=fp16, int4=int4)
    forms = WantedForms(fixed_sizes=tuple(_sides(text, "--fixed-size") for text in fixed_sizes), batch=batch)
    if not onnx and not variants and not runtimes and not forms.names:
        raise UsageError("zoo export needs a format", hint="zoo export --onnx")
    if not variants and not runtimes and (max_drop is not None or (keep_anyway and not forms.names)):
        raise UsageError(
            "--max-drop and --keep-anyway are about variants and runtimes",
            hint="add --int8, --fp16, --int4 or --for RUNTIME",
        )
    size = None if input_size is None else _sides(input_size, "--input-size")
    request = resolve_target(target, checkpoint=checkpoint, untrained=untrained)
    download_weights(request.download)
    from zoo_export.capture.torch_export import DEFAULT_OPSET  # noqa: PLC0415  torch, once the usage is right
    from zoo_export.export import export_target  # noqa: PLC0415

    out, start = Output(as_json=as_json), time.monotonic()
    written = export_target(
        request,
        output=output,
        opset=DEFAULT_OPSET if opset is None else opset,
        seed=seed,
        input_size=size,
        golden=golden,
        evaluate=evaluate,
        sign=sign,
        overwrite=overwrite,
        allow_unproved=allow_unproved,
        variants=variants,
        max_drop=None if max_drop is None else max_drop + 0.0,  # -0 becomes 0
        keep_anyway=keep_anyway,
        runtimes=runtimes,
        forms=forms,
        progress=out.note,
    )
    document = _document(written.path, written.verdict, written.report, seconds=time.monotonic() - start)
    document |= {"files": [to_json(file) for file in written.files], "sha256": written.sha256 or None}
    reports = [report for report in written.report.variants if report.evidence.name in variants]
    judged_runtimes = written.report.runtimes if runtimes else ()
    formed = [report for report in written.report.forms if report.evidence.name in forms.names]
    document["variants"] = [*map(_variant_document, reports), *map(_form_document, formed)]
    out.document(document | {"runtimes": [runtime_document(report) for report in judged_runtimes]})
    show_report(out, written.report)
    if not written.published:
        out.line(f"{written.report.sentence}")
        out.line(f"nothing was published; the report is {written.path / 'report.html'}")
        out.next(f"open {quote(str(written.path / 'report.html'))}")
        raise click.exceptions.Exit(1)
    for case in written.golden:
        out.line(f"golden case  {case.name} ({case.origin})")
    out.line(f"bundle       {written.path}{' (up to date)' if written.up_to_date else ''}")
    out.line(f"verdict      {written.verdict}: {written.report.sentence}")
    for report in reports:
        show_variant(out, report)
    for form in formed:
        show_form(out, form)
    for runtime in judged_runtimes:
        show_runtime(out, runtime)
    out.line(f"sha256       {written.sha256}  manifest.json")
    if sign is not None:
        from zoo.bundle.runtime.bundled_self_test import SIGNATURE  # noqa: PLC0415  it is imported by now

        out.line(f"signature    {SIGNATURE}, checked by: zoo verify {quote(str(written.path))} --key PUB")
    published = [report.published for report in reports] + [report.published for report in formed]
    if not all(published + [report.published for report in judged_runtimes]):
        page = quote(str(written.path / "report.html"))
        if command := _fine_tuning(request.target, reports):
            out.line(f"report       {page}")
            out.line("             or let the run learn what 8 bits cost, and export the run that this makes:")
        out.next(command or f"open {page}")
        raise click.exceptions.Exit(1)
    out.next(f"zoo verify {quote(str(written.path))}")


def wanted_variants(*, int8: bool, fp16: bool, int4: bool) -> tuple[Bits, ...]:
    """The names of the variants that were asked for."""
    asked: tuple[tuple[Bits, bool], ...] = (("int8", int8), ("fp16", fp16), ("int4", int4))
    return tuple(name for name, wanted in asked if wanted)


def show_variant(out: Output, report: VariantReport) -> None:
    """One variant: its verdict, how it was made, its gates."""
    evidence = report.evidence
    kept = "kept although it was " if report.published and report.verdict.value not in ("PASS", "WARN") else ""
    out.line(f"variant      {evidence.name}: {kept}{report.sentence}")
    if evidence.method:
        out.line(f"             {evidence.method}" + (f"; {evidence.calibration}" if evidence.calibration else ""))
    if evidence.files:
        out.table(("gate", "status", "detail"), [(gate.name, gate.status.value, gate.detail) for gate in report.gates])
    in_float = [node for node in evidence.sensitivity if node.in_float]
    if in_float:
        words = some(f"{node.module or node.node} ({node.op})" for node in in_float)
        out.line(f"in float     {counted(len(in_float), 'node')}: {words}")
    for reason, count in Counter(c.refused for c in evidence.candidates if evidence.files and c.refused).items():
        if not reason.startswith(PASSED_OVER):
            out.line(f"left out     {counted(count, 'candidate')}: {reason}")


def show_form(out: Output, report: FormReport) -> None:
    """One variant in single precision: its verdict, its gates."""
    kept = "kept although it was " if report.published and report.verdict.value not in ("PASS", "WARN") else ""
    out.line(f"variant      {report.evidence.name}: {kept}{report.sentence}")
    if report.evidence.file is not None:
        out.table(("gate", "status", "detail"), [(gate.name, gate.status.value, gate.detail) for gate in report.gates])


def _form_document(report: FormReport) -> dict[str, Any]:
    file = report.evidence.file
    return {
        "name": report.evidence.name,
        "verdict": report.verdict.value,
        "sentence": report.sentence,
        "published": report.published,
        "method": report.evidence.method,
        "bytes": 0 if file is None else file.bytes,
        "gates": [to_json(gate) for gate in report.gates],
    }


def _variant_document(report: VariantReport) -> dict[str, Any]:
    evidence, latency, metric = report.evidence, report.evidence.latency, report.evidence.metric
    return {
        "name": evidence.name,
        "verdict": report.verdict.value,
        "sentence": report.sentence,
        "published": report.published,
        "method": evidence.method,
        "bytes": evidence.bytes,
        "baseline_bytes": evidence.baseline_bytes,
        "milliseconds": None if latency is None else latency.milliseconds,
        "baseline_milliseconds": None if latency is None else latency.baseline_milliseconds,
        "metric": None if metric is None else {metric.name: metric.value, "fp32": metric.baseline},
        "gates": [to_json(gate) for gate in report.gates],
        "candidates": [to_json(candidate) for candidate in evidence.candidates],
    }


def _fine_tuning(target: Target, reports: Sequence[VariantReport]) -> str:
    """The command after a run that loses too much of its metric in 8 bits; else empty."""
    lossy = any(report.evidence.name == "int8" and loses_too_much(report.evidence) for report in reports)
    return learn_for_8_bits(target.run) if lossy and isinstance(target, RunTarget) else ""


def _sides(text: str, option: str) -> tuple[int, int]:
    """Height and width; one number stands for both."""
    match = _SIZE.fullmatch(text)
    if match is None or int(match[1]) < 1 or int(match[2] or match[1]) < 1:
        raise UsageError(f"{option} is {text!r}; it must look like 224 or 192x256")
    return int(match[1]), int(match[2] or match[1])


def _document(path: Path, verdict: str, report: Report, *, seconds: float) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "bundle": str(path),
        "verdict": verdict,
        "gates": [to_json(gate) for gate in report.gates],
        "seconds": round(seconds, 3),
    }


def show_report(out: Output, report: Report) -> None:
    """The gates as a table, with the worst ratios."""
    out.table(("gate", "status", "seconds", "detail"), [_row(gate) for gate in report.gates], right=("seconds",))


def _row(gate: Gate) -> tuple[str, str, str, str]:
    return gate.name, gate.status.value, f"{gate.seconds:.2f}" if gate.seconds else "", gate.detail


def verify_against(
    target: Path, *, against: str | None, explain: bool, key: Path | None, engine: Engine, as_json: bool
) -> None:
    """`zoo verify TARGET --against RUN|model@weights`: the proof derived anew, on the files that are there."""
    from zoo_export.verify.verify import verify_anew  # noqa: PLC0415  torch

    out, start = Output(as_json=as_json), time.monotonic()
    verified = verify_anew(target, against=against, explain=explain, key=key, engine=engine, progress=out.note)
    document = _document(target, verified.report.verdict.value, verified.report, seconds=time.monotonic() - start)
    out.document(document | {"files": verified.files, "divergence": verified.divergence})
    show_report(out, verified.report)
    for line in verified.divergence:
        out.line(one_line(line))
    if target.is_file():
        out.line("a single file is compared by its numbers and answers: what no case asks for was not seen")
    out.line(f"{target}: {verified.report.sentence}")
    if not verified.proved:
        out.next(_next_step(target, verified.against, verified.report.gates, explained=explain))
        raise click.exceptions.Exit(1)
    out.next(f"zoo predict {quote(str(target))} INPUT…")


def _next_step(target: Path, against: str, gates: Sequence[Gate], *, explained: bool) -> str:
    """After a proof that failed: the explanation first, then a new export of the same model.

    What only variants fail is not explained by the fp32 graphs, and a file in fewer bits is no export of them.
    """
    failing = [gate.name for gate in gates if gate.status not in ("PASS", "WARN")]
    variants = {name.removeprefix("variant ").partition(" ")[0] for name in failing}
    if "precision" in {gate.name for gate in gates}:
        return f"zoo export {quote(against)} --onnx --int8"
    if not explained and not (failing and variants <= set(BITS)):
        return f"zoo verify {quote(str(target))} --against {quote(against)} --explain"
    if target.is_file():
        return f"zoo export {quote(against)} --onnx"
    from zoo.bundle.runtime.bundle import Bundle  # noqa: PLC0415  imports numpy

    bundle = Bundle.open(target)
    lineage = bundle.manifest.lineage
    own = lineage.seed is not None or lineage.target == against  # another model's bundle is not written over
    return (own and export_again(bundle.manifest, bundle.path)) or f"zoo verify {quote(str(target))}"
