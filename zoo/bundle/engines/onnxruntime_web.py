"""ONNX Runtime Web in Node: WebAssembly on the processor, one thread, as in a page of `zoo demo`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.api.runtime import EngineSettings, UnsupportedOperator
from zoo.bundle.demo.runtime_package import SCRIPT, WASM

PROGRAM = Path(__file__).with_suffix(".mjs")
# without the trap handler WebAssembly does not reserve 10 GB of addresses for each memory
NODE = ("node", "--disable-wasm-trap-handler")
_UNSUPPORTED = re.compile(
    r"(?:not find an implementation for|No Op registered for|not a registered function/op).*?(\w+)\("
)


def refusal(words: str) -> Exception:
    """What ONNX Runtime Web says, as UnsupportedOperator where it is that."""
    match = _UNSUPPORTED.search(words)
    return UnsupportedOperator(match[1]) if match else RuntimeError(words)


class OnnxRuntimeWebEngine:
    """`zoo.RuntimeEngine` with onnxruntime-web; its setup is the folder of the npm package."""

    def __init__(self, settings: EngineSettings) -> None:
        package = Path(settings.setup)
        self.folder = settings.folder
        self.process = subprocess.Popen(
            [*NODE, str(PROGRAM), str(package / SCRIPT), str(package / WASM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        about = self.ask({"do": "hello"})
        self.version = str(about["version"])
        self.provider = f"wasm in Node {about['node']}, float32"

    def load(self, model: Path) -> OnnxRuntimeWebGraph:
        """The graph as a session in Node."""
        reply = self.ask({"do": "open", "model": str(model)})
        return OnnxRuntimeWebGraph(self, reply)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Node's reply to one request."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"Node ended with exit code {self.process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        if "error" not in reply:
            return reply
        raise refusal(reply["error"])


class OnnxRuntimeWebGraph:
    """One session in Node."""

    def __init__(self, engine: OnnxRuntimeWebEngine, opened: Mapping[str, Any]) -> None:
        self.engine = engine
        self.session = opened["session"]
        self.inputs, self.outputs = list(opened["inputs"]), list(opened["outputs"])

    def __del__(self) -> None:
        if self.engine.process.poll() is None:
            self.engine.ask({"do": "close", "session": self.session})

    def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name; arrays go through files."""
        table = []
        for index, (name, value) in enumerate(feeds.items()):
            path = self.engine.folder / f"in-{index}"
            path.write_bytes(np.ascontiguousarray(value).data)
            table.append({"name": name, "kind": value.dtype.str, "shape": list(value.shape), "file": str(path)})
        request = {"do": "run", "session": self.session, "feeds": table, "file": str(self.engine.folder / "out")}
        return {
            answer["name"]: np.frombuffer(Path(answer["file"]).read_bytes(), answer["kind"]).reshape(answer["shape"])
            for answer in self.engine.ask(request)["answers"]
        }
