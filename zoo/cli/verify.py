"""`zoo verify`: a bundle's files, record and answers, checked here; with --against, the proof derived anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, cast

import click

from zoo.api.errors import BadFile, UsageError
from zoo.api.untrusted import one_line
from zoo.bundle.judge.form_rule import BATCH, FIXED, FP32
from zoo.cli.terminal.options import complete_runtime, json_option, licence_option
from zoo.cli.terminal.output import Output
from zoo.registry.references import resolve
from zoo.runs.kept_files import nothing_kept
from zoo.runs.misspelt import near_outputs

if TYPE_CHECKING:
    from zoo.bundle.runtime.bundle import Bundle
    from zoo.bundle.runtime.manifest import Manifest, VariantRecord
    from zoo.bundle.sandbox.runtime import Engine

SCHEMA = 1
AGAINST = "zoo.cli.export:verify_against"
"""(path, *, against, explain, key, engine, as_json) -> None; it prints and exits as a command does.  Needs torch."""

ANOTHER_BUNDLE = {"manifest", "signature"}
"""Gates that fail where this is not the bundle that was meant."""
OF_THE_BUNDLE = {"files", "proof", "code", "accord", "golden cases"}
"""Gates about the bundle itself; the others are about one of its variants or a runtime."""
MAX_NAMED = 3
"""Files that a sentence names."""


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
        accepted = "give a bundle, a run that was exported, or an .onnx file"
        raise BadFile(f"{target} does not exist", hint=near_outputs(target) or accepted)
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
        for (status, detail), gates in groupby(checked.gates, key=lambda gate: (gate.status.value, gate.detail)):
            names = ", ".join(gate.name for gate in gates)  # one reason is said once
            out.line(one_line(f"{status:<12}  {names:<12}  {detail}"))
        out.line(one_line(f"{bundle.path}: {checked.verdict}, {bundle.manifest.model}, sha256 {bundle.sha256}"))
    if not checked.holds:
        sentence, command = _advice(bundle, checked.gates)
        if sentence:
            out.line(one_line(sentence))
        out.next(command)
        raise click.exceptions.Exit(1)
    out.next(f"zoo predict {quote(str(bundle.path))} INPUT…")


def _advice(bundle: Bundle, gates: tuple[object, ...]) -> tuple[str, str]:
    """After a check that failed: a sentence about what to do, empty where the next command says it all; the command."""
    failing, path, manifest = _failing(gates), quote(str(bundle.path)), bundle.manifest
    if failing & ANOTHER_BUNDLE:
        return "", f"zoo info {path}"
    if "files" in failing and (strays := _strays(bundle)):
        shown = ", ".join(strays[:MAX_NAMED]) + (f" and {len(strays) - MAX_NAMED} more" if strays[MAX_NAMED:] else "")
        them = "is no part of the bundle: remove it" if len(strays) == 1 else "are no part of the bundle: remove them"
        return f"{shown} {them}, or move {them.rpartition(' ')[2]} elsewhere", f"zoo verify {path}"
    if failing == {"golden cases"}:  # nothing else is wrong than an answer
        return "", f"zoo verify {path} --explain"
    if not failing & OF_THE_BUNDLE or (failing == {"proof"} and manifest.verdict == "unproved"):
        return "", f"open {quote(str(bundle.path / 'report.html'))}"
    if command := export_again(manifest, bundle.path):
        return "", command
    source = f" ({manifest.lineage.target})" if manifest.lineage.target else ""
    return f"what it was exported from{source} is not here: copy the bundle again from its origin", f"zoo verify {path}"


def export_again(manifest: Manifest, folder: Path) -> str:
    """The command that makes the bundle in a folder anew, with all that it had.

    Empty where what it was exported from is not here.
    """
    lineage = manifest.lineage
    if lineage.seed is not None:
        target = f"{manifest.model} --untrained --seed {lineage.seed}"
    elif "@" in lineage.target or (lineage.target and (Path(lineage.target) / "run.json").is_file()):
        target = quote(lineage.target)
    else:
        return ""
    parts = [_option(record) for record in manifest.variants]
    parts += [f"--for {quote(record.name)}" for record in manifest.runtimes]
    if folder.resolve() != (Path(lineage.target) / "export").resolve():
        parts.append(f"-o {quote(str(folder))}")
    return " ".join([f"zoo export {target} --onnx", *parts, "--overwrite"])


def _strays(bundle: Bundle) -> list[str]:
    """The files in its folder that are no part of it."""
    own = {*(file.name for file in bundle.manifest.files), "manifest.json", "manifest.json.sig"}
    present = (file for file in bundle.path.rglob("*") if file.is_symlink() or not file.is_dir())
    return sorted({file.relative_to(bundle.path).as_posix() for file in present} - own)


def _option(record: VariantRecord) -> str:
    """What makes `zoo export` add this variant."""
    if record.bits != FP32:
        return f"--{record.bits}"
    return f"--{BATCH}" if record.name == BATCH else f"--fixed-size {record.name.removeprefix(FIXED)}"


def _failing(gates: tuple[object, ...]) -> set[str]:
    return {getattr(gate, "name", "") for gate in gates if getattr(gate, "status", "") not in ("PASS", "WARN")}
