"""Do the golden cases of a manifest belong to the record of the proof: as many, the same files, tolerances as then?

Whoever cuts them down or widens a tolerance must rewrite the record as well, down to PyTorch's noise in the cases that
the gates judge.  A record that was rewritten as a whole is told by the manifest's hash, a signature, or a new proof.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from zoo.bundle import schema_1
from zoo.bundle.judge.cases import usual_noises
from zoo.bundle.judge.evidence import Evidence, GoldenEvidence, GoldenTolerance, Magnitude, OutputError
from zoo.bundle.judge.parity_rule import golden_tolerance
from zoo.bundle.runtime.manifest import GoldenCase, Manifest

WIDEST = 4.0
"""Times the largest recorded answer: no tolerance of zoo's comes near."""


def golden_against_record(manifest: Manifest, evidence: Evidence) -> Iterator[str]:
    """Where the golden cases of a manifest are not those of the record."""
    yield from _useless_tolerances(manifest, evidence)
    if schema_1.wrote(manifest.zoo):  # those records do not tell
        return
    recorded = {case.file: case for case in evidence.golden}
    hashes = manifest.hashes()
    if len(manifest.golden) != len(evidence.golden) or {case.file for case in manifest.golden} != recorded.keys():
        given, proved = len(manifest.golden), len(evidence.golden)
        yield f"the number of golden cases in the manifest is {given}, and the proof gave {proved}"
        return
    for case in manifest.golden:
        golden = recorded[case.file]
        if hashes[case.file] != golden.sha256 or case.graph != golden.graph:
            yield f"the golden case {case.name} is not the one that the proof gave"
        yield from _unlike_tolerances(case, golden, evidence)


def _unlike_tolerances(case: GoldenCase, golden: GoldenEvidence, evidence: Evidence) -> Iterator[str]:
    """Tolerances that do not follow from the record, and parts of them that no case of the record has."""
    parts = {output.name: output for output in golden.outputs}
    allowed = {output.name: output for output in case.outputs if output.compare == "tolerance"}
    graph = evidence.graph(case.graph)
    if graph is None or parts.keys() != allowed.keys():
        yield f"the golden case {case.name} compares other outputs than the proof did"
        return
    usual = usual_noises(graph, evidence.reference.precision)
    measured = {output.name: output for other in graph.cases if other.name == golden.case for output in other.outputs}
    for name, part in parts.items():
        right = golden_tolerance(part, usual.get(name))
        if right != Magnitude(rms=allowed[name].rms, max=allowed[name].max):
            yield (
                f"the golden case {case.name} lets {name} be off by {allowed[name].max:.3g}, "
                f"the record of the proof by {right.max:.3g}"
            )
        elif not _was_measured(part, measured.get(name)):
            yield f"the noise of {name} in the golden case {case.name} is not the one of the proof"


def _was_measured(part: GoldenTolerance, measured: OutputError | None) -> bool:
    """Whether scale and noise are those of the case that was judged."""
    if measured is None:
        return False
    by_rule = measured.compare == "rule"
    return measured.torch == part.noise and (measured.scale == part.scale or not by_rule)


def _useless_tolerances(manifest: Manifest, evidence: Evidence) -> Iterator[str]:
    """Tolerances of several times the recorded answers: any device would pass."""
    scales: dict[tuple[str, str], float] = {}
    for graph in evidence.graphs:
        for output in (output for case in graph.cases for output in case.outputs):
            if output.scale is not None and output.scale.rms:
                key = graph.name, output.name
                scales[key] = max(scales.get(key, 0.0), output.scale.rms)
    for case in manifest.golden:
        for allowed in case.outputs:
            if allowed.rms is not None and allowed.rms > WIDEST * scales.get((case.graph, allowed.name), math.inf):
                yield f"the golden case {case.name} would let any {allowed.name} pass: its tolerance is too wide"
