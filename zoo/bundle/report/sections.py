"""The parts of the page that show the evidence, each a list of elements, empty where there is nothing to show."""

from __future__ import annotations

import math
from typing import Final

from zoo.api.data import counted
from zoo.bundle.judge.cases import cells, usual_noises
from zoo.bundle.judge.evidence import Evidence, GraphEvidence, Magnitude
from zoo.bundle.judge.gates import is_killed
from zoo.bundle.judge.parity_rule import WARN_ABOVE, K
from zoo.bundle.report.html import Child, Html, element, joined, table
from zoo.bundle.report.noise_plot import Point, scatter


def status_mark(status: str) -> Html:
    """A status in its colour."""
    return element("span", status, kind=f"status {status.lower()}")


def plots(evidence: Evidence) -> list[Html]:
    """Error against noise, a picture per output under the rule."""
    plots = []
    for graph in evidence.graphs:
        for name in graph.outputs:
            points = _points(graph, name, evidence)
            plots += [scatter(points, title=f"{graph.name}: {name}")] if points else []
    if not plots:
        return []
    words = (
        f"Each point is one case. Across: how far PyTorch's own fp32 is from {_oracle(evidence)}; up: how far the "
        f"file is, both relative to the output. Above the {WARN_ABOVE:g}x line warns, above {K:g}x fails; "
        "open points only inform."
    )
    return [element("p", words, kind="dim"), element("div", *plots, kind="row")]


OWN_PRECISION: Final = (
    "the model itself computes in {}: PyTorch's own rounding in that precision is the noise, and smaller mistakes "
    "cannot be seen"
)


def _oracle(evidence: Evidence) -> str:
    return "your model in fp64" if evidence.reference.kind == "fp64" else "the mean of its backends (fp64 cannot run)"


def _points(graph: GraphEvidence, name: str, evidence: Evidence) -> list[Point]:
    points, noises = [], usual_noises(graph, evidence.reference.precision)
    for case in graph.cases:
        output = next((output for output in case.outputs if output.name == name and output.compare == "rule"), None)
        if output is None:
            continue
        noise, error = _relative(output.torch, output.scale), _relative(output.onnx, output.scale)
        usually = _relative(noises.get(name), output.scale)
        if noise is not None and error is not None:
            status = cells(case, graph, evidence, noises)[name].status.value
            points.append(
                Point(case=case.name, noise=max(noise, usually or 0.0), error=error, status=status, gates=case.gates)
            )
    return points


def _relative(error: Magnitude | None, scale: Magnitude | None) -> float | None:
    if error is None or scale is None or error.rms is None or not scale.rms or not math.isfinite(error.rms):
        return None
    return error.rms / scale.rms


def agreement(evidence: Evidence) -> list[Html]:
    """The task's comparison of all answers, and the metrics of both."""
    compared = evidence.agreement
    if compared is None:
        return []
    disagreeing = compared.items - compared.agreeing - compared.undecided
    counts = f"{counted(compared.items, 'item')} ({evidence.agreement_data or 'synthetic'}): "
    counts += (
        f"{compared.agreeing} answers agree, {compared.undecided} lie inside their own margin, {disagreeing} disagree."
    )
    reference, candidate = compared.reference_metrics, compared.candidate_metrics
    names = sorted({*reference, *candidate})
    rows = [(name, _metric(reference.get(name)), _metric(candidate.get(name))) for name in names]
    metrics = [table(("metric", "PyTorch", "ONNX"), rows)] if rows else []
    worst = [element("ul", *(element("li", line) for line in compared.disagreements))] if compared.disagreements else []
    return [element("p", counts), *metrics, *worst]


def _metric(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def mutants(evidence: Evidence) -> list[Html]:
    """Every mutant and what became of it."""
    if not evidence.mutants:
        return []
    rows = []
    for mutant in evidence.mutants:
        if not mutant.applied:
            status, how = element("span", "does not apply", kind="dim"), ""
        elif is_killed(mutant):
            status, how = status_mark("PASS"), f"rejected by {', '.join(mutant.killed_by)}"
        elif mutant.equivalence:
            status, how = element("span", "equivalent", kind="dim"), mutant.equivalence
        else:
            status, how = status_mark("INCONCLUSIVE"), "survived: the checks do not notice this"
        ratio = "" if mutant.ratio is None else f"{mutant.ratio:.3g}x"
        rows.append((status, element("strong", mutant.name), mutant.detail, how, ratio))
    words = "The same checks were put to copies of this very bundle with one thing made wrong; each must be rejected."
    return [element("p", words, kind="dim"), table(("", "mutant", "what was changed", "outcome", "ratio"), rows)]


def waivers(evidence: Evidence) -> list[Html]:
    """What the plugin asked to be let off, and why."""
    rows = [(waiver.output, waiver.reason, f"{waiver.bound:g}") for waiver in evidence.waivers]
    return [table(("output", "reason", "largest relative error allowed"), rows)] if rows else []


def subject(evidence: Evidence) -> Html:
    """Files, weights and the oracle."""
    about, reference = evidence.subject, evidence.reference
    rows: list[tuple[Child, Child]] = [
        ("weights", joined((about.weights, element("small", about.weights_sha256)))),
        *((file.name, joined((f"{file.bytes:,} bytes", element("small", file.sha256)))) for file in about.files),
        ("measured against", _oracle(evidence) + (f": {reference.reason}" if reference.reason else "")),
        *((("precision", OWN_PRECISION.format(reference.precision)),) if reference.precision != "float32" else ()),
        ("noise from", ", ".join(reference.backends)),
        *(("known discrepancy", sentence) for sentence in reference.discrepancies),
    ]
    return table((), rows, kind="facts")


def environment(evidence: Evidence) -> Html:
    """Machine and versions."""
    where = evidence.environment
    versions = (
        ("zoo", where.zoo),
        ("torch", where.torch),
        ("onnx", where.onnx),
        ("onnxruntime", where.onnxruntime),
        ("numpy", where.numpy),
        ("python", where.python),
    )
    rows: list[tuple[Child, Child]] = [
        ("processor", where.cpu),
        ("system", where.platform),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions if version)),
        ("runtime", f"{where.provider}, {counted(where.threads, 'thread')}"),
        ("sandbox", where.sandbox),
    ]
    return table((), rows, kind="facts")
