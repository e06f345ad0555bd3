"""The cards of the segmentation networks; torch-free."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from zoo import Augment, ImageInput, ModelSpec, Recipe, WeightsSpec

LICENCE = "BSD-3-Clause"
PLAIN = ImageInput(size=(96, 96), min_size=16, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
IMAGENET = ImageInput(size=(520, 520), min_size=64)
LONG = "Long, Shelhamer and Darrell, Fully convolutional networks for semantic segmentation, arXiv:1411.4038"
CHEN = "Chen et al., Rethinking atrous convolution for semantic image segmentation, arXiv:1706.05587"
HOWARD = "Howard et al., Searching for MobileNetV3, arXiv:1905.02244"

SCENES = Recipe(
    epochs=12,
    batch_size=32,
    lr=1e-2,
    weight_decay=0.02,
    betas=(0.9, 0.99),
    schedule="onecycle",
    warmup=0.2,
    clip=10.0,
    ema=0.99,
    augment=Augment(shift=0.1, scale=0.1),
    input_size=(96, 96),
)
"""The embedded digit scenes; digits are not mirrored."""
FINETUNE = Recipe(
    epochs=30,
    batch_size=8,
    optimizer="sgd",
    lr=1e-2,
    backbone_lr=0.2,
    weight_decay=1e-4,
    schedule="cosine",
    warmup=0.05,
    clip=10.0,
    augment=Augment(shift=0.1, scale=0.5, flip=True, color=0.2),
    items=1_000,
)
"""torchvision's reference recipe, at a batch that one machine holds."""
SCRATCH = replace(FINETUNE, epochs=100, lr=2e-2, batch_size=16)
TINY = replace(
    SCENES,
    epochs=60,
    lr=5e-3,
    augment=Augment(shift=0.1, scale=0.3, flip=True, color=0.2),
    input_size=None,
    items=1_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is particular about one network."""

    name: str
    summary: str
    paper: str
    parameters: int
    """At 21 classes, Pascal VOC's with the background; of fcn_tiny at the 11 of the digit scenes."""
    head: tuple[str, ...]


def _torchvision(name: str, *, summary: str, paper: str, parameters: int, last: str) -> Card:
    """A card whose head is the last layer before the scores, and that of the auxiliary head where there is one."""
    aux = () if name.startswith("lraspp") else ("network.aux_classifier.4.",)
    heads = tuple(f"network.classifier.{layer}." for layer in last.split())
    return Card(name=name, summary=summary, paper=paper, parameters=parameters, head=(*heads, *aux))


CARDS = (
    Card(
        name="fcn_tiny",
        summary="FCN of 0.1 million parameters: scores at strides 8, 4 and 2 fused, for small pictures",
        paper=LONG,
        parameters=96_649,
        head=("scores.", "enlarge."),
    ),
    _torchvision(
        "fcn_resnet50",
        summary="FCN on a dilated ResNet-50: scores at stride 8, enlarged",
        paper=LONG,
        parameters=35_322_218,
        last="4",
    ),
    _torchvision(
        "fcn_resnet101",
        summary="FCN on a dilated ResNet-101: scores at stride 8, enlarged",
        paper=LONG,
        parameters=54_314_346,
        last="4",
    ),
    _torchvision(
        "deeplabv3_resnet50",
        summary="DeepLabV3 on ResNet-50: dilated convolutions of several reaches side by side",
        paper=CHEN,
        parameters=42_004_074,
        last="4",
    ),
    _torchvision(
        "deeplabv3_resnet101",
        summary="DeepLabV3 on ResNet-101: dilated convolutions of several reaches side by side",
        paper=CHEN,
        parameters=60_996_202,
        last="4",
    ),
    _torchvision(
        "deeplabv3_mobilenet_v3_large",
        summary="DeepLabV3 on MobileNetV3",
        paper=f"{CHEN}; {HOWARD}",
        parameters=11_029_328,
        last="4",
    ),
    _torchvision(
        "lraspp_mobilenet_v3_large",
        summary="Lite R-ASPP on MobileNetV3: scores at strides 16 and 8 added, for phones",
        paper=HOWARD,
        parameters=3_221_538,
        last="low_classifier high_classifier",
    ),
)


def segmenters() -> Iterator[ModelSpec]:
    """A model for each card."""
    for card in CARDS:
        tiny = card.name == "fcn_tiny"
        recipes = {"digit_scenes": SCENES, "default": TINY, "finetune": TINY} if tiny else {}
        yield ModelSpec(
            name=card.name,
            family=card.name.partition("_")[0],
            task="semantic-segmentation",
            builder=f"zoo_torchvision.segmentation.{'tiny' if tiny else 'model'}:{card.name}",
            trainer="segmentation",
            input=PLAIN if tiny else IMAGENET,
            head=card.head,
            recipes=recipes or {"default": SCRATCH, "finetune": FINETUNE},
            aliases={"fcn_tiny": ("fcn",), "deeplabv3_resnet50": ("deeplabv3",)}.get(card.name, ()),
            summary=card.summary,
            paper=card.paper,
            licence=LICENCE,
            parameters=card.parameters,
        )


def own_weights() -> Iterator[WeightsSpec]:
    """Trained on the embedded digit scenes by zoo itself; the metrics are of its 400 test scenes."""
    yield WeightsSpec(
        model="fcn_tiny",
        tag="digit_scenes",
        licence="Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)",
        sha256="43b5b34ac7f6bc8dc15f30b0b8a6bc02e6e53a1fadc8ddeaac2025308eaae020",
        resource="zoo_torchvision:weights/fcn_tiny-digit_scenes.safetensors",
        size=393_060,
        input=PLAIN,
        classes=("background", *"0123456789"),
        metrics={"miou": 0.9159, "pixel_accuracy": 0.9973},
        data="digit_scenes",
        recipe="zoo train fcn_tiny --threads 1",
    )
