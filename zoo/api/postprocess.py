"""What a pipeline does with the outputs of its model, as data: a manifest holds these steps, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class PostprocessKind(StrEnum):
    """What one step does.  The values stand in bundles: none is ever renamed.

    Examples:
        >>> zoo.PostprocessKind("softmax") is zoo.PostprocessKind.SOFTMAX
        True
    """

    IDENTITY = "identity"
    """The model's outputs are the answer."""
    SOFTMAX = "softmax"
    """Logits to probabilities, over the classes."""
    ARGMAX = "argmax"
    """The index of the highest score, over the classes."""
    UNIT_LENGTH = "unit_length"
    """A vector divided by its Euclidean length, or by `min_length` where it is shorter."""
    DENORMALISE = "denormalise"
    """The input's normalisation undone (`value * std + mean`), then 0..255, rounded, uint8."""
    TOP_K = "top_k"
    """The `k` highest scores of all boxes and classes."""
    CLIP_BOXES = "clip_boxes"
    """Boxes cut at the edges of the model's input."""
    NMS = "nms"
    """Boxes above `score_threshold`; of two of one class that overlap by more than `iou_threshold` the one with the
    higher score; at most `max_detections`."""
    SCALE_TO_IMAGE = "scale_to_image"
    """Coordinates in the model's input to pixels of the given image."""
    RESIZE_TO_IMAGE = "resize_to_image"
    """Scores per pixel enlarged bilinearly to the size of the given image."""
    CUSTOM = "custom"
    """Something that is none of these; the plugin that offers the task documents it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostprocessStep:
    """One step from the outputs of model.onnx to the answer of pipeline.onnx.

    Examples:
        >>> zoo.PostprocessStep(kind=zoo.PostprocessKind.NMS, numbers={"iou": 0.45}).numbers["iou"]
        0.45
    """

    kind: PostprocessKind
    """What it does."""
    numbers: Mapping[str, float | int] = field(default_factory=dict)
    """What the step is set to, by name: `{"score_threshold": 0.05, "iou_threshold": 0.5, "max_detections": 100}`."""


CUSTOM_POSTPROCESS: Final = (PostprocessStep(kind=PostprocessKind.CUSTOM),)
"""Of a task whose postprocessing is none of the known steps."""
