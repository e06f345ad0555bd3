"""`zoo weights`: what was downloaded, making room, and making weights of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.api.data import counted
from zoo.api.errors import UnknownName, UsageError
from zoo.cli.terminal import text
from zoo.cli.terminal.options import checkpoint_option, complete_name, device_option, json_option
from zoo.cli.terminal.output import Output
from zoo.cli.terminal.progress import ProgressLine
from zoo.models.target import resolve_target
from zoo.models.weights.cached import CachedFile, cached_files
from zoo.models.weights.declaration import declaration, needed_imports
from zoo.registry.catalog import Catalog
from zoo.runs.cache import cache_root
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    from zoo.models.weights.rounding import Dtype
    from zoo.training.results.publish_weights import Packed


@click.group("weights")
def weights() -> None:
    """The downloaded weights, and weights to publish.

    Downloads lie in the folder ZOO_CACHE names; ZOO_OFFLINE=1 downloads nothing, ZOO_MIRROR is the address of a copy.
    """


@weights.command("list")
@json_option
def list_weights(as_json: bool) -> None:
    """What was downloaded, interrupted downloads included, and what was made of files from elsewhere."""
    out = Output(as_json=as_json)
    files = cached_files(Catalog.discover())
    folder = cache_root() / "weights"
    out.document({"schema": 1, "folder": str(folder), "files": [_record(file) for file in files]})
    if files:
        out.table(("weights", "size", "", "file"), [_row(file) for file in files], right=("size",))
        out.next(f"zoo weights clear {files[0].name}")
    else:
        out.note(f"nothing was downloaded to {folder}")
        out.next("zoo list --weights")


@weights.command("clear")
@click.argument("names", nargs=-1, metavar="[WEIGHTS]...", shell_complete=complete_name)
@click.option("--all", "everything", is_flag=True, help="Everything that was downloaded or converted.")
@json_option
def clear_weights(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Delete downloaded and converted weights, named as in `zoo weights list`."""
    out = Output(as_json=as_json)
    if everything == bool(names):
        raise UsageError("say which weights to delete, or --all of them", hint="zoo weights list")
    files = cached_files(Catalog.discover())
    chosen = files if everything else [_named(name, files) for name in names]
    freed = sum(file.remove() for file in chosen)
    out.document({"schema": 1, "removed": [file.name for file in chosen], "bytes": freed})
    out.line(f"deleted {len(chosen)} of {len(files)} files, {text.size(freed)}")
    out.next("zoo weights list")


@weights.command("pack")
@click.argument("target")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A new .safetensors file.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="float16 halves the matrices and leaves the rest; measured afterwards.",
)
@click.option("--tag", help="What they are called after the @; by default the name of the data.")
@click.option("--licence", help="Of the weights, the data's with it; may be left out for embedded data.")
@click.option("--url", default="", help="Where the file will be; without it, it ships inside the plugin's package.")
@click.option("--data", help="What to measure on; by default what the run was trained on.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where a named dataset is kept.")
@device_option
@click.option("--overwrite", is_flag=True, help="Replace the file and its card.")
@checkpoint_option
@json_option
def pack_weights(
    *,
    target: str,
    output: Path,
    dtype: Dtype,
    tag: str | None,
    licence: str | None,
    url: str,
    data: str | None,
    data_root: Path | None,
    device: str,
    overwrite: bool,
    checkpoint: str,
    as_json: bool,
) -> None:
    """Make publishable weights of a run: a safetensors file, a card beside it, and its WeightsSpec.

    TARGET is a run directory; or published weights (cnn@digits), to round or move them.
    """
    out = Output(as_json=as_json)
    request = resolve_target(target, checkpoint=checkpoint, device=device)
    from zoo.training.results.publish_weights import pack  # noqa: PLC0415  torch, after every usage error

    lines = {
        "checking": ProgressLine("checking the data"),
        "fetching": ProgressLine("downloading the weights", unit="bytes"),
        "measuring": ProgressLine("measuring"),
    }
    try:
        packed = pack(
            request,
            output=output,
            dtype=dtype,
            tag=tag,
            licence=licence,
            url=url,
            data=data,
            data_root=data_root,
            overwrite=overwrite,
            **lines,
        )
    finally:
        lines["measuring"].close()
    _print_packed(out, packed)


def _print_packed(out: Output, packed: Packed) -> None:
    spec, reached = packed.spec, packed.evaluation
    for note in reached.notes:
        out.note(note)
    out.document(
        {
            "schema": 1,
            "file": str(packed.path),
            "card": str(packed.card),
            "split": reached.split,
            "items": reached.items,
            "spec": to_json(spec),
            "declaration": declaration(spec),
        }
    )
    out.facts(
        [
            ("file", f"{packed.path}, {text.size(spec.size)}"),
            ("card", str(packed.card)),
            ("measured", f"{reached.data}, {reached.split} split, {counted(reached.items, 'item')}"),
            *((name, f"{value:.4f}") for name, value in reached.metrics.items()),
        ]
    )
    imports = needed_imports(spec).replace("\n", "; ")
    out.line(f"\n# for zoo_weights() in the plugin.py, with: {imports}")
    out.line(declaration(spec) + "\n")
    if spec.resource:
        out.note(f"the file belongs into the package, at {spec.resource.replace(':', '/')}")
    out.next("zoo plugins")


def _named(name: str, files: tuple[CachedFile, ...]) -> CachedFile:
    for file in files:
        if name in (file.name, str(file.path), file.entry.full_name if file.entry else ""):
            return file
    raise UnknownName(
        f"{name} was not downloaded", hint=f"in the cache: {', '.join(file.name for file in files) or 'nothing'}"
    )


def _row(file: CachedFile) -> tuple[str, ...]:
    return (file.name, text.size(file.size), file.remark, str(file.path))


def _record(file: CachedFile) -> dict[str, object]:
    return {
        "name": file.entry.full_name if file.entry else None,
        "path": str(file.path),
        "size": file.size,
        "whole": file.whole,
        "converted": file.remark == "converted",
    }
