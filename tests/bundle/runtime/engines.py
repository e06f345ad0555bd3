"""Runtimes as a third party would publish them: ONNX's own reference evaluator, and some that go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

import zoo
from zoo.bundle.sandbox.installed_runtime import InstalledRuntime, find_runtime
from zoo.registry.catalog import Catalog

HERE = "tests.bundle.runtime.engines"


class Evaluator:
    """`zoo.RuntimeEngine` with onnx.reference."""

    version = onnx.__version__
    provider = "numpy, float32"

    def __init__(self, settings: zoo.EngineSettings) -> None:
        assert list(settings.folder.iterdir()) == [] and Path.cwd() == settings.folder

    def load(self, model: Path) -> Graph:
        return Graph(onnx.load(model))


class Graph:
    def __init__(self, model: onnx.ModelProto) -> None:
        self.evaluator = ReferenceEvaluator(model)
        self.inputs, self.outputs = list(self.evaluator.input_names), list(self.evaluator.output_names)

    def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        print("noise on stdout")  # which must not end up between the replies
        return dict(zip(self.outputs, self.evaluator.run(None, dict(feeds)), strict=True))


class Converting(Evaluator):
    """It has a file of its own, with another file beside it."""

    def convert(self, model: Path, folder: Path) -> Path:
        own = folder / f"{model.stem}.own"
        own.write_bytes(model.read_bytes())
        (folder / f"{model.stem}.json").write_text(json.dumps({"made of": model.name}))
        return own

    def load(self, model: Path) -> Graph:
        assert json.loads(model.with_suffix(".json").read_text()) == {"made of": f"{model.stem}.onnx"}
        return super().load(model)


class Half(Evaluator):
    """Its outputs are rounded to half precision."""

    provider = "numpy, float16"

    def load(self, model: Path) -> Graph:
        class Rounded(Graph):
            def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
                outputs = super().run(feeds)
                return {
                    n: v.astype(np.float16).astype(v.dtype) if v.dtype.kind == "f" else v for n, v in outputs.items()
                }

        return Rounded(onnx.load(model))


class Wrong(Evaluator):
    """The first output is a little too large."""

    def load(self, model: Path) -> Graph:
        class TooLarge(Graph):
            def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
                outputs = dict(super().run(feeds))
                return outputs | {self.outputs[0]: outputs[self.outputs[0]] * np.float32(1.01)}

        return TooLarge(onnx.load(model))


class Limited(Evaluator):
    """It knows no softmax."""

    def load(self, model: Path) -> Graph:
        if any(node.op_type == "Softmax" for node in onnx.load(model).graph.node):
            raise zoo.UnsupportedOperator("Softmax")
        return super().load(model)


class Dying(Evaluator):
    def load(self, model: Path) -> Graph:  # noqa: ARG002
        os.abort()


def catalog(engine: str, **fields: Any) -> Catalog:
    """A catalogue of one plugin whose only runtime is `acme`."""
    spec = zoo.RuntimeSpec(**{"name": "acme", "title": "Acme", "engine": f"{HERE}:{engine}", **fields})
    return Catalog.discover([SimpleNamespace(zoo_runtimes=zoo.hookimpl(lambda: [spec]))])


def runtime(engine: str, **fields: Any) -> InstalledRuntime:
    """That runtime."""
    return find_runtime("acme", catalog(engine, **fields))


class Outsourcing(Evaluator):
    """A process of its own does the work: one second of the processor for each run."""

    def __init__(self, settings: zoo.EngineSettings) -> None:  # noqa: ARG002
        program = "import sys, time\nfor _ in sys.stdin:\n    start = time.process_time()\n"
        program += "    while time.process_time() < start + 1: pass\n    print(flush=True)"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, "-c", program], **pipes)  # type: ignore[call-overload]

    def load(self, model: Path) -> Graph:
        process = self.process

        class Elsewhere(Graph):
            def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
                process.stdin.write("\n")
                process.stdin.flush()
                if not process.stdout.readline():
                    raise RuntimeError(f"its process ended with {process.wait()}")
                return super().run(feeds)

        return Elsewhere(onnx.load(model))


class Renaming(Evaluator):
    """Its outputs are in another order."""

    def load(self, model: Path) -> Graph:
        graph = super().load(model)
        graph.outputs = graph.outputs[::-1]
        return graph


class Narrow(Evaluator):
    """Its integers have 32 bits, and it does not say so."""

    def load(self, model: Path) -> Graph:
        class In32(Graph):
            def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
                return {n: v.astype(np.int32) if v.dtype == np.int64 else v for n, v in super().run(feeds).items()}

        return In32(onnx.load(model))


class Drifting(Evaluator):
    """Every session is a little off from the one before."""

    sessions = 0

    def load(self, model: Path) -> Graph:
        Drifting.sessions += 1
        step = np.float32(Drifting.sessions * 1e-6)

        class Drifted(Graph):
            def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
                return {n: v + step if v.dtype.kind == "f" else v for n, v in super().run(feeds).items()}

        return Drifted(onnx.load(model))


class Credulous(Evaluator):
    """It takes any file."""

    def load(self, model: Path) -> Any:  # noqa: ARG002
        return SimpleNamespace(inputs=[], outputs=[])
