"""What to write instead, where a model cannot be captured or its file is wrong: the line and the hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import onnx
import torch
from torch import nn

from zoo.api.errors import NotProved, PluginError, ZooError
from zoo.api.task import Case, Signature
from zoo.bundle.judge.evidence import Evidence, GraphEvidence, Precision
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.verdict import judge
from zoo.models.outputs import Array, call
from zoo_export.capture.onnx_graph import nodes
from zoo_export.capture.torch_export import Graph
from zoo_export.measure.weights import changed_buffers
from zoo_export.proof.hints import (
    BATCH,
    CAPTURE,
    CHANGED,
    CONSTANT,
    DRAWS,
    GUARD,
    NOT_FINITE,
    OF_ANY_SIZE,
    OF_RUNTIME,
    OTHER_OPERATOR,
    RANDOM,
    REFUSED,
    SHAPES,
    WIDE,
    WRONG,
)
from zoo_export.reference.call_sites import (
    CallSite,
    forward_site,
    operators,
    site_in_trace,
    site_of,
    site_of_frame,
    site_of_node,
    training_site,
)
from zoo_export.reference.suspect_lines import mixing_site, not_finite_site, unrolling_site
from zoo_export.subject.results import Outputs
from zoo_export.subject.subject import Subject

Sites = Mapping[str, CallSite]
"""By operator, the first line that calls it."""


def refused(error: ZooError, subject: Subject, inputs: Mapping[str, Array], plain: onnx.ModelProto | None) -> ZooError:
    """The refusal of a capture with the module, the line and the hint."""
    if isinstance(error, NotProved):
        return _in_training(error, subject.module)
    reason = _words(error)
    operator, sites = _operator(reason), _sites(subject.module, inputs, subject.signature)
    site = site_of(error, subject.module) or _of_node(reason, plain, subject.module, sites)
    site = site or _called(operator, sites) or site_of_node(error, subject.module)
    if site is None and "inferred a static shape" in reason:
        site = _found(unrolling_site, subject.module, inputs, subject.signature)
    known = _newer_opset(reason) or _hint(f"{reason} {site.code if site else ''}")
    if site is None:  # the exporter names no line: one that is known to give trouble
        site = next((other for other in sites.values() if _hint(other.code)), None)
        known = known or (_hint(site.code) if site else "")
    hint = known or (OTHER_OPERATOR if operator or site else error.hint)
    if any(isinstance(part, torch.jit.ScriptModule) for part in subject.module.modules()):
        hint = _hint("ScriptModule")
    return PluginError(f"{_whole(error)}{_at(site)}", hint=hint)


def demand_running(subject: Subject, case: Case) -> None:
    """PluginError with the module, the line and the hint where the model gives an input of its task no answer."""
    module = subject.module
    try:
        outputs = call(module, case.inputs, subject.signature)
    except ZooError as error:
        raise PluginError(f"{error.message}{_from(module)}", hint=error.hint) from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        site = site_of(error, module)
        refusal = f"{subject.model} does not run on an input of its task: {said}{_at(site)}"
        raise PluginError(refusal, hint=_hint(said) or SHAPES) from error
    for port in subject.signature.outputs:
        if outputs[port.name].dtype == np.float16 != np.dtype(port.dtype):
            refusal = f"{subject.model} gives {port.name} in float16; the task's signature says {port.dtype}"
            raise PluginError(f"{refusal}{_from(module)}", hint="end the model with .float()")


def _from(module: nn.Module) -> str:
    site = forward_site(module)
    return f"; its answer comes from {site}" if site else ""


def _at(site: CallSite | None) -> str:
    return f"; it is called in {site}" if site else ""


def _in_training(error: NotProved, module: nn.Module) -> NotProved:
    """Which module stays in training mode, and where it says so."""
    path, part = next((path, part) for path, part in module.named_modules() if part.training)
    site = training_site(part, path or "the model")
    where = f"; {site} overrides train()" if site else ""
    return NotProved(f"{error.message}{where}", hint="let train(False) reach every module: do not override train()")


def advice(evidence: Evidence, subject: Subject, cases: Sequence[Case], graph: Graph) -> tuple[str, ...]:
    """Sentences for a proof that failed on its answers or its constants; empty for all others."""
    published = {measured.name: measured.sha256 for measured in evidence.graphs}
    failed = {gate.name for gate in judge(evidence, published=published).gates if gate.status == Status.FAIL}
    if not failed & {"eval mode", "determinism", "parity", "pipeline", "axes", "lineage"}:
        return ()
    inputs = [case.inputs for case in cases]
    return tuple(dict.fromkeys(_advice(evidence, subject, inputs, graph)))


def _advice(evidence: Evidence, subject: Subject, inputs: Sequence[Outputs], graph: Graph) -> Iterator[str]:
    module, signature = subject.module, subject.signature
    refusals = dict.fromkeys(said for measured in evidence.graphs for said in _refusals(measured))
    sites = _sites(module, inputs[0], signature)
    if refusals:
        yield from _of_runtime(refusals, graph, module, sites, precision=evidence.reference.precision)
    else:
        yield from _of_randomness(evidence, graph, module, sites)
        broken = _found(not_finite_site, module, inputs[0], signature)
        if broken is not None:
            yield f"{broken}: {NOT_FINITE}"
        changed = changed_buffers(module, inputs[0], signature)
        yield from (f"the buffer {name} is another one after every call: {CHANGED}" for name in changed)
        steady = not changed and all(one.determinism is None or one.determinism.torch_equal for one in evidence.graphs)
        if steady and broken is None and (mixed := _found(mixing_site, module, inputs, signature)):
            yield f"{mixed}: {BATCH}"
        lines = [site for line in graph.guard_lines if (site := site_of_frame(line, module)) is not None]
        yield from (f"{site}: {GUARD}" for site in dict.fromkeys(lines) if graph.guard_violations)
    if evidence.lineage is not None and evidence.lineage.extra and "lift_fresh" in sites:
        yield f"{sites['lift_fresh']}: {CONSTANT}"
    for name, words in (*WRONG.items(), *(OF_ANY_SIZE.items() if _has_sizes(signature) else ())):
        site = _named(name, sites)
        if site is not None:
            yield f"{site}: instead of {name} write {words}"


def _has_sizes(signature: Signature) -> bool:
    """Whether an input has an axis of any size beside the first."""
    return any(isinstance(size, str) for port in signature.inputs for size in port.shape[1:])


def _refusals(graph: GraphEvidence) -> list[str]:
    """What the runtime said about cases that it could not run."""
    axes = graph.axes.tested if graph.axes is not None else ()
    said = [case.error for case in graph.cases if case.error]
    return said or [sentence for axis in axes for sentence in axis.failures if "ONNX Runtime says" in sentence]


def _of_runtime(
    refusals: Iterable[str], graph: Graph, module: nn.Module, sites: Sites, *, precision: Precision
) -> Iterator[str]:
    """The line behind a node that the runtime refuses, and what to write instead."""
    for said in refusals:
        node = re.search(r"(?:Name:|with name )'([^']+)'", said)
        if node is None:
            continue
        name = node[1].partition("/")[0]
        site = _line_of(name, graph.plain.model, module, sites)
        where = f"{site}: " if site is not None else ""
        dtype = _narrow_or_wide(name, graph.plain.model) or ("" if precision == "float32" else precision)
        missing = "NOT_IMPLEMENTED" in said and dtype
        hint = next((entry.words for entry in OF_RUNTIME if re.search(entry.pattern, said)), REFUSED)
        yield f"{where}{WIDE.format(dtype) if missing else hint}"


def _of_randomness(evidence: Evidence, graph: Graph, module: nn.Module, sites: Sites) -> Iterator[str]:
    """The line that draws random numbers; where none was met, those behind the nodes that do."""
    drawn = next((site for name, site in sites.items() if name.strip("_").removesuffix("_like") in DRAWS), None)
    for measured in evidence.graphs[:1]:
        for node in measured.facts.random if measured.facts is not None else ():
            site = drawn or _line_of(node.rpartition(" ")[2], graph.plain.model, module, sites)
            if site is not None:
                yield f"{site}: {RANDOM}"


def _narrow_or_wide(name: str, plain: onnx.ModelProto) -> str:
    """What a node computes in, where that is not float32; empty where that is not known."""
    node = next((node for node in nodes(plain.graph) if node.name == name), None)
    types = {value.name: value.type.tensor_type.elem_type for value in (*plain.graph.value_info, *plain.graph.output)}
    kind = types.get(node.output[0], onnx.TensorProto.FLOAT) if node is not None else onnx.TensorProto.FLOAT
    return "" if kind == onnx.TensorProto.FLOAT else onnx.TensorProto.DataType.Name(kind).lower()


def _found(find: Callable[..., CallSite | None], *arguments: object) -> CallSite | None:
    try:
        return find(*arguments)
    except Exception:  # a mode that the module does not take says nothing about it
        return None


def _sites(module: nn.Module, inputs: Mapping[str, Array], signature: Signature) -> dict[str, CallSite]:
    try:
        return operators(module, inputs, signature)
    except Exception:  # a mode that the module does not take says nothing about it
        return {}


def _words(error: BaseException) -> str:
    """Everything that the exporter said, the innermost first."""
    words, cause = [], error.__cause__
    while cause is not None:
        words.append(str(cause))
        cause = cause.__cause__
    return " ".join([*reversed(words), str(error)])


def _hint(words: str) -> str:
    return next((entry.words for entry in CAPTURE if re.search(entry.pattern, words)), "")


def _whole(error: ZooError) -> str:
    """The message, with the lines that follow where it ends in a colon."""
    innermost = error.__cause__
    while innermost is not None and innermost.__cause__ is not None:
        innermost = innermost.__cause__
    if not error.message.endswith(":") or innermost is None:
        return error.message
    rest = " ".join(line.strip() for line in str(innermost).splitlines()[1:4] if line.strip())
    return f"{error.message} {rest}".rstrip(":")


def _operator(reason: str) -> str:
    """The operator that the exporter names, as PyTorch calls it, but for underscores."""
    match = re.search(r"(?:aten|prims)[.:]+(\w+)", reason)
    if match:
        return match[1].removesuffix("_functional").removesuffix("_cachemask")
    missing = re.search(r"No Op registered for (\w+)", reason)
    return missing[1].lower() if missing else ""


def _newer_opset(reason: str) -> str:
    """The opset that has an operator which the one asked for lacks."""
    missing = re.search(r"No Op registered for (\w+) with domain_version of (\d+)", reason)
    if missing is None or not onnx.defs.has(missing[1]):
        return ""
    first, last = int(missing[2]) + 1, onnx.defs.onnx_opset_version()
    since = next((version for version in range(first, last + 1) if _has(missing[1], version)), None)
    return f"say --opset {since}: {missing[1]} is in no earlier one" if since is not None else ""


def _has(operator: str, opset: int) -> bool:
    try:
        return bool(onnx.defs.get_schema(operator, opset))
    except onnx.defs.SchemaError:
        return False


def _of_node(reason: str, plain: onnx.ModelProto | None, module: nn.Module, sites: Sites) -> CallSite | None:
    """The line of the user's code that a node of the captured graph comes from, by what the exporter says."""
    match = re.search(r"node name: (\w+)\)", reason)
    return None if match is None or plain is None else _line_of(match[1], plain, module, sites)


