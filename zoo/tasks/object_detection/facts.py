"""What the answers of detectors share: thresholds, and the ports of model.onnx.  Torch-free."""

from __future__ import annotations

from typing import Final

from zoo.api.errors import UsageError
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Port, Signature

SCORE: Final = 0.05
"""The score threshold: detections with a lower score are left out."""
OVERLAP: Final = 0.5
"""The NMS IoU limit: of two boxes of one class that overlap by more, the one with the higher score stays."""
CANDIDATES: Final = 1000
"""The (box, class) pairs with the highest scores that NMS sees."""
MAX_DETECTIONS: Final = 100
"""Where the data do not say otherwise."""
MIN_LIMIT, MAX_LIMIT, OBJECTS_FACTOR = 20, 300, 4
"""The limit that data give: four times the objects of their fullest picture, between 20 and 300."""


def room_for(fullest: int) -> int:
    """The detections that one answer should hold where the fullest picture shows so many objects."""
    return min(max(OBJECTS_FACTOR * fullest, MIN_LIMIT), MAX_LIMIT)


def max_detections(problem: Problem) -> int:
    """The most detections that one answer holds."""
    limit = problem.facts.get("max_detections", MAX_DETECTIONS)
    if not isinstance(limit, int) or limit < 1:
        raise UsageError(f"max_detections is {limit!r}; it must be a whole number above zero")
    return limit


def postprocess_steps(problem: Problem) -> tuple[PostprocessStep, ...]:
    """How boxes and scores become an answer; `postprocess.py` builds the module from these numbers."""
    return (
        PostprocessStep(kind=PostprocessKind.TOP_K, numbers={"k": CANDIDATES}),
        PostprocessStep(kind=PostprocessKind.CLIP_BOXES),
        PostprocessStep(
            kind=PostprocessKind.NMS,
            numbers={"score_threshold": SCORE, "iou_threshold": OVERLAP, "max_detections": max_detections(problem)},
        ),
        PostprocessStep(kind=PostprocessKind.SCALE_TO_IMAGE),
    )


def detector_signature(problem: Problem, *, cells: int) -> Signature:
    """`input` to `boxes`, corners in pixels of the input, and `scores` in 0..1 of every class, for so many cells.

    Args:
        problem: The facts of the data: classes and input size.
        cells: How many candidate boxes the model gives for a picture.

    Returns:
        Boxes float32 [batch, cells, 4] as xyxy, scores float32 [batch, cells, classes].

    Examples:
        >>> image = zoo.ImageInput(size=(96, 96))
        >>> problem = zoo.Problem(task="object-detection", input=image, classes=("cat", "dog"))
        >>> [port.name for port in zoo.detector_signature(problem, cells=189).outputs]
        ['boxes', 'scores']
    """
    image = problem.image
    return Signature(
        inputs=(Port(name="input", dtype="float32", shape=("batch", image.channels, *image.size)),),
        outputs=(
            Port(name="boxes", dtype="float32", shape=("batch", cells, 4), doc="left, top, right, bottom in pixels"),
            Port(name="scores", dtype="float32", shape=("batch", cells, len(problem.classes)), doc="0..1 per class"),
        ),
    )
