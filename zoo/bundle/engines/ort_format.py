"""ONNX Runtime with files of its own format (.ort), which its minimal builds read; each with the operators it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.api.runtime import EngineSettings


class OrtFormatEngine:
    """`zoo.RuntimeEngine` with ONNX Runtime and .ort files."""

    provider = "CPUExecutionProvider, float32"

    def __init__(self, settings: EngineSettings) -> None:
        import onnxruntime  # noqa: PLC0415  in the sandboxed process alone

        self.runtime, self.threads = onnxruntime, settings.threads
        self.version = str(onnxruntime.__version__)

    def convert(self, model: Path, folder: Path) -> Path:
        """MODEL.ort, and MODEL.required_operators_and_types.config, from which a minimal build is made.

        The optimizations are those that hold on every processor: layouts of one of them are left out.
        """
        from onnxruntime.tools import convert_onnx_models_to_ort as tool  # noqa: PLC0415

        tool.convert_onnx_models_to_ort(
            model, output_dir=folder, optimization_styles=[tool.OptimizationStyle.Fixed], enable_type_reduction=True
        )
        config = folder / f"{model.stem}.required_operators_and_types.config"
        config.write_text(config.read_text(encoding="utf-8").replace(f"{folder.resolve()}/", ""), encoding="utf-8")
        return folder / f"{model.stem}.ort"

    def load(self, model: Path) -> OrtFormatGraph:
        """The session of MODEL.ort."""
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.add_session_config_entry("session.load_model_format", "ORT")
        session = self.runtime.InferenceSession(model.read_bytes(), options, providers=["CPUExecutionProvider"])
        return OrtFormatGraph(session)


class OrtFormatGraph:
    """One session."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.inputs = [port.name for port in session.get_inputs()]
        self.outputs = [port.name for port in session.get_outputs()]

    def run(self, feeds: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name."""
        return dict(zip(self.outputs, self.session.run(self.outputs, dict(feeds)), strict=True))
