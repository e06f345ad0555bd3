"""The cards of torchvision's detectors; torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from zoo import Augment, ExportSpec, ImageInput, ModelSpec, Recipe, TrainerSpec

REN = "Ren et al., Faster R-CNN: towards real-time object detection with region proposal networks, arXiv:1506.01497"
LICENCE = "BSD-3-Clause"
PLAIN = ImageInput(size=(96, 96), min_size=64, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
IMAGENET = ImageInput(size=(640, 640), min_size=64)
SSD300 = replace(
    IMAGENET, size=(300, 300), mean=(0.48235, 0.45882, 0.40784), std=(1 / 255, 1 / 255, 1 / 255), fixed_size=True
)
SSDLITE = replace(IMAGENET, size=(320, 320), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), fixed_size=True)

SCENES = Recipe(
    epochs=8,
    batch_size=32,
    lr=3e-3,
    weight_decay=0.05,
    betas=(0.9, 0.99),
    schedule="onecycle",
    warmup=0.2,
    clip=10.0,
    ema=0.99,
    augment=Augment(shift=0.1, scale=0.2),
    input_size=(96, 96),
)
"""The embedded digit scenes; digits are not mirrored."""
FINETUNE = Recipe(
    epochs=30,
    batch_size=8,
    optimizer="sgd",
    lr=5e-3,
    backbone_lr=0.2,
    weight_decay=1e-4,
    schedule="cosine",
    warmup=0.05,
    clip=10.0,
    augment=Augment(shift=0.1, scale=0.3, flip=True, color=0.2),
    channels_last=False,
    items=1_000,
)
"""torchvision's reference recipe, at a batch that one machine holds."""
SCRATCH = replace(FINETUNE, epochs=100, lr=1e-2, batch_size=16)

EXPORT = ExportSpec(declared_arithmetic=("boxes", "scores", "labels"))
UNDECIDED = {
    "proof": "with random weights too many of the 1,000 regions that its second stage looks into are as good as "
    "others: within ten times PyTorch's own error from 8 % of them upwards may be chosen or not, where the proof "
    "allows 5 %"
}
"""Measured on fasterrcnn_resnet50_fpn with live random weights at 320 x 320 pixels, by `regions.possible`; on a picture
that shows nothing PyTorch's own fp32 and fp64 choose 10 to 32 differently.  Of those on MobileNetV3 at their own sizes
0 to 3 % may be chosen or not, and 8 % on a picture that shows nothing.  Of trained weights the proof tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is particular about one detector."""

    name: str
    input: ImageInput
    head: tuple[str, ...]
    summary: str
    paper: str
    parameters: int
    """At the classes of the published weights, COCO's numbers; of ssd_tiny at the ten of the digit scenes."""
    recipes: tuple[str, ...] = ("default", "finetune")
    aliases: tuple[str, ...] = ()
    two_stage: bool = False
    conformance: Mapping[str, str] = field(default_factory=dict)


