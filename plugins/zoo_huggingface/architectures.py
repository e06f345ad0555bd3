"""The configurations of the catalogue, as their publishers wrote them: what differs from the library's defaults.

`generate.py` makes cards.json of them.  A family is a `model_type` of the library; `micro` is a size of our own, for
small pictures or texts and for tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Config = Mapping[str, Any]
Sizes = Mapping[str, Config]

IMAGENET: Final = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
HALF: Final = {"mean": [0.5], "std": [0.5]}
LEVELS: Final = {"mean": [0.0], "std": [1.0]}
SQUARED: Final = {"mean": [0.485, 0.456, 0.406], "std": [0.47853944**2, 0.4732864**2, 0.47434163**2]}
"""EfficientNet's: its processor divides by the standard deviation twice."""


def _prepared(levels: Config, interpolation: str, *, resize: float | None = None, **others: Any) -> Config:
    """How pictures become inputs; `resize` is the crop's share of the shorter side, None stretches."""
    return {**levels, "interpolation": interpolation, "crop": resize, **others}


CROPPED: Final = _prepared(IMAGENET, "bicubic", resize=0.875)

MICRO_VIT: Final[Config] = {
    **{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48},
    **{"image_size": 32, "patch_size": 8},
}
MICRO_SWIN: Final[Config] = {
    **{"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
}
MICRO_STAGES: Final[Config] = {"hidden_sizes": [16, 24, 32, 40], "depths": [1, 1, 1, 1]}
MICRO_PYRAMID: Final[Config] = {**MICRO_STAGES, "image_size": 64, "num_attention_heads": [1, 2, 2, 2]}


def _vit(hidden: int, layers: int, heads: int, inner: int, **others: Any) -> Config:
    wide = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads}
    return {**wide, "intermediate_size": inner, **others}


def _stages(hidden: list[int], depths: list[int], **others: Any) -> Config:
    return {"hidden_sizes": hidden, "depths": depths, **others}


def _swin(embed: int, depths: list[int], heads: list[int], window: int, size: int) -> Config:
    wide = {"embed_dim": embed, "depths": depths, "num_heads": heads}
    return {**wide, "window_size": window, "image_size": size}


def _levit(hidden: list[int], heads: list[int], depths: list[int], key: int) -> Config:
    sizes = {"hidden_sizes": hidden, "num_attention_heads": heads, "depths": depths, "key_dim": [key] * 3}
    return {**sizes, "architectures": ["LevitForImageClassification"]}


def _efficientnet(width: float, depth: float, size: int, hidden: int, padding: list[int]) -> Config:
    scaled = {"width_coefficient": width, "depth_coefficient": depth, "image_size": size, "hidden_dim": hidden}
    return {**scaled, "depthwise_padding": padding}


PREPARED: Final[Mapping[str, Config]] = {
    **dict.fromkeys(("vit", "beit", "ijepa"), _prepared(HALF, "bilinear")),
    "data2vec-vision": _prepared(HALF, "bicubic"),
    **dict.fromkeys(("deit", "dinov2", "dinov2_with_registers", "levit", "hiera"), CROPPED),
    **dict.fromkeys(("convnext", "convnextv2", "resnet", "regnet", "cvt", "swiftformer"), CROPPED),
    **dict.fromkeys(("swin", "swinv2", "donut-swin", "vit_msn"), _prepared(IMAGENET, "bicubic")),
    **dict.fromkeys(("pvt", "pvt_v2", "segformer", "hgnet_v2", "textnet"), _prepared(IMAGENET, "bilinear")),
    "focalnet": _prepared(IMAGENET, "bilinear", resize=0.875),
    "poolformer": _prepared(IMAGENET, "bicubic", resize=0.9),
    **dict.fromkeys(("mobilevit", "mobilevitv2"), _prepared(LEVELS, "bilinear", resize=256 / 288, bgr=True)),
    **dict.fromkeys(("mobilenet_v1", "mobilenet_v2"), _prepared(HALF, "bilinear", resize=0.875)),
    "efficientnet": _prepared(SQUARED, "nearest"),
    "bit": _prepared(HALF, "bilinear"),
}
"""By family: as the published processors prepare pictures."""

