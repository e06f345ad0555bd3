"""A runtime that can be used here: its declaration, and what its process is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zoo.api.errors import PluginError, ZooError, describe_error
from zoo.api.runtime import MAX_MEMORY_MB, RuntimePrecision, RuntimeSpec
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry

REFERENCE: Final = "onnxruntime"
"""The name of the runtime that every proof is made with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledRuntime:
    """What the sandbox needs to know of a runtime."""

    name: str
    """As its plugin bids: bare for the built-in ones, "acme/npu" where the bare name is another's."""
    title: str
    engine: str = ""
    """"module:object"; empty for ONNX Runtime, which the sandbox itself runs."""
    precision: RuntimePrecision = "float32"
    suffix: str = ""
    setup: str = ""
    """The path of what it needs beside Python packages."""
    memory_mb: int = MAX_MEMORY_MB
    local_sockets: bool = False
    """Whether its process may talk to others on this machine."""
    cannot: tuple[str, ...] = ()

    @property
    def is_reference(self) -> bool:
        """Whether it is the runtime that every proof is made with."""
        return not self.engine

    @property
    def is_exact(self) -> bool:
        """Whether it computes in single precision, and is held to the tolerances of the proof."""
        return self.precision == "float32"


ONNXRUNTIME: Final = InstalledRuntime(name=REFERENCE, title="ONNX Runtime")


def find_runtime(name: str, catalog: Catalog | None = None) -> InstalledRuntime:
    """The runtime of a name; None has the catalogue discovered.

    UnknownName with close ones, MissingExtra with the line of pip, or what its setup raises, NetworkError among it.
    """
    if name == REFERENCE:
        return ONNXRUNTIME
    catalog = catalog or Catalog.discover()
    entry = catalog.runtime(name)
    if entry.spec.name == REFERENCE and entry.plugin.built_in:
        return ONNXRUNTIME
    catalog.check_extra(entry)
    return InstalledRuntime(
        name=entry.bare_name,
        title=entry.spec.title,
        engine=entry.spec.engine,
        precision=entry.spec.precision,
        suffix=entry.spec.suffix,
        setup=_setup(entry, catalog),
        memory_mb=entry.spec.memory_mb,
        local_sockets=entry.spec.local_sockets,
        cannot=entry.spec.cannot,
    )


def _setup(entry: RegistryEntry[RuntimeSpec], catalog: Catalog) -> str:
    """What its setup returns; empty without one."""
    reference = entry.spec.setup
    if reference is None:
        return ""
    setup = catalog.load(entry, reference)
    if not callable(setup):
        raise PluginError(f"{reference!r} of the {entry.plugin.title} is not callable, so {entry.full_name} is not")
    try:
        return str(Path(setup()))
    except ZooError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the {entry.plugin.title} could not set up {entry.full_name}: {describe_error(error)}"
        ) from error
