"""torchvision's networks that zoo lists and cannot use, each with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zoo import ImageInput, ModelSpec

QUANTISED = (
    "its answers come from torch's own int8 kernels (quantized::conv2d, quantized::linear), and torch.export cannot "
    "take their packed weights apart (Conv2dPackedParamsBase has no __obj_flatten__), so no ONNX file could be proved "
    "against them; the float network of the same name can be exported"
)
KEYPOINTS = "not available yet: zoo has no task for keypoints"
MASKS = "not available yet: zoo has no task for a mask of each object"
VIDEO = "not available yet: zoo has no task for video clips"
FLOW = "not available yet: zoo has no task for the motion between two pictures"
LICENCE = "BSD-3-Clause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What several of them have in common."""

    reason: str
    task: str
    home: str
    """The module that builds them."""
    summary: str
    size: tuple[int, int]
    parameters: dict[str, int]
    """By name."""


KINDS = (
    Kind(
        reason=QUANTISED,
        task="image-classification",
        home="torchvision.models.quantization",
        summary="the int8 form, for PyTorch on a CPU",
        size=(224, 224),
        parameters={
            "quantized_googlenet": 6_624_904,
            "quantized_inception_v3": 27_161_264,
            "quantized_mobilenet_v2": 3_504_872,
            "quantized_mobilenet_v3_large": 5_483_032,
            "quantized_resnet18": 11_689_512,
            "quantized_resnet50": 25_557_032,
            "quantized_resnext101_32x8d": 88_791_336,
            "quantized_resnext101_64x4d": 83_455_272,
            "quantized_shufflenet_v2_x0_5": 1_366_792,
            "quantized_shufflenet_v2_x1_0": 2_278_604,
            "quantized_shufflenet_v2_x1_5": 3_503_624,
            "quantized_shufflenet_v2_x2_0": 7_393_996,
        },
    ),
    Kind(
        reason=KEYPOINTS,
        task="keypoint-detection",
        home="torchvision.models.detection",
        summary="17 joints of each person",
        size=(800, 800),
        parameters={"keypointrcnn_resnet50_fpn": 59_137_258},
    ),
    Kind(
        reason=MASKS,
        task="instance-segmentation",
        home="torchvision.models.detection",
        summary="a box and a mask of each object",
        size=(800, 800),
        parameters={"maskrcnn_resnet50_fpn": 44_401_393, "maskrcnn_resnet50_fpn_v2": 46_359_409},
    ),
    Kind(
        reason=VIDEO,
        task="video-classification",
        home="torchvision.models.video",
        summary="the class of a clip",
        size=(112, 112),
        parameters={
            "mc3_18": 11_695_440,
            "mvit_v1_b": 36_610_672,
            "mvit_v2_s": 34_537_744,
            "r2plus1d_18": 31_505_325,
            "r3d_18": 33_371_472,
            "s3d": 8_320_048,
            "swin3d_b": 88_048_984,
            "swin3d_s": 49_816_678,
            "swin3d_t": 28_158_070,
        },
    ),
    Kind(
        reason=FLOW,
        task="optical-flow",
        home="torchvision.models.optical_flow",
        summary="RAFT: the motion of each pixel",
        size=(520, 960),
        parameters={"raft_large": 5_257_536, "raft_small": 990_162},
    ),
)
"""Parameters as torchvision's weights state them, those of the networks before quantisation."""


def listed_only() -> Iterator[ModelSpec]:
    """A model for each."""
    for kind in KINDS:
        for name, parameters in kind.parameters.items():
            yield ModelSpec(
                name=name,
                family="quantized" if kind.reason is QUANTISED else kind.home.rpartition(".")[2],
                task=kind.task,
                builder=f"{kind.home}:{name.removeprefix('quantized_')}",
                trainer="classification",
                input=ImageInput(size=kind.size),
                not_available=kind.reason,
                summary=kind.summary,
                licence=LICENCE,
                parameters=parameters,
            )