def _line_of(name: str, plain: onnx.ModelProto, module: nn.Module, sites: Sites) -> CallSite | None:
    """The line of the user's code that a node of the captured graph comes from, by the node's name.

    The exporter keeps the lines of `forward` alone; where the operator was met in the eager run, its own line is known.
    """
    for node in nodes(plain.graph):
        if node.name == name:
            facts = {entry.key.rpartition(".")[2]: entry.value for entry in node.metadata_props}
            operator = re.search(r"target=torch\.ops\.\w+\.(\w+)", facts.get("fx_node", ""))
            met = _named(operator[1].removeprefix("native_"), sites) if operator else None
            return met or site_in_trace(facts.get("stack_trace", ""), module)
    return None


def _named(operator: str, sites: Sites) -> CallSite | None:
    """Where an operator is called, or the first line that has its name."""
    lines = (site for site in sites.values() if re.search(rf"\b{operator}\(", site.code))
    return sites.get(operator) or next(lines, None)


def _called(operator: str, sites: Mapping[str, CallSite]) -> CallSite | None:
    """Where an operator of this name, or of one that contains it, is called."""
    wanted = operator.replace("_", "")
    similar = (site for name, site in sites.items() if wanted and wanted in name.replace("_", ""))
    return sites.get(operator) or next(similar, None)
