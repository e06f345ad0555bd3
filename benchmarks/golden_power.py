"""Mutants that golden cases alone notice: with items of the data, and with stand-ins where the data must not travel.

PYTHONPATH=.:plugins:export python benchmarks/golden_power.py

Each model is exported twice from published weights, its embedded data taken for somebody's own.  Mutants are those of
the proof, and "antialias off" and "half-pixel off" of pictures.  Writes golden_power.md.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from zoo.api.errors import ZooError
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.golden_replay import replay
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.target import resolve_target
from zoo_export.bundle.write import write
from zoo_export.controls.graph_edits import ON_MODEL, ON_PREPROCESS
from zoo_export.controls.resize_edits import half_pixel_off, without_antialias
from zoo_export.proof.prove import Proof, prove
from zoo_export.subject.load import find_subject

EDITS = ("weight", "scale", "bias", "classes", "normalisation", "channels", "resize")
MODELS = ("cnn@digits", "gru@names", "fcn_tiny@digit_scenes", "yolo_nano@digit_scenes")
HEAD = """# Mutants that golden cases alone notice

Written by `benchmarks/golden_power.py`. Each model is exported with golden cases of its data, and with embedded and
synthetic ones that stand in for them, as where the data are somebody's own. The mutant `scale` of
`fcn_tiny` has the same answers: the class of a pixel does not change when all its scores are scaled.

| model | mutants | killed by items of the data | killed by stand-ins | not killed by stand-ins |
|---|---|---|---|---|
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model's mutants, and which of them each kind of golden cases kills."""

    model: str
    mutants: tuple[str, ...]
    real: frozenset[str]
    stand_ins: frozenset[str]

    def __str__(self) -> str:
        missed = ", ".join(name for name in self.mutants if name not in self.stand_ins) or "none"
        return f"| {self.model} | {len(self.mutants)} | {len(self.real)} | {len(self.stand_ins)} | {missed} |"


def mutants(proof: Proof) -> Iterator[tuple[str, onnx.ModelProto]]:
    """pipeline.onnx with one thing wrong, by name."""
    whole = proof.exported.pipeline.shipped.model
    for name in EDITS:
        mutated = {**ON_MODEL, **ON_PREPROCESS}[name](whole)
        if mutated is not None:
            yield name, mutated.model
    for edit in (without_antialias, half_pixel_off):
        changed = edit(whole)
        if changed is not None:
            yield edit.__name__.replace("_", " "), changed


def killed(bundle: Bundle, named: dict[str, onnx.ModelProto], runtime: Runtime) -> frozenset[str]:
    """The mutants that some golden case of the pipeline does not take for the original."""
    cases = [case for case in bundle.manifest.golden if case.graph == "pipeline.onnx"]

    def notices(model: onnx.ModelProto) -> bool:
        try:
            session = runtime.session(model.SerializeToString())
            return any(replay(bundle.path, cases, lambda _: lambda feeds: runtime.run(session, feeds)).values())
        except ZooError:
            return True

    return frozenset(name for name, model in named.items() if notices(model))


def row(name: str, folder: Path) -> Row:
    """One model, exported twice."""
    request = resolve_target(name, checkpoint="best", untrained=False)
    subject = find_subject(request.target, request.catalog)
    subject = replace(subject, card=subject.evaluation)
    found: dict[bool, frozenset[str]] = {}
    named: dict[str, onnx.ModelProto] = {}
    for of_users in (True, False):
        proof = prove(subject, opset=18, evaluate=20, golden_of_users=of_users)
        written = write(proof, folder / f"{name}-{of_users}", reproduce=(), allow_unproved=True)
        named = named or dict(mutants(proof))
        with Runtime() as runtime:
            found[of_users] = killed(Bundle.open(written.path), named, runtime)
    return Row(model=name, mutants=tuple(named), real=found[True], stand_ins=found[False])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = HEAD
        for name in MODELS:
            page += f"{row(name, Path(folder))}\n"
            Path(__file__).with_suffix(".md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
