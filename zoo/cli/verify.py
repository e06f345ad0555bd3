"""`zoo verify`: a bundle's files, record and answers, checked here; with --against, the proof derived anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, cast

import click

from zoo.api.errors import BadFile, UsageError
from zoo.api.untrusted import one_line
from zoo.bundle.judge.form_rule import BATCH, FIXED, FP32
from zoo.cli.options import complete_runtime, json_option, licence_option
from zoo.cli.output import Output
from zoo.registry.references import resolve
from zoo.runs.kept_files import nothing_kept

if TYPE_CHECKING:
    from zoo.bundle.runtime.bundle import Bundle
    from zoo.bundle.runtime.manifest import VariantRecord
    from zoo.bundle.sandbox.runtime import Engine

SCHEMA = 1
AGAINST = "zoo.cli.export:verify_against"
"""(path, *, against, explain, key, engine, as_json) -> None; it prints and exits as a command does.  Needs torch."""


@click.command("verify")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--against", metavar="TARGET", help="Prove anew against this run, or model@weights (needs torch).")
@click.option("--explain", is_flag=True, help="Name the first tensor that leaves the noise (needs torch).")
@click.option("--sha256", metavar="HASH", help="The hash of manifest.json that `zoo export` printed.")
@click.option("--key", metavar="PUB", type=click.Path(path_type=Path), help="The public key of whoever signed it.")
@click.option(
    "--runtime",
    "engine",
    metavar="NAME",
    default="onnxruntime",
    show_default=True,
    shell_complete=complete_runtime,
    help="Put the bundle to this runtime as well; with --against, prove it there.  `zoo list --runtimes` shows all.",
)
@click.option("--no-cache", is_flag=True, help="Work everything out anew, whatever an earlier proof kept (--against).")
@licence_option
@json_option
def verify(  # noqa: PLR0917  click passes options by name
    target: Path,
    against: str | None,
    explain: bool,
    sha256: str | None,
    key: Path | None,
    engine: str,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Do the files, the record and the answers of a bundle belong together, on this device.

    TARGET is a bundle, or a run that was exported. A single .onnx file needs --against.
    """
    if not target.exists():
        raise BadFile(f"{target} does not exist", hint="give a bundle, a run that was exported, or an .onnx file")
    if against is not None or explain:
        if sha256 is not None:
            raise UsageError("--sha256 goes with the check without --against")
        command = cast("Callable[..., None]", resolve(AGAINST))
        with nothing_kept() if no_cache else nullcontext():
            return command(target, against=against, explain=explain, key=key, engine=engine, as_json=as_json)
    if no_cache:
        raise UsageError("--no-cache goes with --against: nothing else is kept")
    if target.is_file():
        raise UsageError(
            f"{target} is a single file: it carries no record and no golden cases to check it with",
            hint=f"zoo verify {target} --against MODEL@WEIGHTS (or a run)",
        )
    return _verify_bundle(target, sha256=sha256, key=key, engine=engine, as_json=as_json)


def _verify_bundle(target: Path, *, sha256: str | None, key: Path | None, engine: Engine, as_json: bool) -> None:
    from zoo.bundle.runtime.bundle import verify_bundle  # noqa: PLC0415  imports numpy
    from zoo.runs.serialization import to_json  # noqa: PLC0415

    out = Output(as_json=as_json)
    checked = verify_bundle(target, sha256=sha256, key=key, engine=engine)
    bundle = checked.bundle
    if as_json:
        out.document(
            {
                "schema": SCHEMA,
                "bundle": str(bundle.path),
                "verdict": checked.verdict,
                "gates": [to_json(gate) for gate in checked.gates],
                "files": [to_json(file) for file in bundle.manifest.files],
                "sha256": bundle.sha256,
                "seconds": checked.seconds,
            }
        )
    else:
        for gate in checked.gates:
            out.line(one_line(f"{gate.status.value:<12}  {gate.name:<12}  {gate.detail}"))
        out.line(one_line(f"{bundle.path}: {checked.verdict}, {bundle.manifest.model}, sha256 {bundle.sha256}"))
    if not checked.holds:
        out.next(_next_step(bundle, checked.gates))
        raise click.exceptions.Exit(1)
    out.next(f"zoo predict {quote(str(bundle.path))} INPUT…")


def _next_step(bundle: Bundle, gates: tuple[object, ...]) -> str:
    """After a check that failed: where the answers differ, or else a new export of the same model and its variants."""
    if _answers_differ(gates):
        return f"zoo verify {quote(str(bundle.path))} --explain"
    if all(name.startswith("variant ") for name in _failing(gates)):
        return f"open {quote(str(bundle.path / 'report.html'))}"
    target = bundle.manifest.lineage.target
    variants = "".join(f" {_option(record)}" for record in bundle.manifest.variants)
    return f"zoo export {quote(target)} --onnx{variants} --overwrite" if target else "zoo export --onnx"


def _option(record: VariantRecord) -> str:
    """What makes `zoo export` add this variant."""
    if record.bits != FP32:
        return f"--{record.bits}"
    return f"--{BATCH}" if record.name == BATCH else f"--fixed-size {record.name.removeprefix(FIXED)}"


def _answers_differ(gates: tuple[object, ...]) -> bool:
    """Whether nothing else is wrong than an answer."""
    return _failing(gates) == {"golden cases"}


def _failing(gates: tuple[object, ...]) -> set[str]:
    return {getattr(gate, "name", "") for gate in gates if getattr(gate, "status", "") not in ("PASS", "WARN")}
