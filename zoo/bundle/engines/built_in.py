"""The runtimes of this distribution."""

from __future__ import annotations

from typing import Final

from zoo.api.runtime import RuntimeSpec

CHROMIUM_ADDRESSES_MB: Final = 64 << 20
"""Chromium reserves terabytes of addresses, and uses little of them."""
BUILT_IN_RUNTIMES: Final = (
    RuntimeSpec(
        name="onnxruntime",
        title="ONNX Runtime",
        engine="zoo.bundle.sandbox.worker:Worker",
        summary="the reference: every proof is made with it",
    ),
    RuntimeSpec(
        name="ort",
        title="ONNX Runtime's own format",
        engine="zoo.bundle.engines.ort_format:OrtFormatEngine",
        suffix=".ort",
        summary="minimal builds of ONNX Runtime: .ort files, and the list of the operators that a build needs",
    ),
    RuntimeSpec(
        name="openvino",
        title="OpenVINO",
        engine="zoo.bundle.engines.openvino:OpenVinoEngine",
        extra="openvino",
        summary="Intel's processors; it reads the ONNX files of a bundle",
    ),
    RuntimeSpec(
        name="onnxruntime-web",
        title="ONNX Runtime Web",
        engine="zoo.bundle.engines.onnxruntime_web:OnnxRuntimeWebEngine",
        setup="zoo.cli.demo.runtime_package:node_package",
        cannot=("It runs in one thread: the threads of WebAssembly need a server with special headers.",),
        summary="WebAssembly in Node, as in a page of `zoo demo`; it needs node and npm",
    ),
    RuntimeSpec(
        name="onnxruntime-web-chromium",
        title="ONNX Runtime Web in Chromium",
        engine="zoo.bundle.engines.onnxruntime_web_chromium:OnnxRuntimeWebChromiumEngine",
        setup="zoo.cli.demo.runtime_package:chromium_package",
        memory_mb=CHROMIUM_ADDRESSES_MB,
        local_sockets=True,
        cannot=(
            "It runs in one thread: the threads of WebAssembly need a server with special headers.",
            "Its memory is limited by Chromium: 4 GB for WebAssembly.",
        ),
        summary="WebAssembly in a headless browser, as in a page of `zoo demo`; it needs chromium or google-chrome",
    ),
    RuntimeSpec(
        name="mnn",
        title="MNN",
        engine="zoo.bundle.engines.mnn:MnnEngine",
        suffix=".mnn",
        extra="mnn",
        cannot=("It has no integers of 64 bits: token ids and labels are computed in 32.",),
        summary="phones and boards; it executes .mnn files, which zoo makes of the ONNX files",
    ),
)
