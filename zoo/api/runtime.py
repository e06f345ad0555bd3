"""What a plugin declares about a runtime, and what its engine does in the sandboxed process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from zoo.api.specs import TASK_NAME, Reference, check_pattern, check_reference

RuntimePrecision = Literal["float32", "tf32", "bfloat16", "float16", "int8"]
"""What a runtime computes in, the most exact first."""

MAX_MEMORY_MB: Final = 8192
"""Address space of a sandboxed process, unless a runtime declares more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSpec:
    """Something that executes ONNX graphs, or what it converts them to.

    Examples:
        >>> zoo.RuntimeSpec(name="mine", title="My runtime", engine="my_package:Engine", summary="for a chip").precision
        'float32'
    """

    name: str
    """What --runtime and --for call it; unique in its plugin."""
    title: str
    """Its product name, as sentences have it: "OpenVINO"."""
    engine: Reference
    """A class with the methods of `zoo.RuntimeEngine`, imported in the sandboxed process."""
    precision: RuntimePrecision = "float32"
    """What it computes in.  "float32" is held to the tolerances of the proof, all else to a budget of the metric."""
    suffix: str = ""
    """How the name of its own file ends, ".mnn", which `engine.convert` writes; empty where it reads ONNX."""
    setup: Reference | None = None
    """() -> Path: what it needs beside Python packages, found or fetched in zoo's own process, which has a network.
    MissingExtra or NetworkError with the name of what is missing."""
    extra: str | None = None
    """The optional-dependency group of the plugin's own distribution that it needs."""
    memory_mb: int = MAX_MEMORY_MB
    """Address space that its process may have."""
    local_sockets: bool = False
    """Whether its process needs sockets of the machine itself, as a browser does; the network stays cut off."""
    cannot: tuple[str, ...] = ()
    """What it cannot do, a sentence each."""
    summary: str = ""
    """What it is, in half a line."""
    conformance: Mapping[str, str] = field(default_factory=dict)
    """Checks of the conformance kit that do not apply, each with the reason, which is shown."""

    def __post_init__(self) -> None:
        check_pattern(TASK_NAME, self.name, what="a runtime's name", form="'openvino'")
        check_reference(self.engine, what=f"the engine of {self.name}")
        check_reference(self.setup, what=f"the setup of {self.name}")
        if self.suffix and not (self.suffix.startswith(".") and self.suffix[1:].isalnum()):
            raise ValueError(f"the suffix of {self.name} is {self.suffix!r}; it must look like '.mnn'")
        if self.memory_mb < 1:
            raise ValueError(f"memory_mb of {self.name} is {self.memory_mb}; it must be 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What an engine is made with.

    Examples:
        >>> class Engine:
        ...     def __init__(self, settings: zoo.EngineSettings):
        ...         self.threads = settings.threads
    """

    threads: int
    """Threads of one run."""
    folder: Path
    """An empty folder of its own, removed afterwards; the current directory."""
    setup: str = ""
    """The path that `RuntimeSpec.setup` returned; empty without one."""


class LoadedGraph(Protocol):
    """One graph, ready to run.

    Examples:
        >>> class Doubling:
        ...     inputs, outputs = ("x",), ("y",)
        ...     def run(self, feeds):
        ...         return {"y": 2 * feeds["x"]}
        >>> Doubling().run({"x": np.float32([1, 2])})["y"].tolist()
        [2.0, 4.0]
    """

    inputs: Sequence[str]
    """Names, as in the ONNX graph."""
    outputs: Sequence[str]
    """Names, in the order of the ONNX graph."""

    def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name for the inputs by name, numpy arrays of the graph's dtypes and shapes."""


class RuntimeEngine(Protocol):
    """A runtime in the sandboxed process: without a network, with limits of memory and time.

    It is called as `engine(settings)` with `zoo.EngineSettings`.  Whatever it raises becomes "NAME says …".  An
    operator that it does not know is best raised as `zoo.UnsupportedOperator`.

    Examples:
        >>> class Engine:
        ...     version, provider = "1.0", "my chip, float32"
        ...     def __init__(self, settings):
        ...         self.threads = settings.threads
        ...     def load(self, model):
        ...         raise zoo.UnsupportedOperator("IsNaN")
    """

    version: str
    """Of the runtime."""
    provider: str
    """What executes a graph, with the precision: "CPU, float32"."""

    def load(self, model: Path) -> LoadedGraph:
        """The graph in a file: ONNX, or what `convert` wrote."""

    def convert(self, model: Path, folder: Path) -> Path:
        """Write the runtime's own file for an ONNX file into a folder; returns its path, MODEL.mnn of MODEL.onnx.

        Only where `RuntimeSpec.suffix` names it.  Files that belong to it lie beside it.
        """


class UnsupportedOperator(Exception):
    """An engine's refusal of a graph because of an operator: its type, and the node where that is known.

    Examples:
        >>> str(zoo.UnsupportedOperator("IsNaN"))
        'it has no operator IsNaN'
    """

    def __init__(self, operator: str, *, node: str = "") -> None:
        super().__init__(f"it has no operator {operator}" + (f" (node {node!r})" if node else ""))
        self.operator = operator
        self.node = node