DEIT: Final = {"architectures": ["DeiTForImageClassification"]}
CLASSIFIERS: Final[Mapping[str, Sizes]] = {
    "vit": {
        "vit_micro": MICRO_VIT,
        "vit_tiny_patch16_224": _vit(192, 12, 3, 768),
        "vit_small_patch16_224": _vit(384, 12, 6, 1536),
        "vit_base_patch16_224": {},
        "vit_base_patch16_384": {"image_size": 384},
        "vit_base_patch32_384": {"image_size": 384, "patch_size": 32},
        "vit_large_patch16_224": _vit(1024, 24, 16, 4096),
        "vit_large_patch32_384": _vit(1024, 24, 16, 4096, image_size=384, patch_size=32),
        "vit_huge_patch14_224": _vit(1280, 32, 16, 5120, patch_size=14),
    },
    "deit": {
        "deit_micro": {**MICRO_VIT, **DEIT},
        "deit_tiny_distilled_patch16_224": _vit(192, 12, 3, 768, **DEIT),
        "deit_small_distilled_patch16_224": _vit(384, 12, 6, 1536, **DEIT),
        "deit_base_distilled_patch16_224": DEIT,
    },
    "beit": {
        "beit_micro": {**MICRO_VIT, "use_relative_position_bias": True},
        "beit_base_patch16_224": {"use_relative_position_bias": True},
        "beit_base_patch16_384": {"use_relative_position_bias": True, "image_size": 384},
        "beit_large_patch16_224": _vit(
            1024, 24, 16, 4096, use_relative_position_bias=True, layer_scale_init_value=1e-5
        ),
    },
    "data2vec-vision": {
        "data2vec_vision_micro": {**MICRO_VIT, "use_relative_position_bias": True},
        "data2vec_vision_base": {"use_relative_position_bias": True},
        "data2vec_vision_large": _vit(1024, 24, 16, 4096, use_relative_position_bias=True, layer_scale_init_value=1e-5),
    },
    "dinov2": {
        "dinov2_micro": MICRO_VIT,
        "dinov2_small": _vit(384, 12, 6, 1536, image_size=518, patch_size=14),
        "dinov2_base": _vit(768, 12, 12, 3072, image_size=518, patch_size=14),
        "dinov2_large": _vit(1024, 24, 16, 4096, image_size=518, patch_size=14),
    },
    "dinov2_with_registers": {
        "dinov2_with_registers_micro": MICRO_VIT,
        "dinov2_with_registers_small": _vit(384, 12, 6, 1536, image_size=518, patch_size=14),
        "dinov2_with_registers_base": _vit(768, 12, 12, 3072, image_size=518, patch_size=14),
    },
    "vit_msn": {"vit_msn_micro": MICRO_VIT, "vit_msn_small": _vit(384, 12, 6, 1536), "vit_msn_base": {}},
    "ijepa": {"ijepa_micro": MICRO_VIT, "ijepa_vith14_1k": _vit(1280, 32, 16, 5120, patch_size=14)},
    "swin": {
        "swin_micro": MICRO_SWIN,
        "swin_tiny_patch4_window7_224": {},
        "swin_small_patch4_window7_224": _swin(96, [2, 2, 18, 2], [3, 6, 12, 24], 7, 224),
        "swin_base_patch4_window7_224": _swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 7, 224),
        "swin_base_patch4_window12_384": _swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 12, 384),
        "swin_large_patch4_window7_224": _swin(192, [2, 2, 18, 2], [6, 12, 24, 48], 7, 224),
    },
    "swinv2": {
        "swinv2_micro": MICRO_SWIN,
        "swinv2_tiny_patch4_window8_256": _swin(96, [2, 2, 6, 2], [3, 6, 12, 24], 8, 256),
        "swinv2_small_patch4_window8_256": _swin(96, [2, 2, 18, 2], [3, 6, 12, 24], 8, 256),
        "swinv2_base_patch4_window8_256": _swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 8, 256),
    },
    "donut-swin": {"donut_swin_micro": MICRO_SWIN},
    "convnext": {
        "convnext_micro": {**MICRO_STAGES, "image_size": 64},
        "convnext_tiny_224": {},
        "convnext_small_224": _stages([96, 192, 384, 768], [3, 3, 27, 3]),
        "convnext_base_224": _stages([128, 256, 512, 1024], [3, 3, 27, 3]),
        "convnext_large_224": _stages([192, 384, 768, 1536], [3, 3, 27, 3]),
        "convnext_xlarge_224": _stages([256, 512, 1024, 2048], [3, 3, 27, 3]),
    },
    "convnextv2": {
        "convnextv2_micro": {**MICRO_STAGES, "image_size": 64},
        "convnextv2_atto_1k_224": _stages([40, 80, 160, 320], [2, 2, 6, 2]),
        "convnextv2_femto_1k_224": _stages([48, 96, 192, 384], [2, 2, 6, 2]),
        "convnextv2_pico_1k_224": _stages([64, 128, 256, 512], [2, 2, 6, 2]),
        "convnextv2_nano_1k_224": _stages([80, 160, 320, 640], [2, 2, 8, 2]),
        "convnextv2_tiny_1k_224": {},
        "convnextv2_base_1k_224": _stages([128, 256, 512, 1024], [3, 3, 27, 3]),
        "convnextv2_large_1k_224": _stages([192, 384, 768, 1536], [3, 3, 27, 3]),
    },
    "resnet": {
        "resnet_micro": {**MICRO_STAGES, "embedding_size": 16, "layer_type": "basic"},
        "resnet_18": _stages([64, 128, 256, 512], [2, 2, 2, 2], layer_type="basic"),
        "resnet_26": _stages([256, 512, 1024, 2048], [2, 2, 2, 2]),
        "resnet_34": _stages([64, 128, 256, 512], [3, 4, 6, 3], layer_type="basic"),
        "resnet_50": {},
        "resnet_101": _stages([256, 512, 1024, 2048], [3, 4, 23, 3]),
        "resnet_152": _stages([256, 512, 1024, 2048], [3, 8, 36, 3]),
    },
    "regnet": {
        "regnet_micro": {**MICRO_STAGES, "embedding_size": 16, "groups_width": 8},
        "regnet_y_040": _stages([128, 192, 512, 1088], [2, 6, 12, 2], groups_width=64),
        "regnet_y_080": _stages([168, 448, 896, 2016], [2, 4, 10, 1], groups_width=56),
        "regnet_y_160": _stages([224, 448, 1232, 3024], [2, 4, 11, 1], groups_width=112),
        "regnet_y_320": _stages([232, 696, 1392, 3712], [2, 5, 12, 1], groups_width=232),
    },
    "mobilevit": {
        "mobilevit_micro": {
            **{"image_size": 64, "hidden_sizes": [24, 32, 40], "num_attention_heads": 2},
            "neck_hidden_sizes": [8, 8, 16, 16, 24, 32, 48],
        },
        "mobilevit_xx_small": {
            **{"hidden_sizes": [64, 80, 96], "neck_hidden_sizes": [16, 16, 24, 48, 64, 80, 320]},
            **{"expand_ratio": 2.0, "hidden_dropout_prob": 0.05},
        },
        "mobilevit_x_small": {"hidden_sizes": [96, 120, 144], "neck_hidden_sizes": [16, 32, 48, 64, 80, 96, 384]},
        "mobilevit_small": {},
    },
    "mobilevitv2": {
        "mobilevitv2_micro": {"image_size": 64, "width_multiplier": 0.25},
        "mobilevitv2_1_0_imagenet1k_256": {},
    },
    "mobilenet_v1": {
        "mobilenet_v1_micro": {"image_size": 64, "depth_multiplier": 0.25},
        "mobilenet_v1_0_75_192": {"image_size": 192, "depth_multiplier": 0.75},
        "mobilenet_v1_1_0_224": {},
    },
    "mobilenet_v2": {
        "mobilenet_v2_micro": {"image_size": 64, "depth_multiplier": 0.25},
        "mobilenet_v2_0_35_96": {"image_size": 96, "depth_multiplier": 0.35},
        "mobilenet_v2_0_75_160": {"image_size": 160, "depth_multiplier": 0.75},
        "mobilenet_v2_1_0_224": {},
        "mobilenet_v2_1_4_224": {"depth_multiplier": 1.4},
    },
    "efficientnet": {
        "efficientnet_micro": {
            **{"image_size": 64, "width_coefficient": 0.25, "depth_coefficient": 0.3, "hidden_dim": 320},
        },
        "efficientnet_hf_b0": _efficientnet(1.0, 1.0, 224, 1280, []),
        "efficientnet_hf_b1": _efficientnet(1.0, 1.1, 240, 1280, [16]),
        "efficientnet_hf_b2": _efficientnet(1.1, 1.2, 260, 1408, [5, 8, 16]),
        "efficientnet_hf_b3": _efficientnet(1.2, 1.4, 300, 1536, [5, 18]),
        "efficientnet_hf_b4": _efficientnet(1.4, 1.8, 380, 1792, [6]),
        "efficientnet_hf_b5": _efficientnet(1.6, 2.2, 456, 2048, [13, 27]),
        "efficientnet_hf_b6": _efficientnet(1.8, 2.6, 528, 2304, [31]),
        "efficientnet_hf_b7": _efficientnet(2.0, 3.1, 600, 2560, [18]),
    },
    "levit": {
        "levit_micro": {**_levit([32, 48, 64], [2, 2, 2], [1, 1, 1], 16), "image_size": 64},
        "levit_128s": _levit([128, 256, 384], [4, 6, 8], [2, 3, 4], 16),
        "levit_128": _levit([128, 256, 384], [4, 8, 12], [4, 4, 4], 16),
        "levit_192": _levit([192, 288, 384], [3, 5, 6], [4, 4, 4], 32),
        "levit_256": _levit([256, 384, 512], [4, 6, 8], [4, 4, 4], 32),
        "levit_384": _levit([384, 512, 768], [6, 9, 12], [4, 4, 4], 32),
    },
    "poolformer": {
        "poolformer_micro": MICRO_STAGES,
        "poolformer_s12": {},
        "poolformer_s24": {"depths": [4, 4, 12, 4]},
        "poolformer_s36": {"depths": [6, 6, 18, 6], "layer_scale_init_value": 1e-6},
        "poolformer_m36": _stages([96, 192, 384, 768], [6, 6, 18, 6], layer_scale_init_value=1e-6),
        "poolformer_m48": _stages([96, 192, 384, 768], [8, 8, 24, 8], layer_scale_init_value=1e-6),
    },
    "cvt": {
        "cvt_micro": {"embed_dim": [16, 24, 32], "depth": [1, 2, 3], "num_heads": [1, 2, 2]},
        "cvt_13": {},
        "cvt_21": {"depth": [1, 4, 16]},
        "cvt_w24": {"depth": [2, 2, 20], "num_heads": [3, 12, 16], "embed_dim": [192, 768, 1024]},
    },
    "focalnet": {
        "focalnet_micro": {
            **{"image_size": 32, "patch_size": 2, "embed_dim": 16, "depths": [1, 1], "hidden_sizes": [16, 32]},
            **{"focal_levels": [1, 1], "focal_windows": [3, 3]},
        },
        "focalnet_tiny": {},
        "focalnet_small": {"depths": [2, 2, 18, 2]},
        "focalnet_base": {"embed_dim": 128, "depths": [2, 2, 18, 2], "hidden_sizes": [128, 256, 512, 1024]},
    },
    "pvt": {
        "pvt_micro": MICRO_PYRAMID,
        "pvt_tiny_224": {},
        "pvt_small_224": {"depths": [3, 4, 6, 3]},
        "pvt_medium_224": {"depths": [3, 4, 18, 3]},
        "pvt_large_224": {"depths": [3, 8, 27, 3]},
    },
    "pvt_v2": {
        "pvt_v2_micro": MICRO_PYRAMID,
        "pvt_v2_b0": {},
        "pvt_v2_b1": {"hidden_sizes": [64, 128, 320, 512]},
        "pvt_v2_b2": _stages([64, 128, 320, 512], [3, 4, 6, 3]),
        "pvt_v2_b3": _stages([64, 128, 320, 512], [3, 4, 18, 3]),
        "pvt_v2_b4": _stages([64, 128, 320, 512], [3, 8, 27, 3]),
    },
    "bit": {
        "bit_micro": {"embedding_size": 32, "hidden_sizes": [32, 64, 64, 96], "depths": [1, 1, 1, 1], "num_groups": 8},
        "bit_50": {},
    },
    "hiera": {
        "hiera_micro": {"image_size": [64, 64], "embed_dim": 16, "depths": [1, 1, 1, 1], "num_heads": [1, 2, 2, 4]},
        "hiera_tiny_224": {"depths": [1, 2, 7, 2]},
        "hiera_small_224": {"depths": [1, 2, 11, 2]},
        "hiera_base_224": {},
    },
    "swiftformer": {
        "swiftformer_micro": {"image_size": 64, "depths": [1, 1, 1, 1], "embed_dims": [16, 24, 32, 40]},
        "swiftformer_xs": {},
        "swiftformer_s": {"depths": [3, 3, 9, 6], "embed_dims": [48, 64, 168, 224]},
        "swiftformer_l1": {"depths": [4, 3, 10, 5], "embed_dims": [48, 96, 192, 384]},
        "swiftformer_l3": {"depths": [4, 4, 12, 6], "embed_dims": [64, 128, 320, 512]},
    },
    "segformer": {
        "mit_micro": {**MICRO_STAGES, "num_attention_heads": [1, 2, 2, 2]},
        "mit_b0": {},
        "mit_b1": {"hidden_sizes": [64, 128, 320, 512]},
        "mit_b2": _stages([64, 128, 320, 512], [3, 4, 6, 3]),
    },
    "hgnet_v2": {"hgnet_v2": {}},
    "textnet": {"textnet": {}},
}
