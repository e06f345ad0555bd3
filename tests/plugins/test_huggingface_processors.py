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

ONE_LEVEL = 1.01
MAX_SHARE = 0.001
"""Of values that are two levels apart: where bicubic overshoots, the library's kernel rounds between its two passes."""
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "vit": ("ViTImageProcessor", {"size": {"height": 48, "width": 48}}),
    "vit of a number": ("ViTImageProcessor", {"size": 40, "resample": 3, **IMAGENET}),
    "beit": ("BeitImageProcessor", {"size": {"height": 48, "width": 40}, "do_center_crop": False}),
    "convnext": ("ConvNextImageProcessor", {"size": {"shortest_edge": 56}, "crop_pct": 0.875, **IMAGENET}),
    "convnext, large": ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}),
    "bit": ("BitImageProcessor", {"size": {"shortest_edge": 64}, "crop_size": {"height": 56, "width": 56}}),
    "levit": ("LevitImageProcessor", {"size": {"shortest_edge": 56}, "crop_size": {"height": 56, "width": 56}}),
    "poolformer": ("PoolFormerImageProcessor", {"size": {"shortest_edge": 56}, "crop_size": 56, "crop_pct": 0.9}),
    "mobilevit": ("MobileViTImageProcessor", {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}}),
    "mobilenet_v2": ("MobileNetV2ImageProcessor", {"size": {"shortest_edge": 73}, "crop_size": 64}),
    "efficientnet": (
        "EfficientNetImageProcessor",
        {"size": {"height": 64, "width": 64}, "resample": 3, "include_top": True, **IMAGENET},
    ),
    "pvt": ("PvtImageProcessor", {"size": {"height": 64, "width": 64}}),
    "segformer": ("SegformerImageProcessor", {"size": {"height": 64, "width": 96}}),
    "rt-detr": ("RTDetrImageProcessor", {"size": {"height": 96, "width": 96}}),
}


def photographs_of_all_shapes() -> list[np.ndarray[Any, Any]]:
    """Wide, high, square, and smaller than what a model takes."""
    whole = photographs.astronaut()  # type: ignore[no-untyped-call]
    return [whole, whole[:200, :511], whole[40:400, 100:223], np.ascontiguousarray(whole[::16, ::11])]


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_pipeline_prepares_photographs_as_the_library_does(name: str) -> None:
    kind, options = PROCESSORS[name]
    processor = getattr(transformers, kind)(**options)
    said = processor.to_dict()
    made = prepared({**said, "image_processor_type": kind}, where="preprocessor_config.json")
    prepare = ImagePrepare(made.input)
    level = 1 / 255 / torch.tensor(made.input.std).reshape(1, -1, 1, 1)
    for pixels in photographs_of_all_shapes():
        expected = processor(images=pixels, return_tensors="pt")["pixel_values"]
        actual = prepare(torch.from_numpy(np.ascontiguousarray(pixels)))
        actual = actual.flip(1) if made.bgr else actual
        assert actual.shape == expected.shape
        difference = (actual - expected).abs() / level
        assert float(difference.max()) <= 2 * ONE_LEVEL, pixels.shape
        assert float((difference > ONE_LEVEL).float().mean()) <= MAX_SHARE, pixels.shape
    assert made.notes == ()


def test_what_the_file_leaves_out_is_what_the_library_does() -> None:
    for kind in ("ViT", "Beit", "Levit", "PoolFormer", "MobileNetV1", "Pvt", "RTDetr", "Bit", "EfficientNet"):
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
    ],
)
def test_what_a_pipeline_cannot_do_is_refused(config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadFile, match=sentence):
        prepared(config, where="preprocessor_config.json")
