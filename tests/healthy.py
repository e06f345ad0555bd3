"""Evidence of a healthy bundle, to be changed one piece at a time."""

from __future__ import annotations

from dataclasses import replace

from zoo.api.task import GENERIC_CONTROLS, Agreement
from zoo.bundle.judge.evidence import (
    Axes,
    Axis,
    CaseEvidence,
    Determinism,
    Environment,
    EvalMode,
    Evidence,
    File,
    GraphEvidence,
    GraphFacts,
    Labels,
    Lineage,
    LiveOutput,
    Magnitude,
    MutantResult,
    OutputError,
    Reference,
    Subject,
    Truth,
)
from zoo.bundle.runtime.code_check import zoo_version
from zoo.bundle.runtime.consistency import classes_sha256

MODEL, PIPELINE = "a" * 64, "b" * 64
CLASSES = classes_sha256(("red", "green", "blue"))
PUBLISHED = {"model.onnx": MODEL, "pipeline.onnx": PIPELINE, "manifest.json": "d" * 64}


def output(name: str, error: float = 1e-6) -> OutputError:
    """A float output whose noise is 1e-6 of its scale."""
    return OutputError(
        name=name,
        compare="rule",
        dtype="float32",
        reference_dtype="float32",
        shape=(1, 10),
        reference_shape=(1, 10),
        finite=True,
        reference_finite=True,
        scale=Magnitude(rms=1.0, max=2.0),
        onnx=Magnitude(rms=error, max=2 * error),
        torch=Magnitude(rms=1e-6, max=2e-6),
        sqnr_db=120.0,
    )


def graph(name: str, sha256: str, *, out: str, axes: tuple[Axis, ...]) -> GraphEvidence:
    """One graph with four gating cases and one that informs."""
    cases = tuple(
        CaseEvidence(
            name=f"case-{i}", kind="uniform", gates=i < 4, inputs={"image": (1, 3, 8, 8)}, outputs=(output(out),)
        )
        for i in range(5)
    )
    return GraphEvidence(
        name=name,
        sha256=sha256,
        role="model" if name == "model.onnx" else "pipeline",
        cases=cases,
        facts=GraphFacts(opset=18, opset_asked=18, ir_version=10, ops={"Conv": 2, "Relu": 1}, domains=("",)),
        determinism=Determinism(torch_equal=True, runtime_equal=True, repeats=2),
        liveness=(LiveOutput(name=out, inputs=4, spread=0.5, noise=1e-6, onnx_spread=0.5),),
        axes=Axes(tested=axes),
        outputs=(out,),
    )


def healthy_evidence() -> Evidence:
    """Nothing is wrong with it."""
    batch = Axis(input="x", index=0, name="batch", tested=(1, 2, 3, 7), example=2)
    height = Axis(input="image", index=0, name="height", tested=(28, 37, 64), example=28)
    width = replace(height, index=1, name="width")
    return Evidence(
        environment=Environment(
            zoo=zoo_version(),
            python="3.13",
            platform="Linux",
            cpu="one",
            onnxruntime="1.31.1",
            numpy="2.4.6",
            provider="CPUExecutionProvider",
            threads=1,
            sandbox="8192 MB",
        ),
        subject=Subject(
            model="cnn/cnn",
            task="image-classification",
            files=tuple(File(name=name, sha256=digest, bytes=100) for name, digest in PUBLISHED.items()),
            weights="cnn@digits",
            weights_sha256="e" * 64,
        ),
        reference=Reference(kind="fp64", backends=("default", "no-onednn", "channels-last")),
        graphs=(
            graph("model.onnx", MODEL, out="y", axes=(batch,)),
            graph("pipeline.onnx", PIPELINE, out="probabilities", axes=(height, width)),
        ),
        eval_mode=EvalMode(modules=9),
        lineage=Lineage(total=8, equal=8),
        labels=Labels(
            classes=10,
            expected_sha256=CLASSES,
            files={"manifest.json": CLASSES, "model.onnx": CLASSES},
            known=3,
            known_right=3,
        ),
        agreement=Agreement(items=500, agreeing=499, undecided=1),
        skew=(),
        truth=Truth(items=500, answers={"top1": 0.98}, own={"top1": 0.98, "loss": 0.1}),
        mutants=tuple(
            MutantResult(name=kind, applied=True, graph="model.onnx", detail="changed", killed_by=("parity",))
            for kind in GENERIC_CONTROLS
        ),
        seconds={"parity": 1.5},
    )
