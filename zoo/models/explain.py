"""Where a classifier looks: Grad-CAM (Selvaraju et al., ICCV 2017) by captum, of the extra `explain`.  [torch]

The map is that of the class the model answers, at the last feature map, drawn over the picture as the model reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from zoo.api.errors import MissingExtra, UsageError
from zoo.api.problem import ImageInput, Problem
from zoo.data.image.drawing import enlarged, side_by_side
from zoo.models.pipeline import TorchPipeline
from zoo.models.variants import feature_maps

if TYPE_CHECKING:
    from zoo.api.task import Arrays

OPACITY = 0.55
"""Of the map over the picture, where it is strongest."""


def explainer(pipeline: TorchPipeline, problem: Problem, *, name: str) -> Callable[[Arrays], bytes]:
    """A function from the raw inputs of the pipeline to a PNG: the picture beside itself with the map over it.

    MissingExtra without captum; UsageError for what is no classifier of pictures with feature maps.
    """
    if find_spec("captum") is None:
        raise MissingExtra("--explain needs the package captum", hint='pip install "edgezoo[explain]"')
    image = problem.input
    outputs = pipeline.model_signature.outputs
    if not isinstance(image, ImageInput) or not problem.classes or len(outputs) != 1 or len(outputs[0].shape) != 2:
        raise UsageError(f"--explain is for classifiers of pictures, and {name} is none")
    example = [torch.zeros(1, image.channels, *image.size, device=pipeline.device)]
    layer = pipeline.model.get_submodule(feature_maps(pipeline.model, example=example, name=name).names[-1])
    from captum.attr import LayerGradCam  # noqa: PLC0415  an extra

    attribution = LayerGradCam(pipeline.model, layer)

    def explain(raw: Arrays) -> bytes:
        (levels,) = pipeline.inputs(raw).values()
        inputs = torch.from_numpy(levels).to(pipeline.device)
        with torch.enable_grad():
            inputs.requires_grad_()
            target = int(pipeline.model(inputs).argmax())
            heat = attribution.attribute(inputs, target=target, relu_attributions=True)
        spread = F.interpolate(heat.detach(), size=image.size, mode="bilinear", align_corners=False)[0, 0]
        return _drawn(levels[0], spread.cpu(), image)

    return explain


def _drawn(values: npt.NDArray[Any], heat: Tensor, image: ImageInput) -> bytes:
    mean, std = (np.reshape(numbers, (-1, 1, 1)) for numbers in (image.mean, image.std))
    levels = np.clip((values * std + mean) * 255, 0, 255).round().astype(np.uint8).transpose(1, 2, 0)
    colour = np.repeat(levels, 3, axis=2) if levels.shape[2] == 1 else levels
    strength = (heat / heat.max().clamp(min=1e-12)).numpy()[..., None] * OPACITY
    over = colour * (1 - strength) + np.array([255, 64, 0]) * strength
    memory = BytesIO()
    sheet: Image.Image = side_by_side(enlarged(colour), enlarged(over.round().astype(np.uint8)))
    sheet.save(memory, "png")
    return memory.getvalue()
