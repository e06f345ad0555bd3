"""An anchor-free YOLO in three sizes: `yolo_nano`, `yolo_small` and `yolo_medium`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zoo import Augment, ExportSpec, ImageInput, ModelSpec, Recipe, TrainerSpec, WeightsSpec, hookimpl

ZOO_API = 2

SCENES = Recipe(
    epochs=8,
    batch_size=32,
    lr=4e-3,
    weight_decay=0.05,
    betas=(0.9, 0.99),
    schedule="onecycle",
    warmup=0.15,
    clip=10.0,
    ema=0.99,
    augment=Augment(shift=0.1, scale=0.2),
    input_size=(96, 96),
)
"""The embedded digit scenes; digits are not mirrored."""
SCRATCH = replace(
    SCENES,
    epochs=100,
    batch_size=64,
    lr=2e-3,
    schedule="cosine",
    warmup=0.05,
    ema=0.9998,
    augment=Augment(shift=0.1, scale=0.5, flip=True, color=0.3),
    input_size=None,
    items=1_000,
)
FINETUNE = replace(SCRATCH, epochs=40, batch_size=16, lr=5e-4, backbone_lr=0.2, ema=0.999)

PLAIN = ImageInput(size=(320, 320), min_size=64, multiple=32, mean=(0.0,), std=(1.0,))
LARGE = replace(PLAIN, size=(640, 640))
"""Levels in 0..1."""


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """Three sizes of one architecture."""
    nano = ModelSpec(
        name="yolo_nano",
        task="object-detection",
        builder="zoo_yolo.model:yolo_nano",
        trainer="yolo",
        needs=("num_classes", "channels"),
        input=PLAIN,
        adapter="zoo_yolo.adapter:Detector",
        head=("heads.0.what.1.", "heads.1.what.1.", "heads.2.what.1."),
        recipes={"digit_scenes": SCENES, "default": SCRATCH, "finetune": FINETUNE},
        aliases=("yolo",),
        summary="anchor-free YOLO: CSP backbone, path aggregation, decoupled heads; for the smallest devices",
        paper="Ge et al., YOLOX: exceeding YOLO series in 2021, arXiv:2107.08430",
        licence="Apache-2.0",
        parameters=474_058,
        export=ExportSpec(declared_arithmetic=("boxes", "scores", "labels")),
    )
    small = replace(
        nano,
        name="yolo_small",
        builder="zoo_yolo.model:yolo_small",
        input=LARGE,
        aliases=(),
        summary="the same architecture, about ten times the nano",
        parameters=4_115_490,
    )
    medium = replace(
        small,
        name="yolo_medium",
        builder="zoo_yolo.model:yolo_medium",
        summary="the same architecture, about fifty times the nano",
        parameters=21_983_578,
    )
    return (nano, small, medium)


@hookimpl
def zoo_trainers() -> Iterable[TrainerSpec]:
    """The one way these models learn."""
    yield TrainerSpec(
        name="yolo",
        task="object-detection",
        trainer="zoo_yolo.trainer:YoloTrainer",
        options={"box_weight": 3.0, "mosaic": 0.5, "mosaic_until": 0.7},
        summary="task-aligned assignment, cross entropy and complete IoU, mosaics",
    )


@hookimpl
def zoo_weights() -> Iterable[WeightsSpec]:
    """Trained on the embedded digit scenes by zoo itself; the metrics are of its 400 test scenes."""
    yield WeightsSpec(
        model="yolo_nano",
        tag="digit_scenes",
        licence="Apache-2.0; trained on MNIST digits, which are CC BY-SA 3.0 (Yann LeCun and Corinna Cortes)",
        sha256="3b13d3dae8168173ac5e70ea909c6b5c4e0dba48690d64d9253b01b89a02a8e4",
        resource="zoo_yolo:weights/yolo_nano-digit_scenes.safetensors",
        size=1_014_928,
        input=replace(PLAIN, size=(96, 96)),
        classes=tuple("0123456789"),
        facts={"max_detections": 20},
        metrics={"map": 0.7606, "map50": 0.9795, "map75": 0.9286},
        data="digit_scenes",
        recipe="zoo train yolo_nano --threads 1; packed with --dtype float16",
    )
