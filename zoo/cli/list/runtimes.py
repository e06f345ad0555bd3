"""`zoo list --runtimes`: what can execute the graphs of a bundle."""

from __future__ import annotations

from zoo.api.runtime import RuntimeSpec
from zoo.bundle.sandbox.installed_runtime import REFERENCE
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.registry.catalog_listing import is_available
from zoo.registry.listing import matches
from zoo.registry.name_resolution import RegistryEntry


def list_runtimes(out: Output, pattern: str) -> None:
    """The runtimes whose full name fits the pattern."""
    catalog = Catalog.discover()
    for plugin in catalog.plugins:
        out.note(plugin.warning)
    runtimes = [entry for entry in catalog.runtimes() if matches(entry.full_name, pattern)]
    if out.as_json:
        out.document([runtime_record(catalog, entry) for entry in runtimes])
    elif runtimes:
        out.table(
            ("runtime", "plugin", "computes in", "own file", "needs", "is"),
            [
                (
                    entry.bare_name,
                    entry.plugin.name,
                    entry.spec.precision,
                    entry.spec.suffix,
                    "" if is_available(catalog, entry) else f"the extra {entry.spec.extra}",
                    entry.spec.summary,
                )
                for entry in runtimes
            ],
        )
    else:
        out.note("no runtime fits")
    others = (entry for entry in runtimes if entry.name != REFERENCE and is_available(catalog, entry))
    useful = next(others, None)
    out.next(f"zoo verify BUNDLE --runtime {useful.bare_name}" if useful else "zoo list --runtimes")


def runtime_record(catalog: Catalog, entry: RegistryEntry[RuntimeSpec]) -> dict[str, object]:
    """One runtime for machines."""
    spec = entry.spec
    return {
        "name": entry.full_name,
        "plugin": entry.plugin.name,
        "title": spec.title,
        "summary": spec.summary,
        "precision": spec.precision,
        "suffix": spec.suffix,
        "extra": spec.extra,
        "cannot": list(spec.cannot),
        "available": is_available(catalog, entry),
    }


def describe_runtime(out: Output, catalog: Catalog, entry: RegistryEntry[RuntimeSpec]) -> None:
    """`zoo info NAME` of a runtime."""
    spec, plugin = entry.spec, entry.plugin
    out.document({"schema": 1, "kind": "runtime", **runtime_record(catalog, entry)})
    missing = catalog.missing(entry)
    out.facts(
        [
            ("runtime", entry.full_name),
            ("", f"{spec.title}: {spec.summary}" if spec.summary else spec.title),
            ("plugin", f"{plugin.name} ({plugin.distribution} {plugin.version})".replace("( )", "(not installed)")),
            ("computes in", spec.precision),
            ("own file", f"MODEL{spec.suffix}" if spec.suffix else "none, it reads ONNX"),
            ("cannot", " ".join(spec.cannot)),
            ("missing", f"{', '.join(missing)}: pip install '{plugin.distribution}[{spec.extra}]'" if missing else ""),
        ]
    )
    out.line()
    out.next("zoo export --onnx" if entry.name == REFERENCE else f"zoo export --onnx --for {entry.bare_name}")
