"""What every exportable model must keep: its proof passes, and the bundle answers without torch.  [torch]"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Final

from zoo.api.data import DataCard
from zoo.api.specs import ModelSpec
from zoo.bundle.judge.parity_rule import Status
from zoo.models.target import ModelTarget, Target, WeightsTarget
from zoo.models.weights.source import published_source
from zoo.registry.name_resolution import RegistryEntry
from zoo.testing.check_context import CheckContext
from zoo.testing.score import Failing, NotApplicable
from zoo_export.bundle.write import Written, write
from zoo_export.capture.torch_export import DEFAULT_OPSET
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.load import find_subject
from zoo_export.subject.subject import Subject

Model = RegistryEntry[ModelSpec]
TIMEOUT_SECONDS: Final = 300.0
"""For the self-test of the bundle."""
TRUTH_ITEMS: Final = 64
"""Items of the task's data whose answers are held against their truth."""
REPLAY: Final = """
import runpy, sys
sys.modules.update(dict.fromkeys(["torch", "torchvision", "onnx", "zoo", "zoo_export"]))
sys.argv[:] = [sys.argv[1], "--self-test"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""The bundle's own runner, where importing torch or zoo is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One proof and the bundle that was written."""

    proof: Proof
    written: Written
    weights: str


def proof(context: CheckContext, entry: Model) -> str:
    """The export is proved: every gate passes."""
    exported = _exported(context, entry)
    if not exported.proof.verdict.publishes:
        raise Failing(
            exported.proof.verdict.sentence,
            next_step=f"zoo export {entry.bare_name} --onnx --untrained shows the report",
        )
    return f"{exported.proof.verdict.sentence} with {exported.weights}"


def truth(context: CheckContext, entry: Model) -> str:
    """The answers reach on the task's own data what the model's trainer measures on the raw head."""
    exported = _exported(context, entry)
    gate = next(gate for gate in exported.proof.verdict.gates if gate.name == "truth")
    if gate.status == Status.FAIL:
        raise Failing(gate.detail, next_step="compare the postprocess of the task's graphs with its metrics")
    if gate.status != Status.PASS:
        raise NotApplicable(gate.detail)
    return gate.detail


def dynamic_axes(context: CheckContext, entry: Model) -> str:
    """Every axis that is declared dynamic was run at several sizes."""
    exported = _exported(context, entry)
    gate = next(gate for gate in exported.proof.verdict.gates if gate.name == "axes")
    if gate.status not in (Status.PASS, Status.WARN):
        raise Failing(gate.detail, next_step="compute no shapes in Python from the sizes of a tensor")
    tested = {
        f"{axis.name} {', '.join(map(str, axis.tested))}"
        for graph in exported.proof.evidence.graphs
        if graph.axes is not None
        for axis in graph.axes.tested
    }
    return "; ".join(sorted(tested)) or "no axis is declared dynamic"


def golden_replay(context: CheckContext, entry: Model) -> str:
    """The bundle's own runner, without torch and without zoo, reproduces the golden cases."""
    exported = _exported(context, entry)
    if not exported.written.published:
        raise NotApplicable("the proof did not pass, so there is no bundle")
    done = subprocess.run(
        [sys.executable, "-c", REPLAY, str(exported.written.path / "run.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    output = (done.stdout.strip() or done.stderr.strip()).splitlines()
    if done.returncode:
        raise Failing("; ".join(output[-3:]), next_step="the task's runner may import numpy and Pillow alone")
    return output[-1]


def _exported(context: CheckContext, entry: Model) -> Exported:
    reason = entry.spec.export.not_exportable
    if reason:
        raise NotApplicable(f"it is declared not to be exportable: {reason}")
    return context.once(entry, "exported", lambda: _export(context, entry))


def _export(context: CheckContext, entry: Model) -> Exported:
    target = _shipped(context, entry)
    subject = find_subject(target, context.catalog, untrained=isinstance(target, ModelTarget), data=False)
    subject = replace(subject, evaluation=_data(context, entry, subject))
    exported = prove(subject, opset=DEFAULT_OPSET, evaluate=TRUTH_ITEMS)
    written = write(exported, context.folder("bundle"), reproduce=())
    return Exported(proof=exported, written=written, weights=subject.lineage.weights)


def _data(context: CheckContext, entry: Model, subject: Subject) -> DataCard | None:
    """The task's data, where they are those of the model's problem: drawn weights are measured on them as well."""
    try:
        card = context.card(entry)
    except NotApplicable:
        return None
    problem = subject.task.problem(card, entry.spec.input)
    return card if problem.classes == subject.problem.classes else None


def _shipped(context: CheckContext, entry: Model) -> Target:
    """The model with weights that lie in a package, where there are any; else with seeded live ones."""
    for weights in context.catalog.weights(entry.full_name):
        if weights.spec.resource:
            return WeightsTarget(model=entry, source=published_source(context.catalog, weights, entry))
    return ModelTarget(model=entry)
