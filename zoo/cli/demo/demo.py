"""`zoo demo`: a page that runs a bundle in the browser, its runner in JavaScript, or a gallery of pages."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from zoo.api.errors import BadFile, OutputExists, UsageError
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output

SCHEMA = 1


@click.command("demo")
@click.argument("bundles", metavar="[BUNDLE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The page.  [default: demo.html]")
@click.option("--runner", metavar="DIR", type=click.Path(path_type=Path), help="Write run.mjs with its types instead.")
@click.option(
    "--gallery",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write a page for each bundle and an index; without bundles, for all weights that zoo ships (minutes).",
)
@click.option("--variant", metavar="NAME", help="Show a variant of the bundle, as int8, with its own proof.")
@click.option(
    "--onnxruntime-web",
    "package",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="The npm package as .tgz or folder, where it cannot be downloaded.",
)
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@json_option
def demo(
    *,
    bundles: tuple[Path, ...],
    output: Path | None,
    runner: Path | None,
    gallery: Path | None,
    variant: str | None,
    package: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write one page that runs a bundle in the browser, without a server or a network.

    The page replays the proof, takes pictures, a camera, drawings, texts or sounds as the task does, and shows the
    answer. BUNDLE is a bundle, or a run that was exported. The page holds ONNX Runtime Web, which is downloaded once
    from npm (33 MB).
    """
    if sum(place is not None for place in (output, runner, gallery)) > 1:
        raise UsageError("-o, --runner and --gallery are three different things", hint="say one of them")
    if gallery is not None and variant is not None:
        raise UsageError("--variant goes with one bundle, and a gallery shows many", hint="leave it out")
    out = Output(as_json=as_json)
    if gallery is not None:
        from zoo.cli.demo.gallery import write_gallery  # noqa: PLC0415  it may need the exporter

        write_gallery(out, bundles, gallery, package=package, overwrite=overwrite)
    elif len(bundles) != 1:
        what = "several of them go with --gallery DIR" if bundles else "name one: zoo demo BUNDLE -o demo.html"
        raise UsageError(f"zoo demo takes one bundle, and {len(bundles)} were given", hint=what)
    elif not bundles[0].exists():
        hint = "give a bundle, or a run that was exported: zoo export MODEL@WEIGHTS --onnx -o BUNDLE writes one"
        raise BadFile(f"{bundles[0]} does not exist", hint=hint)
    elif runner is not None:
        if package is not None:
            raise UsageError("--onnxruntime-web goes with a page: a runner takes the package that npm installs")
        _write_runner(out, bundles[0], runner, variant=variant, overwrite=overwrite)
    else:
        page = output or Path("demo.html")
        _write_page(out, bundles[0], page, variant=variant, package=package, overwrite=overwrite)


def _write_page(
    out: Output, path: Path, output: Path, *, variant: str | None, package: Path | None, overwrite: bool
) -> None:
    from zoo.bundle.demo.page import demo_page  # noqa: PLC0415  `zoo demo --help` needs none of it
    from zoo.bundle.demo.support import demo_of  # noqa: PLC0415
    from zoo.bundle.runtime.bundle import Bundle  # noqa: PLC0415
    from zoo.cli.demo.runtime_package import runtime_package  # noqa: PLC0415
    from zoo.runs.atomic import check_name, write_text  # noqa: PLC0415

    check_name(output)
    _check_free(output, overwrite=overwrite)
    bundle = Bundle.open(path)
    demo = demo_of(bundle, variant)
    runtime = runtime_package(out, package)
    page = demo_page(bundle, runtime, variant=variant)
    write_text(output, page)
    size = len(page.encode())
    out.document(
        {
            "schema": SCHEMA,
            "page": str(output),
            "bytes": size,
            "bundle": str(bundle.path),
            "model": bundle.manifest.model,
            "task": bundle.manifest.task,
            "variant": variant,
            "verdict": demo.verdict,
            "onnxruntime_web": runtime.version,
        }
    )
    if demo.verdict == "unproved":
        out.note(f"{bundle.unproved(variant)}, and the page says so")
    chosen = f" --variant {quote(variant)}" if variant else ""
    shown = f"{bundle.manifest.model}{f' in {variant}' if variant else ''}"
    out.line(f"{output}: {shown}, {size / 1e6:.1f} MB; open it in a browser")
    out.next(f"zoo demo {quote(str(path))}{chosen} --runner {quote(output.stem)}-runner")


def _check_free(output: Path, *, overwrite: bool) -> None:
    """OutputExists where a page cannot be written."""
    if output.is_dir():
        hint = f"-o {quote(str(output / 'demo.html'))}"
        raise OutputExists(f"{output} is a folder, and the page is one file", hint=hint)
    if output.exists() and not overwrite:
        raise OutputExists(f"{output} exists already", hint="choose another place with -o, or say --overwrite")


def _write_runner(out: Output, path: Path, output: Path, *, variant: str | None, overwrite: bool) -> None:
    from zoo.bundle.demo.runner import write_runner  # noqa: PLC0415  `zoo demo --help` needs none of it
    from zoo.bundle.demo.support import demo_of  # noqa: PLC0415
    from zoo.bundle.runtime.bundle import Bundle  # noqa: PLC0415
    from zoo.runs.atomic import check_name  # noqa: PLC0415

    check_name(output)
    bundle = Bundle.open(path)
    write_runner(bundle, output, variant=variant, overwrite=overwrite)
    model, golden = bundle.manifest.model, len(demo_of(bundle, variant).golden)
    document = {"schema": SCHEMA, "runner": str(output), "bundle": str(bundle.path), "model": model}
    out.document(document | {"variant": variant})
    out.line(f"{output}: run.mjs for {model}, with its types and {golden} golden cases")
    out.next(f"cd {quote(str(output))} && npm install --ignore-scripts && node run.mjs --self-test")
