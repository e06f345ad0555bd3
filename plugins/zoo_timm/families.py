"""What the networks of timm's modules are, and how each kind is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from zoo import Augment, Recipe

Kind = Literal["cnn", "vit", "hybrid", "mixer"]
SUMMARIES: Final[Mapping[Kind, str]] = {
    "cnn": "a convolutional network",
    "vit": "a vision transformer",
    "hybrid": "a network of convolutions and attention",
    "mixer": "a network over patches without attention",
}
_MODULES: Final[Mapping[Kind, str]] = {
    "vit": """
        beit cait convit crossvit davit deepseek_vit deit eva gcvit gemma4_vit hiera hieradet_sam2 mvitv2 naflexvit nest
        pvt_v2 qwen3_vit swin_transformer swin_transformer_v2 swin_transformer_v2_cr tnt twins vision_transformer
        vision_transformer_relpos vision_transformer_sam volo""",
    "hybrid": """
        byoanet coat cpubone csatv2 edgenext efficientformer efficientformer_v2 efficientvim efficientvit_mit
        efficientvit_msra fastvit iformer levit lowformer maxxvit metaformer mobilenetv5 mobilevit nextvit pit shvit
        swiftformer tiny_vit visformer vision_transformer_hybrid vitamin xcit""",
    "mixer": "mlp_mixer sequencer",
    "cnn": """
        byobnet convmixer convnext cspnet cspnext densenet dla dpn efficientnet fasternet focalnet ghostnet hardcorenas
        hgnet hrnet inception_next inception_resnet_v2 inception_v3 inception_v4 lcnetv2 mambaout mobilenetv3 nasnet
        nfnet pnasnet rdnet regnet repghost repvit res2net resnest resnet resnetv2 rexnet selecsls senet sknet starnet
        tresnet vgg vovnet xception xception_aligned""",
}
KINDS: Final[Mapping[str, Kind]] = {module: kind for kind, modules in _MODULES.items() for module in modules.split()}
"""The kind of each of timm's modules."""

_PHOTOS = Augment(shift=0.1, scale=0.2, flip=True, color=0.2)
_SCRATCH = Recipe(
    epochs=16,
    batch_size=64,
    lr=2e-3,
    schedule="onecycle",
    warmup=0.15,
    label_smoothing=0.1,
    ema=0.999,
    augment=_PHOTOS,
    items=300,
)
_SCRATCH_PLAIN = replace(_SCRATCH, lr=3e-4, warmup=0.25, clip=1.0)
"""Without batch norms: a lower rate, a longer warm-up, clipped gradients."""
_SCRATCH_HYBRID = replace(_SCRATCH_PLAIN, lr=1e-3)
_SCRATCH_PATCHES = replace(_SCRATCH_PLAIN, lr=5e-4, epochs=24)
"""Nothing tells a transformer that neighbours belong together: it needs more passes to learn it."""
_FINETUNE = Recipe(
    epochs=15,
    batch_size=32,
    lr=1e-3,
    backbone_lr=0.25,
    layer_decay=0.9,
    schedule="cosine",
    warmup=0.1,
    label_smoothing=0.1,
    augment=_PHOTOS,
    items=300,
)
_FINETUNE_PLAIN = replace(_FINETUNE, lr=5e-4, layer_decay=0.8, clip=1.0)
"""A layer decay of 0.8 is what ConvNeXt's authors fine-tune with (Liu et al. 2022, arXiv:2201.03545)."""
_FINETUNE_HYBRID = replace(_FINETUNE_PLAIN, backbone_lr=0.5)
_FINETUNE_PATCHES = replace(_FINETUNE_PLAIN, backbone_lr=1.0, layer_decay=0.75, warmup=0.2)
"""MAE's layer decay, for all its sizes (He et al. 2021, arXiv:2111.06377)."""

_RECIPES: Final[Mapping[Kind, Mapping[str, Recipe]]] = {
    "cnn": {"default": _SCRATCH, "finetune": _FINETUNE},
    "hybrid": {"default": _SCRATCH_HYBRID, "finetune": _FINETUNE_HYBRID},
    "vit": {"default": _SCRATCH_PATCHES, "finetune": _FINETUNE_PATCHES},
    "mixer": {"default": _SCRATCH_PATCHES, "finetune": _FINETUNE_PATCHES},
}
_PLAIN: Final[Mapping[str, Recipe]] = {"default": _SCRATCH_PLAIN, "finetune": _FINETUNE_PLAIN}


def recipes(module: str, *, batch_norm: bool) -> Mapping[str, Recipe]:
    """The recipes of a network of a module, by name: "default" from random numbers, "finetune" from weights."""
    kind = KINDS[module]
    return _PLAIN if kind == "cnn" and not batch_norm else _RECIPES[kind]


def summary(module: str) -> str:
    """What the networks of a module are, in half a line."""
    return f"{SUMMARIES[KINDS[module]]}, of timm's module {module}"
