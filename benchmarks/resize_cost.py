"""What the portable resize costs beside ONNX's own antialiased Resize, in ONNX Runtime and, where installed, OpenVINO.

PYTHONPATH=.:plugins:export python benchmarks/resize_cost.py > benchmarks/resize_cost.txt

Both forms are exported and run alternately on the same noise, one thread each; CPU seconds, the median of several runs.
`apart` is the largest difference between ONNX Runtime's and OpenVINO's grey levels, of the portable form and of Resize.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.api.problem import ImageInput
from zoo.data.image.preprocess import ImagePrepare
from zoo.data.image.resize import ROUND

SHAPES = [(17, 17), (28, 28), (100, 75), (375, 500), (480, 640), (1080, 1920), (3000, 4000)]
INPUTS = {
    "28": ImageInput(size=(28, 28)),
    "96": ImageInput(size=(96, 96)),
    "320": ImageInput(size=(320, 320)),
    "256, crop 224": ImageInput(size=(224, 224), resize=256),
    "256, crop 224, bicubic": ImageInput(size=(224, 224), resize=256, interpolation="bicubic"),
}
EQUAL_SIZES = """28x28 to 28 px is above the bar of 2: ONNX's Resize returns at once where the sizes are equal.
pipeline.onnx takes pictures of any size, so that its operators are the same for all; a branch in the graph would be
one more thing that runtimes treat differently, for 0.05 ms."""
Run = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]


class Portable(nn.Module):
    """The geometry of pipeline.onnx."""

    def __init__(self, image: ImageInput) -> None:
        super().__init__()
        self.prepare = ImagePrepare(image)

    def forward(self, image: Tensor) -> Tensor:
        """uint8 [height, width, 3] -> levels float32 [1, 3, *size]."""
        return self.prepare.geometry(image)


class Antialiased(nn.Module):
    """The same by torch's antialiased interpolation, which is exported as Resize with `antialias`."""

    def __init__(self, image: ImageInput) -> None:
        super().__init__()
        self.image = image

    def forward(self, image: Tensor) -> Tensor:
        """uint8 [height, width, 3] -> levels float32 [1, 3, *size]."""
        levels = image.permute(2, 0, 1).contiguous().to(torch.float32).unsqueeze(0)
        height, width = levels.shape[-2:]
        size: Any = self.image.size
        if self.image.resize is not None:
            short: Any = torch.sym_min(height, width)
            size = (self.image.resize * height // short, self.image.resize * width // short)
        for step in ((height, size[1]), size):
            smooth = F.interpolate(levels, step, mode=self.image.interpolation, antialias=True)
            levels = torch.floor(smooth + ROUND[self.image.interpolation]).clamp(0.0, 255.0)
        top, left = ((size[0] - self.image.size[0]) // 2, (size[1] - self.image.size[1]) // 2)
        rows, columns = torch.arange(self.image.size[0]) + top, torch.arange(self.image.size[1]) + left
        return levels.index_select(-2, rows).index_select(-1, columns)


def exported(module: nn.Module) -> bytes:
    """The module as ONNX of any height and width."""
    dynamic = {"image": {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}}
    example = (torch.zeros(37, 53, 3, dtype=torch.uint8),)
    program = torch.onnx.export(
        module.eval(), example, dynamo=True, opset_version=18, dynamic_shapes=dynamic, verbose=False
    )
    assert program is not None
    program.optimize()
    data: bytes = program.model_proto.SerializeToString()
    return data


def in_onnxruntime(model: bytes) -> Run:
    """The graph in ONNX Runtime, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda image: session.run(None, {name: image})[0]


def in_openvino(model: bytes) -> Run:
    """The graph in OpenVINO, one thread, fp32."""
    import openvino  # noqa: PLC0415  optional

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(model), "CPU", settings)
    return lambda image: compiled([image])[0]


def alternately(one: Run, other: Run, image: np.ndarray[Any, Any], *, rounds: int) -> tuple[float, float]:
    """CPU milliseconds of both, median."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, seconds in ((one, spent[0]), (other, spent[1])):
            start = time.process_time()
            run(image)
            seconds.append(time.process_time() - start)
    return 1e3 * median(spent[0]), 1e3 * median(spent[1])


def main() -> None:
    """One row an input size and a picture size."""
    torch.set_num_threads(1)
    openvino = find_spec("openvino") is not None
    print(f"{'to':<24}{'from':<13}{'portable ms':>12}{'Resize ms':>11}{'ratio':>7}{'apart':>7}{'Resize apart':>14}")
    for name, image in INPUTS.items():
        models = [exported(Portable(image)), exported(Antialiased(image))]
        portable, resize = (in_onnxruntime(model) for model in models)
        in_other = [in_openvino(model) for model in models] if openvino else []
        for height, width in SHAPES:
            noise = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
            new, old = alternately(portable, resize, noise, rounds=5 if height > 1000 else 25)
            apart = [
                f"{np.abs(run(noise) - other(noise)).max():.0f}"
                for run, other in zip((portable, resize), in_other, strict=False)
            ] or ["-", "-"]
            row = f"{name:<24}{f'{height}x{width}':<13}{new:>12.2f}{old:>11.2f}{new / old:>7.2f}"
            print(f"{row}{apart[0]:>7}{apart[1]:>14}", flush=True)
    print(f"\n{EQUAL_SIZES}")


if __name__ == "__main__":
    main()
