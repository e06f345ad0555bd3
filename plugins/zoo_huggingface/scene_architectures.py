"""The configurations of detectors and segmenters, as `architectures` has those of classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zoo_huggingface.architectures import IMAGENET, LEVELS, MICRO_STAGES, Config, Sizes

SCENE: Final = {**IMAGENET, "interpolation": "bilinear", "crop": None}
MICRO_SCENE: Final = {**SCENE, "size": [96, 96]}
RT_SCENE: Final = {**LEVELS, "interpolation": "bilinear", "crop": None, "size": [640, 640]}
MICRO_RT_SCENE: Final = {**RT_SCENE, "size": [96, 96]}
MICRO_DETR: Final[Config] = {
    **{"d_model": 32, "encoder_layers": 1, "decoder_layers": 2, "num_queries": 20},
    **{"encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48},
}


def _resnet(out: Sequence[str], *, family: str = "resnet", **sizes: Any) -> Config:
    return {"model_type": family, "out_features": list(out), **sizes}


def _micro_resnet(out: Sequence[str], family: str = "resnet") -> Config:
    return _resnet(out, family=family, embedding_size=16, layer_type="basic", **MICRO_STAGES)


LAST: Final = ("stage4",)
LAST_THREE: Final = ("stage2", "stage3", "stage4")
ALL_FOUR: Final = ("stage1", *LAST_THREE)
RESNET_101: Final[Config] = {"hidden_sizes": [256, 512, 1024, 2048], "depths": [3, 4, 23, 3]}
RESNET_18: Final[Config] = {"hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "layer_type": "basic"}


def _with_backbone(backbone: Config, **others: Any) -> Config:
    return {"use_timm_backbone": False, "backbone_config": backbone, **others}


MICRO_RT_DETR: Final[Config] = {
    **{"d_model": 32, "encoder_hidden_dim": 32, "encoder_layers": 1, "encoder_ffn_dim": 48, "num_queries": 20},
    **{"encoder_attention_heads": 2, "decoder_layers": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 48},
    **{"encoder_in_channels": [24, 32, 40], "decoder_in_channels": [32, 32, 32], "num_denoising": 0},
    **{"backbone_config": _micro_resnet(LAST_THREE, "rt_detr_resnet"), "prepared": MICRO_RT_SCENE},
}
RT_DETR_R18: Final[Config] = {
    **{"backbone_config": _resnet(LAST_THREE, family="rt_detr_resnet", **RESNET_18), "prepared": RT_SCENE},
    **{"encoder_in_channels": [128, 256, 512], "hidden_expansion": 0.5, "decoder_layers": 3},
}
RT_DETR_R50: Final[Config] = {"prepared": RT_SCENE}


def _yolos(hidden: int, layers: int, heads: int, inner: int, size: list[int], **others: Any) -> Config:
    wide = {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads}
    return {**wide, "intermediate_size": inner, "image_size": size, "prepared": SCENE, **others}


DETECTORS: Final[Mapping[str, Sizes]] = {
    "detr": {
        "detr_micro": _with_backbone(_micro_resnet(LAST), **MICRO_DETR, prepared=MICRO_SCENE),
        "detr_resnet_50": _with_backbone(_resnet(LAST), prepared={**SCENE, "size": [800, 800]}),
        "detr_resnet_101": _with_backbone(_resnet(LAST, **RESNET_101), prepared={**SCENE, "size": [800, 800]}),
    },
    "conditional_detr": {
        "conditional_detr_micro": _with_backbone(_micro_resnet(LAST), **MICRO_DETR, prepared=MICRO_SCENE),
        "conditional_detr_resnet_50": _with_backbone(_resnet(LAST), prepared={**SCENE, "size": [800, 800]}),
    },
    "deformable_detr": {
        "deformable_detr_micro": _with_backbone(_micro_resnet(LAST_THREE), **MICRO_DETR, prepared=MICRO_SCENE),
        "deformable_detr": _with_backbone(_resnet(LAST_THREE), prepared={**SCENE, "size": [800, 800]}),
    },
    "table-transformer": {
        "table_transformer_micro": _with_backbone(_micro_resnet(LAST), **MICRO_DETR, prepared=MICRO_SCENE),
    },
    "yolos": {
        "yolos_micro": _yolos(32, 2, 2, 48, [96, 96], patch_size=8, num_detection_tokens=20, prepared=MICRO_SCENE),
        "yolos_tiny": _yolos(192, 12, 3, 768, [800, 1333], use_mid_position_embeddings=False),
        "yolos_small": _yolos(384, 12, 6, 1536, [512, 864]),
        "yolos_base": _yolos(768, 12, 12, 3072, [800, 1344]),
    },
    "rt_detr": {"rtdetr_micro": MICRO_RT_DETR, "rtdetr_r18vd": RT_DETR_R18, "rtdetr_r50vd": RT_DETR_R50},
    "rt_detr_v2": {"rtdetr_v2_micro": MICRO_RT_DETR, "rtdetr_v2_r18vd": RT_DETR_R18, "rtdetr_v2_r50vd": RT_DETR_R50},
    "d_fine": {"dfine_micro": MICRO_RT_DETR},
}
MICRO_TOKENS: Final[Config] = {
    **{"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 48},
    **{"image_size": 96, "patch_size": 8},
}
MICRO_BEIT: Final[Config] = {
    **{**MICRO_TOKENS, "use_relative_position_bias": True, "out_indices": [1, 2, 3, 4], "pool_scales": [1, 2]},
    **{"auxiliary_channels": 16, "prepared": MICRO_SCENE},
}
ADE: Final = {**SCENE, "size": [512, 512]}


def _segformer(hidden: list[int], depths: list[int], decoder: int, side: int = 512) -> Config:
    sizes = {"hidden_sizes": hidden, "depths": depths, "decoder_hidden_size": decoder}
    return {**sizes, "prepared": {**SCENE, "size": [side, side]}}


def _upernet(**convnext: Any) -> Config:
    return {"backbone_config": {"model_type": "convnext", "out_features": list(ALL_FOUR), **convnext}}


SEGMENTERS: Final[Mapping[str, Sizes]] = {
    "segformer": {
        "segformer_micro": {**_segformer([16, 24, 32, 40], [1, 1, 1, 1], 32, 96), "num_attention_heads": [1, 2, 2, 2]},
        "segformer_b0_finetuned_ade_512_512": _segformer([32, 64, 160, 256], [2, 2, 2, 2], 256),
        "segformer_b1_finetuned_ade_512_512": _segformer([64, 128, 320, 512], [2, 2, 2, 2], 256),
        "segformer_b2_finetuned_ade_512_512": _segformer([64, 128, 320, 512], [3, 4, 6, 3], 768),
        "segformer_b3_finetuned_ade_512_512": _segformer([64, 128, 320, 512], [3, 4, 18, 3], 768),
        "segformer_b4_finetuned_ade_512_512": _segformer([64, 128, 320, 512], [3, 8, 27, 3], 768),
        "segformer_b5_finetuned_ade_640_640": _segformer([64, 128, 320, 512], [3, 6, 40, 3], 768, 640),
    },
    "mobilevit": {
        "mobilevit_segmenter_micro": {
            **{"image_size": 96, "hidden_sizes": [24, 32, 40], "num_attention_heads": 2, "aspp_out_channels": 32},
            **{"neck_hidden_sizes": [8, 8, 16, 16, 24, 32, 48], "output_stride": 16},
            "prepared": {**LEVELS, "interpolation": "bilinear", "crop": None, "bgr": True, "size": [96, 96]},
        },
        "deeplabv3_mobilevit_small": {
            **{"image_size": 512, "aspp_dropout_prob": 0.1, "output_stride": 16},
            "prepared": {**LEVELS, "interpolation": "bilinear", "crop": None, "bgr": True, "size": [512, 512]},
        },
    },
    "mobilevitv2": {
        "mobilevitv2_segmenter_micro": {
            **{"image_size": 96, "width_multiplier": 0.25, "aspp_out_channels": 32, "output_stride": 16},
            "prepared": {**LEVELS, "interpolation": "bilinear", "crop": None, "bgr": True, "size": [96, 96]},
        },
    },
    "mobilenet_v2": {
        "mobilenet_v2_segmenter_micro": {"image_size": 96, "depth_multiplier": 0.25, "prepared": MICRO_SCENE},
        "deeplabv3_mobilenet_v2_1_0_513": {"image_size": 513, "prepared": {**SCENE, "size": [513, 513]}},
    },
    "upernet": {
        "upernet_micro": {
            **_upernet(**MICRO_STAGES),
            **{"hidden_size": 32, "auxiliary_in_channels": 32, "auxiliary_channels": 16, "prepared": MICRO_SCENE},
        },
        "upernet_convnext_tiny": {
            **_upernet(hidden_sizes=[96, 192, 384, 768], depths=[3, 3, 9, 3]),
            "auxiliary_in_channels": 384,
            "prepared": ADE,
        },
    },
    "dpt": {
        "dpt_segmenter_micro": {
            **{**MICRO_TOKENS, "backbone_out_indices": [0, 1, 2, 3], "neck_hidden_sizes": [16, 16, 16, 16]},
            **{"fusion_hidden_size": 16, "prepared": MICRO_SCENE},
        },
    },
    "beit": {"beit_segmenter_micro": MICRO_BEIT},
    "data2vec-vision": {"data2vec_vision_segmenter_micro": MICRO_BEIT},
}
