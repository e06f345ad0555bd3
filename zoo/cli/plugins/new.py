"""`zoo plugins new`: a complete package for a plugin, written beside you."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.api.errors import UsageError
from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.models.target import resolve_target
from zoo.models.weights.declaration import declaration, needed_imports
from zoo.registry.catalog import Catalog
from zoo.registry.loader import Plugin
from zoo.runs.scratch import ScratchFolder
from zoo.testing.scaffold.package import Kind, Package, check_name, new_package, tour

if TYPE_CHECKING:
    from zoo.training.results.publish_weights import Packed


@click.command("new")
@click.argument("name")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder; by default ./zoo-NAME.")
@click.option("--with-trainer", is_flag=True, help="With a way of training of its own.")
@click.option("--with-task", is_flag=True, help="With a task that zoo does not know: data, metric, comparison.")
@click.option("--with-callback", is_flag=True, help="No model: a callback, which listens to trainings of any model.")
@click.option("--weights-only", metavar="TARGET", help="No model: the weights of a run, or published ones, packed.")
@click.option("--licence", help="Of the weights, where it does not follow from their data.")
@json_option
def new(
    *,
    name: str,
    output: Path | None,
    with_trainer: bool,
    with_task: bool,
    with_callback: bool,
    weights_only: str | None,
    licence: str | None,
    as_json: bool,
) -> None:
    """Write a package for the plugin NAME: declaration, model, conformance test, CI, README and licence.

    It installs, lists, trains on the default data, exports, proves and passes the conformance kit as it is; a callback
    is named with `zoo train MODEL --callback`.
    """
    out, catalog = Output(as_json=as_json), Catalog.discover()
    kinds: dict[Kind, bool] = {"callback": with_callback, "task": with_task, "trainer": with_trainer}
    if weights_only and any(kinds.values()):
        raise UsageError("--weights-only writes no model", hint="leave out the options that begin with --with-")
    if with_callback and (with_task or with_trainer):
        raise UsageError("--with-callback writes no model", hint="leave out --with-trainer and --with-task")
    if weights_only:
        package = _of_weights(name, weights_only, licence, output, catalog)
    else:
        kind: Kind = next((kind for kind, asked in kinds.items() if asked), "model")
        package = new_package(name, kind=kind, place=output, taken=catalog.plugins)
    written = package.write()
    commands = [f"cd {package.place}", "pip install -e '.[test]'"]
    commands += [*tour(name, package.kind, weights=package.values.get("weights", "")), f"zoo plugins check {name}"]
    out.document(
        {
            "schema": 1,
            "plugin": name,
            "place": str(package.place),
            "kind": package.kind,
            "files": [str(path) for path in written],
            "next": commands,
        }
    )
    for path in written:
        out.line(str(path))
    for command in commands:
        out.next(command)


def _of_weights(name: str, target: str, licence: str | None, place: Path | None, catalog: Catalog) -> Package:
    """A package around the weights of a target, measured as they are stored."""
    check_name(name, catalog.plugins)
    request = resolve_target(target, catalog=catalog)
    new_package(name, kind="weights", place=place)  # a place that is taken is refused before anything is measured
    from zoo.training.results.publish_weights import pack  # noqa: PLC0415  torch, after every usage error

    with ScratchFolder.make() as folder:
        packed = pack(request, output=folder.path / f"{name}.safetensors", licence=licence)
        return _around(name, packed, place, catalog)


def _requirement(plugin: Plugin) -> str:
    """The package that brings the model, from its present version on."""
    return f"{plugin.distribution}>={plugin.version}" if plugin.version else plugin.distribution


def _around(name: str, packed: Packed, place: Path | None, catalog: Catalog) -> Package:
    model = catalog.model(packed.spec.model)
    spec = replace(packed.spec, model=model.full_name, resource=f"zoo_{name}:weights/{name}.safetensors", url="")
    text = declaration(spec).replace("\n", "\n    ")
    return new_package(
        name,
        kind="weights",
        place=place,
        taken=catalog.plugins,
        requires=() if model.plugin.built_in else (_requirement(model.plugin),),
        values={
            "weights": f"{model.full_name}@{name}/{spec.tag}",
            "imports": needed_imports(spec, "hookimpl"),
            "declaration": text,
        },
        binaries={
            f"weights/{name}.safetensors": packed.path.read_bytes(),
            f"weights/{name}.md": packed.card.read_bytes(),
        },
    )
