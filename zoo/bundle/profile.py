"""Which nodes of a graph cost most on this machine, and to which module of the model each belongs; torch-free."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.api.errors import UsageError
from zoo.bundle.benchmark import golden_input, variant_input
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.sandbox.runtime import Runtime
from zoo.bundle.sandbox.session import NodeTimes

if TYPE_CHECKING:
    import onnx

OUTSIDE = "ends/"
"""How names of nodes begin that a pipeline has around the model."""
PREPROCESS, POSTPROCESS = "preprocess", "postprocess"
FIRST = "(the model's input)"
"""Nodes of the model before the first that reads parameters."""
INSERTED = "(inserted by the runtime)"
"""Nodes of which the file knows nothing, as one that changes the layout of a tensor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCost:
    """One node that the runtime executes."""

    name: str
    op: str
    module: str
    """As in layer1.0.conv1; preprocess and postprocess are the pipeline's."""
    seconds: float
    """The median of the runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCost:
    """The nodes of one module."""

    module: str
    nodes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCost:
    """One graph on one input."""

    graph: str
    case: str
    """The golden case whose input it got."""
    threads: int
    seconds: float
    """Of a whole run on the clock, the median; the profiler itself takes a part of it."""
    nodes: tuple[NodeCost, ...]
    """The dearest first."""

    def modules(self, depth: int) -> tuple[ModuleCost, ...]:
        """The costs by module, down to so many parts of its name; the dearest first."""
        groups: dict[str, list[NodeCost]] = {}
        for node in self.nodes:
            groups.setdefault(".".join(node.module.split(".")[:depth]), []).append(node)
        rows = [
            ModuleCost(module=name, nodes=len(nodes), seconds=sum(node.seconds for node in nodes))
            for name, nodes in groups.items()
        ]
        return tuple(sorted(rows, key=lambda row: -row.seconds))


def profile_graph(
    bundle: Bundle, *, graph: str, variant: str | None = None, threads: int = 1, batch: int = 1, runs: int = 20
) -> GraphCost:
    """The nodes of model.onnx or pipeline.onnx, or of a variant's, on a golden input.

    UsageError where the bundle has no such variant; HashMismatch where the graph was changed.
    """
    record = None if variant is None else bundle.manifest.variant(variant)
    name = graph if record is None else record.folder + graph
    if record is not None and record.signature is not None:
        if graph not in record.graphs:
            raise UsageError(f"the variant {record.name} has no {graph}", hint="leave --graph out")
        case, feeds = variant_input(bundle, record, batch=batch)
    else:
        case, feeds = golden_input(bundle, graph, batch=batch)
    with Runtime(limits=bundle.limits(), threads=threads) as runtime:
        session = bundle.session(runtime, name, timed=True, profiled=True)
        profile = runtime.profile(session, feeds, runs=runs)
    modules = node_modules(parsed(bundle.read(name)))
    costs = [_cost(node, modules, runs=runs) for node in profile.nodes]
    return GraphCost(
        graph=name,
        case=case.name,
        threads=threads,
        seconds=statistics.median(profile.runs),
        nodes=tuple(sorted(costs, key=lambda node: -node.seconds)),
    )


def parsed(data: bytes) -> onnx.ModelProto:
    """The graph without its weights beside it."""
    import onnx  # noqa: PLC0415  nothing else here needs it

    model: onnx.ModelProto = onnx.ModelProto.FromString(data)
    return model


def _cost(node: NodeTimes, modules: Mapping[str, str], *, runs: int) -> NodeCost:
    """Of a node that runs more than once in a run, as in a loop, the sum."""
    each = max(len(node.seconds) // (runs + 1), 1)
    sums = [sum(node.seconds[start : start + each]) for start in range(each, len(node.seconds), each)]
    seconds = statistics.median(sums or node.seconds)
    return NodeCost(name=node.name, op=node.op, module=_module(node.name, modules), seconds=seconds)


def _module(name: str, modules: Mapping[str, str]) -> str:
    """Of the longest name of the file that the runtime's begins or ends with, where the runtime merged nodes."""
    if name in modules:
        return modules[name]
    like = [known for known in modules if known and (name.startswith(known) or name.endswith(known))]
    return modules[max(like, key=len)] if like else INSERTED


def node_modules(model: onnx.ModelProto) -> dict[str, str]:
    """The module of every node, by the node's name and by those of its outputs, after which a runtime may call it.

    A node that reads parameters is its module's. Any other belongs to the module of the node whose output it reads; the
    nodes around the model to preprocess, or to postprocess where they read what the model gave.
    """
    parameters = {tensor.name for tensor in model.graph.initializer}
    made: dict[str, str] = {}
    modules: dict[str, str] = {}
    values: dict[str, str] = {}
    for node in model.graph.node:
        own = next((_module_of(name) for name in node.input if name in parameters and _module_of(name)), "")
        before = next((made[name] for name in reversed(node.input) if made.get(name)), "")
        module = (own or before or FIRST) if not node.name.startswith(OUTSIDE) else _around(node.input, made)
        modules[node.name] = module
        for output in node.output:
            made[output] = "" if module == PREPROCESS else module
            values[output] = module
    return values | modules


def _around(inputs: Sequence[str], made: Mapping[str, str]) -> str:
    return POSTPROCESS if any(made.get(name) for name in inputs) else PREPROCESS


def _module_of(parameter: str) -> str:
    """ "layer1.0.conv1" of "layer1.0.conv1.weight"; empty for a constant of the graph."""
    module, dot, _ = parameter.rpartition(".")
    return module if dot and not parameter.startswith(OUTSIDE) else ""
