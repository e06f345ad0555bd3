"""OpenVINO on the processor, in single precision: what is compared is the arithmetic of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.api.runtime import EngineSettings, UnsupportedOperator

_UNSUPPORTED = re.compile(
    r"(?:No conversion rule found|not supported|unsupported).*?operations?:?\s*([\w.]+)", re.S | re.I
)
"""The name of the operator in OpenVINO's own words."""


class OpenVinoEngine:
    """`zoo.RuntimeEngine` with OpenVINO."""

    provider = "CPU, float32"

    def __init__(self, settings: EngineSettings) -> None:
        import openvino  # noqa: PLC0415  in the sandboxed process alone

        self.core = openvino.Core()
        self.version = openvino.__version__.partition("-")[0]
        self.threads = settings.threads

    def load(self, model: Path) -> OpenVinoGraph:
        """The compiled graph; RuntimeError where it would compute in less than single precision."""
        settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": self.threads}
        try:
            compiled = self.core.compile_model(self.core.read_model(model), "CPU", settings)
        except RuntimeError as error:
            match = _UNSUPPORTED.search(str(error))
            raise (UnsupportedOperator(match[1]) if match else error) from error
        precision = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if precision != "f32":
            raise RuntimeError(f"it computes in {precision} here, not in single precision")
        return OpenVinoGraph(compiled)


class OpenVinoGraph:
    """One compiled graph."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        self.inputs = [_name(port) for port in compiled.inputs]
        self.outputs = [_name(port) for port in compiled.outputs]

    def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name."""
        outputs = self.compiled(dict(feeds))
        return {_name(port): np.array(outputs[port]) for port in self.compiled.outputs}


def _name(port: Any) -> str:
    """The graph's own: a compiled tensor may have the names of others as well, where a node did nothing."""
    return str(port.get_node().get_friendly_name().removesuffix("/sink_port_0"))
