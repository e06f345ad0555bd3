"""What to write instead, where a model cannot be captured or its file is wrong: the line and the hint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import onnx
from torch import nn

from zoo.api.errors import NotProved, PluginError, ZooError
from zoo.api.task import Signature
from zoo.bundle.judge.evidence import RANGE, CaseEvidence, Evidence
from zoo.bundle.judge.parity_rule import Status, judge_output
from zoo.bundle.judge.verdict import judge
from zoo.models.outputs import Array
from zoo_export.reference.call_sites import CallSite, operators, site_in_trace, site_of, training_site
from zoo_export.subject.subject import Subject


@dataclass(frozen=True, slots=True)
class Hint:
    """What to write instead of something."""

    pattern: str
    """A regular expression: of what the exporter says, of the user's line, or of an operator's name."""
    words: str


CAPTURE: Final = (
    Hint(
        r"pack_padded_sequence|PackedSequence|zeros\(\): argument 'size'",
        "pack_padded_sequence cannot be captured: run the layer over the padded sequence and take what lies inside "
        "`lengths`, as zoo's own recurrent models do (zoo_rnn/model.py)",
    ),
    Hint(
        r"specialized integer from data-dependent|\.item\(\)|_local_scalar_dense",
        "compute with the tensor instead of int(...), .item() or a slice of it: a mask, torch.where or gather",
    ),
    Hint(
        r"data-dependent expression|DataDependent",
        "write torch.cond(condition, if_true, if_false, operands) or torch.where instead of a Python `if` on values",
    ),
    Hint(
        r"conflicts between user-specified ranges|constraints violated|ConstraintViolation|\] \* \w+\.shape\[0\]",
        "this line fixes an axis at the size of the example, as a list of x.shape[0] parts or int(x.shape[0]) does: "
        "use expand or other operators on the tensor",
    ),
    Hint(r"linalg_matrix_exp", "fold the parametrization first: torch.nn.utils.parametrize.remove_parametrizations"),
    Hint(r"adaptive_max_pool", "use max_pool2d with a kernel that divides the size, or adaptive_avg_pool2d"),
    Hint(r"cumprod|prims\.prod", "write torch.exp(torch.cumsum(torch.log(x), dim)) for positive x, or avoid cumprod"),
    Hint(r"rrelu", "nn.RReLU is nn.LeakyReLU((lower + upper) / 2) in eval mode: use that"),
    Hint(r"fake_quant", "export the model without fake quantisation, and add --int8 for a quantised variant"),
    Hint(
        r"max_pool\w*\(.*ceil_mode|ceil_mode=True",
        "pad the input with F.pad and pool with ceil_mode=False: the operators round other shapes up",
    ),
    Hint(r"ZeroDivision|adaptive_avg_pool", "pool with x.mean((2, 3)), or give the input a fixed size"),
    Hint(r"UninitializedParameter|Lazy", "build the model with fixed sizes, or run it once in its builder"),
)
"""In order; the first that matches holds."""
OTHER_OPERATOR: Final = "write it with other operators, in the model or in an adapter (ModelSpec.adapter)"
WRONG: Final = {
    "masked_scatter": "torch.where(mask, values, x), with the values at their places",
    "scatter_reduce": "scatter_add, or amax over a mask, instead of scatter_reduce with include_self=False or mean",
    "index_reduce": "scatter_add, or amax over a mask",
    "topk": "the values alone: which of equal values comes first is left to the runtime",
    "einsum": "einsum without an ellipsis, or matmul and transpose",
    "rand_like": "an input of noise that the caller gives",
    "randn_like": "an input of noise that the caller gives",
    "rand": "an input of noise that the caller gives",
    "randn": "an input of noise that the caller gives",
    "bernoulli": "an input of noise that the caller gives",
    "native_dropout": "F.dropout(x, p, training=self.training), or nn.Dropout",
    "dropout": "F.dropout(x, p, training=self.training), or nn.Dropout",
    "native_batch_norm": "batch norm with running statistics (track_running_stats=True), which eval mode uses",
    "_native_batch_norm_legit": "batch norm with running statistics (track_running_stats=True), which eval mode uses",
    "cond": "torch.where on one item, or a condition for each item: torch.cond decides for the whole batch at once",
}
"""Operators that are often behind a wrong file, with what to write instead."""
SIZES: Final = frozenset({"size", RANGE})
"""Kinds of cases that are there for their size."""
BATCHED: Final = r"batch (?:[2-9]|\d\d)|PyTorch's own .* depends on what else is in the batch"
BATCH: Final = "an item must not depend on what else is in its batch: no sum, maximum or mean over the batch axis"
OVER_BATCH: Final = r"\.(?:max|min|mean|sum|std|var|any|all)\(\)|flip\(0\)"
"""A line that likely puts the items of a batch together."""
GUARD: Final = "a Python `if` on a size is captured as it is for the example: write torch.where, or torch.cond"


def refused(error: ZooError, subject: Subject, inputs: Mapping[str, Array], plain: onnx.ModelProto | None) -> ZooError:
    """The refusal of a capture with the module, the line and the hint."""
    if isinstance(error, NotProved):
        return _in_training(error, subject.module)
    reason = _words(error)
    operator, sites = _operator(reason), _sites(subject.module, inputs, subject.signature)
    site = site_of(error, subject.module) or _of_node(reason, plain, subject.module) or _called(operator, sites)
    known = _newer_opset(reason) or _hint(f"{reason} {site.code if site else ''}")
    if site is None:  # the exporter names no line: one that is known to give trouble
        site = next((other for other in sites.values() if _hint(other.code)), None)
        known = known or (_hint(site.code) if site else "")
    where = f"; it is called in {site}" if site else ""
    hint = known or (OTHER_OPERATOR if operator or site else error.hint)
    return PluginError(f"{_whole(error)}{where}", hint=hint)


def _in_training(error: NotProved, module: nn.Module) -> NotProved:
    """Which module stays in training mode, and where it says so."""
    path, part = next((path, part) for path, part in module.named_modules() if part.training)
    site = training_site(part, path or "the model")
    where = f"; {site} overrides train()" if site else ""
    return NotProved(f"{error.message}{where}", hint="let train(False) reach every module: do not override train()")


def advice(evidence: Evidence, subject: Subject, inputs: Mapping[str, Array], *, guards: bool) -> tuple[str, ...]:
    """Sentences for a proof that failed on its answers; empty for all others."""
    published = {graph.name: graph.sha256 for graph in evidence.graphs}
    failed = {gate.name for gate in judge(evidence, published=published).gates if gate.status == Status.FAIL}
    if not failed & {"eval mode", "determinism", "parity", "pipeline", "axes"}:
        return ()
    return tuple(dict.fromkeys(_advice(evidence, subject, inputs, guards=guards)))


def _advice(evidence: Evidence, subject: Subject, inputs: Mapping[str, Array], *, guards: bool) -> Iterator[str]:
    graphs = evidence.graphs
    failures = [s for graph in graphs if graph.axes for axis in graph.axes.tested for s in axis.failures]
    steady = all(graph.determinism is None or graph.determinism.torch_equal for graph in graphs)
    sites = _sites(subject.module, inputs, subject.signature)
    runs = not any(case.error for graph in graphs for case in graph.cases)
    if steady and runs and any(re.match(BATCHED, sentence) for sentence in failures):
        where = next((f"{site}: " for site in sites.values() if re.search(OVER_BATCH, site.code)), "")
        yield f"{where}{BATCH}"
    if guards and not any(_is_wrong(case) for graph in graphs for case in graph.cases if case.kind not in SIZES):
        yield GUARD
    for name, words in WRONG.items():
        site = sites.get(name) or next((site for site in sites.values() if re.search(rf"\b{name}\(", site.code)), None)
        if site is not None:
            yield f"{site}: instead of {name} write {words}"


def _is_wrong(case: CaseEvidence) -> bool:
    return bool(case.error) or any(judge_output(output).status == Status.FAIL for output in case.outputs)


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


def _of_node(reason: str, plain: onnx.ModelProto | None, module: nn.Module) -> CallSite | None:
    """The line of the user's code that a node of the captured graph comes from."""
    match = re.search(r"node name: (\w+)\)", reason)
    if match is None or plain is None:
        return None
    for node in plain.graph.node:
        if node.name == match[1]:
            trace = next((entry.value for entry in node.metadata_props if entry.key.endswith("stack_trace")), "")
            return site_in_trace(trace, module)
    return None


def _called(operator: str, sites: Mapping[str, CallSite]) -> CallSite | None:
    """Where an operator of this name, or of one that contains it, is called."""
    wanted = operator.replace("_", "")
    similar = (site for name, site in sites.items() if wanted and wanted in name.replace("_", ""))
    return sites.get(operator) or next(similar, None)