SSD_HEAD = ("network.head.classification_head.",)
REGION_HEAD = ("network.roi_heads.box_predictor.",)
DENSE_HEAD = ("network.head.classification_head.cls_logits.",)
CARDS = (
    Card(
        name="ssd_tiny",
        input=PLAIN,
        head=SSD_HEAD,
        summary="SSD on a backbone of 0.6 million parameters, for small pictures",
        paper="Liu et al., SSD: single shot multibox detector, arXiv:1512.02325",
        parameters=703_104,
        recipes=("digit_scenes", "default", "finetune"),
        aliases=("ssd",),
        conformance={"gradients": "no digit of the embedded scenes is as large as the coarsest default boxes"},
    ),
    Card(
        name="ssd300_vgg16",
        input=SSD300,
        head=SSD_HEAD,
        summary="the published SSD: VGG-16, pictures of 300 pixels, 8732 default boxes",
        paper="Liu et al., SSD: single shot multibox detector, arXiv:1512.02325",
        parameters=35_641_826,
    ),
    Card(
        name="ssdlite320_mobilenet_v3_large",
        input=SSDLITE,
        head=SSD_HEAD,
        summary="SSDlite on MobileNetV3: depthwise heads, pictures of 320 pixels",
        paper="Howard et al., Searching for MobileNetV3, arXiv:1905.02244",
        parameters=3_440_060,
    ),
    Card(
        name="retinanet_resnet50_fpn",
        input=IMAGENET,
        head=DENSE_HEAD,
        summary="RetinaNet: focal loss on a feature pyramid",
        paper="Lin et al., Focal loss for dense object detection, arXiv:1708.02002",
        parameters=34_068_119,
        aliases=("retinanet",),
    ),
    Card(
        name="retinanet_resnet50_fpn_v2",
        input=IMAGENET,
        head=DENSE_HEAD,
        summary="RetinaNet with group normalisation, adaptive anchors and GIoU",
        paper="Zhang et al., Bridging the gap between anchor-based and anchor-free detection, arXiv:1912.02424",
        parameters=38_198_935,
    ),
    Card(
        name="fcos_resnet50_fpn",
        input=IMAGENET,
        head=DENSE_HEAD,
        summary="FCOS: no anchors; every cell says how far the sides are and how central it lies",
        paper="Tian et al., FCOS: fully convolutional one-stage object detection, arXiv:1904.01355",
        parameters=32_322_720,
        aliases=("fcos",),
    ),
    Card(
        name="fasterrcnn_resnet50_fpn",
        input=IMAGENET,
        head=REGION_HEAD,
        summary="Faster R-CNN on ResNet-50 with a feature pyramid: proposed regions, then classified",
        paper=REN,
        parameters=41_808_406,
        aliases=("fasterrcnn",),
        two_stage=True,
        conformance=UNDECIDED,
    ),
    Card(
        name="fasterrcnn_resnet50_fpn_v2",
        input=IMAGENET,
        head=REGION_HEAD,
        summary="Faster R-CNN with the improved training of torchvision's second version",
        paper=f"{REN}; Li et al., Benchmarking detection transfer learning, arXiv:2111.11429",
        parameters=43_712_278,
        two_stage=True,
        conformance=UNDECIDED,
    ),
    Card(
        name="fasterrcnn_mobilenet_v3_large_fpn",
        input=IMAGENET,
        head=REGION_HEAD,
        summary="Faster R-CNN on MobileNetV3 with a feature pyramid",
        paper=REN,
        parameters=19_410_754,
        two_stage=True,
    ),
    Card(
        name="fasterrcnn_mobilenet_v3_large_320_fpn",
        input=replace(IMAGENET, size=(320, 320)),
        head=REGION_HEAD,
        summary="Faster R-CNN on MobileNetV3, with fewer proposals for small pictures",
        paper=REN,
        parameters=19_410_754,
        two_stage=True,
    ),
)
HOMES = {
    False: ("zoo_torchvision.detection.model", "zoo_torchvision.detection.adapter:OneStageAdapter"),
    True: ("zoo_torchvision.detection.two_stage", "zoo_torchvision.detection.adapter:TwoStageAdapter"),
}
"""By whether it has two stages: where the builder is, what is exported."""
RECIPES = {"digit_scenes": SCENES, "default": SCRATCH, "finetune": FINETUNE}


def detectors() -> Iterator[ModelSpec]:
    """A model for each card."""
    for card in CARDS:
        home, adapter = HOMES[card.two_stage]
        yield ModelSpec(
            name=card.name,
            family=card.name.partition("_")[0].rstrip("0123456789").removesuffix("lite"),
            task="object-detection",
            builder=f"{home}:{card.name}",
            trainer="torchvision-detection",
            input=card.input,
            needs=("num_classes", "image_size"),
            adapter=adapter,
            head=card.head,
            recipes={name: RECIPES[name] for name in card.recipes},
            aliases=card.aliases,
            summary=card.summary,
            paper=card.paper,
            licence=LICENCE,
            parameters=card.parameters,
            conformance=card.conformance,
            export=EXPORT,
        )


def trainers() -> Iterator[TrainerSpec]:
    """The one way these models learn."""
    yield TrainerSpec(
        name="torchvision-detection",
        task="object-detection",
        trainer="zoo_torchvision.detection.trainer:DetectionTrainer",
        summary="the losses that the networks bring",
    )
