"""ONNX Runtime Web in headless Chromium, as a page of `zoo demo` has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.api.runtime import EngineSettings
from zoo.bundle.demo.runtime_package import SCRIPT, WASM
from zoo.bundle.engines.chromium import Page, find_browser
from zoo.bundle.engines.onnxruntime_web import refusal

HERE = Path(__file__).parent


class OnnxRuntimeWebChromiumEngine:
    """`zoo.RuntimeEngine` with onnxruntime-web in a page; its setup is the folder of the npm package."""

    def __init__(self, settings: EngineSettings) -> None:
        browser = find_browser()
        if browser is None:
            raise RuntimeError("there is no Chromium here")
        package = Path(settings.setup)
        self.page = Page(browser, settings.folder, (HERE / "chromium_page.js").read_text(encoding="utf-8"))
        self.page.put("runtime.mjs", (package / SCRIPT).read_bytes())
        self.page.put("runtime.wasm", (package / WASM).read_bytes())
        self.page.put("sessions.mjs", (HERE / "onnxruntime_web_sessions.mjs").read_bytes())
        about = self.page.call("start")
        self.version = str(about["version"])
        found = re.search(r"Chrome/([\d]+)", about["browser"])
        self.provider = f"wasm in Chromium {found[1] if found else ''}, float32"

    def load(self, model: Path) -> OnnxRuntimeWebChromiumGraph:
        """The graph as a session in the page, with the weights that lie beside it."""
        beside = [path for path in sorted(model.parent.iterdir()) if path.suffix != ".onnx"]
        for path in beside:
            self.page.put(path.name, path.read_bytes())
        self.page.put("model", model.read_bytes())
        return OnnxRuntimeWebChromiumGraph(self, self.ask("open", beside=[path.name for path in beside]))

    def ask(self, function: str, **arguments: Any) -> dict[str, Any]:
        """The page's reply; UnsupportedOperator where it says that it has none of the name."""
        try:
            return self.page.call(function, **arguments)
        except RuntimeError as error:
            raise refusal(str(error)) from error


class OnnxRuntimeWebChromiumGraph:
    """One session in the page."""

    def __init__(self, engine: OnnxRuntimeWebChromiumEngine, opened: Mapping[str, Any]) -> None:
        self.engine = engine
        self.session = opened["session"]
        self.inputs, self.outputs = list(opened["inputs"]), list(opened["outputs"])

    def __del__(self) -> None:
        self.engine.ask("close", session=self.session)

    def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name."""
        table = []
        for name, value in feeds.items():
            self.engine.page.put(name, np.ascontiguousarray(value).tobytes())
            table.append({"name": name, "kind": value.dtype.str, "shape": list(value.shape)})
        answers = self.engine.ask("run", session=self.session, feeds=table)["answers"]
        return {answer["name"]: self._array(answer) for answer in answers}

    def _array(self, answer: Mapping[str, Any]) -> Any:
        data = self.engine.page.take(answer["file"], answer["size"])
        return np.frombuffer(data, answer["kind"]).reshape(answer["shape"])
