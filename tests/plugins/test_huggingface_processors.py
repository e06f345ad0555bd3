"""The library's image processors and zoo's pipelines make the same inputs of photographs, within one grey level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage import data as photographs

from zoo import BadFile, ImagePrepare

transformers = pytest.importorskip("transformers")

from zoo_huggingface.processors import prepared  # noqa: E402

LAST = "channels_last"
ONE_LEVEL = 1.01
MAX_SHARE = 0.001
"""Of values that are two levels apart: where bicubic overshoots, the library's kernel rounds between its two passes."""
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("ViTImageProcessor", {"size": {"height": 48, "width": 48}}),
    "vit of a number": ("ViTImageProcessor", {"size": 40, "resample": 3, **IMAGENET}),
    "vit with a crop": (
        "ViTImageProcessor",
        {"size": {"height": 48, "width": 48}, "do_center_crop": True, "crop_size": {"height": 41, "width": 32}},
    ),
    "vit of one mean": ("ViTImageProcessor", {"size": [40, 56], "image_mean": 0.4, "image_std": 0.25}),
    "vit without levels": ("ViTImageProcessor", {"size": 40, "do_normalize": False, "resample": 0}),
    "deit": ("DeiTImageProcessor", {"size": 64, "crop_size": 56}),
    "siglip": ("SiglipImageProcessor", {"size": {"height": 56, "width": 56}}),
    "clip": ("CLIPImageProcessor", {"size": {"shortest_edge": 48}, "crop_size": 48}),
    "beit, cropped": ("BeitImageProcessor", {"size": 64, "do_center_crop": True, "crop_size": 56}),
    "beit": ("BeitImageProcessor", {"size": {"height": 48, "width": 40}, "do_center_crop": False}),
    "convnext": ("ConvNextImageProcessor", {"size": {"shortest_edge": 56}, "crop_pct": 0.875, **IMAGENET}),
    "convnext, large": ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}),
    "bit": ("BitImageProcessor", {"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}),
    "levit": ("LevitImageProcessor", {"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}}),
    "poolformer": ("PoolFormerImageProcessor", {"size": {"shortest_edge": 56}, "crop_size": 56, "crop_pct": 0.9}),
    "poolformer without a margin": ("PoolFormerImageProcessor", {"size": 56, "crop_size": 56, "crop_pct": None}),
    "mobilevit of a number": ("MobileViTImageProcessor", {"size": 72, "crop_size": 64, "do_normalize": True}),
    "mobilevit in red, green, blue": (
        "MobileViTImageProcessor",
        {"size": 72, "crop_size": 64, "do_flip_channel_order": False},
    ),
    "mobilevit": ("MobileViTImageProcessor", {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}}),
    "mobilenet_v1 of a number": ("MobileNetV1ImageProcessor", {"size": 73, "crop_size": 64}),
    "mobilenet_v2": ("MobileNetV2ImageProcessor", {"size": {"shortest_edge": 73}, "crop_size": 64}),
    "efficientnet": (
        "EfficientNetImageProcessor",
        {"size": {"height": 64, "width": 64}, "resample": 3, "include_top": True, **IMAGENET},
    ),
    "efficientnet of features": (
        "EfficientNetImageProcessor",
        {"size": {"height": 64, "width": 64}, "do_center_crop": True, "crop_size": 57, "include_top": False},
    ),
    "efficientnet without means": ("EfficientNetImageProcessor", {"size": 64, "do_normalize": False}),
    "pvt": ("PvtImageProcessor", {"size": {"height": 64, "width": 64}}),
    "segformer": ("SegformerImageProcessor", {"size": {"height": 64, "width": 96}}),
    "dpt": ("DPTImageProcessor", {"size": {"height": 64, "width": 96}, "ensure_multiple_of": 32}),
    "rt-detr": ("RTDetrImageProcessor", {"size": {"height": 96, "width": 96}}),
    "rt-detr with levels": ("RTDetrImageProcessor", {"size": {"height": 64, "width": 64}, "do_normalize": True}),
    "detr of one size": ("DetrImageProcessor", {"size": {"height": 96, "width": 72}}),
    "yolos of one size": ("YolosImageProcessor", {"size": {"height": 64, "width": 96}}),
}


def pictures_of_all_shapes() -> dict[str, np.ndarray[Any, Any]]:
    """Wide, high, square, and smaller than what a model takes; grey, of one colour, and of two levels."""
    whole, draw = photographs.astronaut(), np.random.default_rng(0)  # type: ignore[no-untyped-call]
    pictures = {
        "photograph": whole,
        "wide": whole[:200, :511],
        "high": whole[40:400, 100:223],
        "small": whole[::16, ::11],
        "one row": whole[100:101, 200:207],
        "one column": whole[100:107, 200:201],
        "very high": np.tile(whole, (3, 1, 1))[:1500, :100],
        "very wide": np.tile(whole, (1, 3, 1))[:100, :1500],
        "grey": np.repeat(whole[:151, :97, 1:2], 3, 2),
        "one colour": np.full((50, 33, 3), (200, 3, 77), np.uint8),
        "black and white": np.repeat(draw.integers(0, 2, (97, 131, 1), dtype=np.uint8) * 255, 3, 2),
    }
    return {name: np.ascontiguousarray(pixels) for name, pixels in pictures.items()}


def both_processors(kind: str, options: dict[str, Any]) -> tuple[Any, Any]:
    """The library's own, with torchvision and with Pillow."""
    return getattr(transformers, kind)(**options), getattr(transformers, f"{kind}Pil")(**options)


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_pipeline_prepares_pictures_as_both_of_the_librarys_processors_do(name: str) -> None:
    kind, options = PROCESSORS[name]
    processors = both_processors(kind, options)
    made = prepared({**options, "image_processor_type": kind}, where="preprocessor_config.json")
    saved = {**processors[0].to_dict(), "image_processor_type": kind}
    assert name == "poolformer without a margin" or prepared(saved, where="x") == made
    prepare = ImagePrepare(made.input)
    level = 1 / 255 / torch.tensor(made.input.std).reshape(1, -1, 1, 1)
    for picture, pixels in pictures_of_all_shapes().items():
        fast, slow = (
            torch.as_tensor(
                np.asarray(processor(images=pixels, return_tensors="pt", input_data_format=LAST)["pixel_values"])
            )
            for processor in processors
        )
        actual = prepare(torch.from_numpy(pixels))
        actual = actual.flip(1) if made.bgr else actual
        assert actual.shape == fast.shape == slow.shape
        for expected in (fast, slow):
            difference = ((actual - expected).abs() - (fast - slow).abs()) / level  # beyond what the two differ by
            assert float(difference.max()) <= 2 * ONE_LEVEL, picture
            assert float((difference > ONE_LEVEL).float().mean()) <= MAX_SHARE, picture
    assert made.notes == ()


def test_what_the_file_leaves_out_is_what_the_library_does() -> None:
    for kind in (
        "ViT",
        "Beit",
        "Levit",
        "PoolFormer",
        "MobileNetV1",
        "Pvt",
        "RTDetr",
        "Bit",
        "EfficientNet",
        "DeiT",
        "CLIP",
        "Siglip",
        "Segformer",
        "DPT",
        "ConvNext",
    ):
        processor = getattr(transformers, f"{kind}ImageProcessor")()
        said = prepared({"image_processor_type": f"{kind}ImageProcessorFast"}, where="x")
        whole = prepared({**processor.to_dict(), "image_processor_type": f"{kind}ImageProcessor"}, where="x")
        assert said == whole, kind


def test_a_detector_that_keeps_the_shape_of_pictures_says_what_differs() -> None:
    config = {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 800, "longest_edge": 1333}}
    made = prepared(config, where="x")
    assert made.input.size == (800, 800)
    assert made.notes == (
        "pictures are stretched to 800x800 pixels; the library keeps their shape, with sides of 800 to 1333",
    )
    assert prepared(config, where="x", side=(512, 864)).input.size == (512, 864)
    older = {"feature_extractor_type": "DetrFeatureExtractor", "size": 800, "max_size": 1333}
    assert prepared(older, where="x") == made


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"image_processor_type": "OddImageProcessor"}, "with OddImageProcessor, which zoo does not know"),
        ({}, "a processor without a name"),
        ({"image_processor_type": "ViTImageProcessor", "resample": 1}, "Pillow's filter 1"),
        ({"image_processor_type": "ViTImageProcessor", "do_resize": False}, "do_resize: False"),
        ({"image_processor_type": "ViTImageProcessor", "do_rescale": False}, "do_rescale: False"),
        ({"image_processor_type": "ViTImageProcessor", "rescale_factor": 1.0}, "scales levels otherwise"),
        ({"image_processor_type": "BitImageProcessor", "crop_size": 300}, "would fill up the rest"),
        ({"image_processor_type": "BitImageProcessor", "do_center_crop": False}, "does not crop them"),
        ({"image_processor_type": "BitImageProcessor", "do_center_crop": None}, "does not crop them"),
        ({"image_processor_type": "RTDetrImageProcessor", "size": 640}, "does not crop them"),
        ({"image_processor_type": "ViTImageProcessor", "do_center_crop": True}, "do_center_crop, and no crop_size"),
        (
            {"image_processor_type": "ViTImageProcessor", "do_pad": True, "pad_size": {"height": 9, "width": 9}},
            r"with a border \(do_pad\)",
        ),
        ({"image_processor_type": "DPTImageProcessor", "do_pad": True, "size_divisor": 14}, r"\(do_pad\)"),
        ({"image_processor_type": "DPTImageProcessor", "keep_aspect_ratio": True}, "keep_aspect_ratio"),
        ({"image_processor_type": "DPTImageProcessor", "ensure_multiple_of": 31}, "to multiples of 31"),
        ({"image_processor_type": "DPTImageProcessor", "do_center_crop": True}, "beside its own resizing"),
        ({"image_processor_type": "EfficientNetImageProcessor", "rescale_offset": True}, "scales levels otherwise"),
        ({"image_processor_type": "DetrImageProcessor", "size": {"max_height": 9, "max_width": 9}}, "size: {'max_h"),
        ({"image_processor_type": "ViTImageProcessor", "size": {"longest_edge": 9}}, "size: {'longest_edge': 9}"),
        ({"image_processor_type": "ViTImageProcessor", "size": "large"}, "size: 'large'"),
        ({"image_processor_type": "ViTImageProcessor", "size": {"height": 0, "width": 9}}, "size: {'height': 0"),
        ({"image_processor_type": "ViTImageProcessor", "size": None}, "size: None"),
        ({"image_processor_type": "ConvNextImageProcessor", "size": {"height": 9, "width": 9}}, "size: {'height': 9"),
        ({"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": 0}, "is not as ConvNext"),
        (
            {
                "image_processor_type": "DeiTImageProcessor",
                "size": {"height": 64, "width": 96},
                "crop_size": {"height": 56, "width": 56},
            },
            "stretches pictures to 64x96 and crops them",
        ),
        ({"image_processor_type": "ViTImageProcessor", "image_mean": [0.5, 0.5]}, "three channels"),
        ({"image_processor_type": "ViTImageProcessor", "image_std": None}, "is not as ViTImageProcessor writes it"),
    ],
)
def test_what_a_pipeline_cannot_do_is_refused(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadFile, match=sentence):
        prepared(config, where="preprocessor_config.json")
