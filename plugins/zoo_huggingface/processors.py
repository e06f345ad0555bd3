"""The library's image processors as an `ImageInput`: what preprocessor_config.json says, or its refusal; torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from zoo import BadFile, ImageInput

Interpolation = Literal["bilinear", "bicubic", "nearest"]
Config = Mapping[str, Any]
RESAMPLES: Final[Mapping[int, Interpolation]] = {0: "nearest", 2: "bilinear", 3: "bicubic"}
"""Pillow's numbers."""
IMAGENET: Final = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF: Final = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
CLIP: Final = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
SWAP_BELOW: Final = 384
"""ConvNeXt's processor crops smaller pictures than this, and stretches others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """How a processor makes inputs of pictures."""

    input: ImageInput
    bgr: bool
    """Blue comes first."""
    notes: tuple[str, ...] = ()
    """What zoo does otherwise, in sentences."""


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What a processor does where its file says nothing."""

    size: Config
    crop: Config | None = None
    resample: int = 2
    levels: tuple[list[float], list[float]] = HALF
    normalize: bool = True


DEFAULTS: Final[Mapping[str, _Defaults]] = {
    "ViT": _Defaults({"height": 224, "width": 224}),
    "DeiT": _Defaults({"height": 256, "width": 256}, {"height": 224, "width": 224}, 3),
    "Beit": _Defaults({"height": 224, "width": 224}, {"height": 224, "width": 224}, 3),
    "Bit": _Defaults({"shortest_edge": 224}, {"height": 224, "width": 224}, 3, CLIP),
    "ConvNext": _Defaults({"shortest_edge": 384}, None, 3),
    "Levit": _Defaults({"shortest_edge": 224}, {"height": 224, "width": 224}, 3, IMAGENET),
    "PoolFormer": _Defaults({"shortest_edge": 224}, {"height": 224, "width": 224}, 3, IMAGENET),
    "MobileViT": _Defaults({"shortest_edge": 224}, {"height": 256, "width": 256}, 3, normalize=False),
    "MobileNetV1": _Defaults({"shortest_edge": 256}, {"height": 224, "width": 224}),
    "MobileNetV2": _Defaults({"shortest_edge": 256}, {"height": 224, "width": 224}),
    "EfficientNet": _Defaults({"height": 346, "width": 346}, None, 3),
    "Pvt": _Defaults({"height": 224, "width": 224}, None, 3, IMAGENET),
    "Segformer": _Defaults({"height": 512, "width": 512}, levels=IMAGENET),
    "DPT": _Defaults({"height": 384, "width": 384}, None, 3),
    "RTDetr": _Defaults({"height": 640, "width": 640}, normalize=False),
    **dict.fromkeys(
        ("Detr", "ConditionalDetr", "DeformableDetr", "Yolos"),
        _Defaults({"shortest_edge": 800, "longest_edge": 1333}, levels=IMAGENET),
    ),
}
"""By the processor's name without its ending."""
ENDINGS: Final = ("Fast", "Pil", "ImageProcessor", "FeatureExtractor")


def prepared(config: Config, *, where: str, side: tuple[int, int] | None = None) -> Prepared:
    """What a preprocessor_config.json says; BadFile names what zoo cannot do in a pipeline.

    `side` is the size that the network itself names, taken where a processor keeps the shape of pictures.
    """
    name = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "")
    kind = name
    for ending in ENDINGS:
        kind = kind.removesuffix(ending)
    if kind not in DEFAULTS:
        raise BadFile(f"{where} prepares pictures with {name or 'a processor without a name'}, which zoo does not know")
    defaults = DEFAULTS[kind]
    for flag, wanted in (("do_resize", True), ("do_rescale", True)):
        if config.get(flag, True) is not wanted:
            raise BadFile(
                f"{where} says {flag}: {config[flag]}, and zoo's pipelines take pictures of any size and level"
            )
    if abs(float(config.get("rescale_factor", 1 / 255)) - 1 / 255) > 1e-6 or config.get("rescale_offset"):
        raise BadFile(f"{where} scales levels otherwise than to 0..1, which zoo's pipelines do not")
    size, resize, notes = _geometry(kind, config, defaults, where=where, side=side)
    mean, std = _levels(kind, config, defaults)
    return Prepared(
        input=ImageInput(
            size=size,
            resize=resize,
            crop_rounding="down",
            interpolation=_interpolation(config.get("resample", defaults.resample), where=where),
            mean=mean,
            std=std,
        ),
        bgr=kind == "MobileViT" and bool(config.get("do_flip_channel_order", True)),
        notes=notes,
    )


def _interpolation(number: int, *, where: str) -> Interpolation:
    if number not in RESAMPLES:
        raise BadFile(f"{where} resizes with Pillow's filter {number}; zoo has nearest (0), bilinear (2), bicubic (3)")
    return RESAMPLES[number]


def _levels(kind: str, config: Config, defaults: _Defaults) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel."""
    if not config.get("do_normalize", defaults.normalize):
        return (0.0,), (1.0,)
    mean = tuple(map(float, config.get("image_mean") or defaults.levels[0]))
    std = tuple(map(float, config.get("image_std") or defaults.levels[1]))
    if kind == "EfficientNet" and config.get("include_top", True):
        std = tuple(value * value for value in std)  # it divides twice
    return mean, std


Geometry = tuple[tuple[int, int], int | None, tuple[str, ...]]


def _geometry(kind: str, config: Config, defaults: _Defaults, *, where: str, side: tuple[int, int] | None) -> Geometry:
    """The size that goes in, the shorter side before the crop, and what zoo does otherwise."""
    size = _as_size(config.get("size", defaults.size), square=kind not in ("Bit", "ConvNext", "Levit", "MobileViT"))
    crops = defaults.crop is not None and config.get("do_center_crop", kind != "Beit")
    crop = _as_size(config.get("crop_size", defaults.crop or {}), square=True) if crops else {}
    if "longest_edge" in size:
        short, long = int(size["shortest_edge"]), int(size["longest_edge"])
        taken = side or (short, short)
        return taken, None, (f"pictures are stretched to {taken[0]}x{taken[1]} pixels; the library keeps their shape, "
                             f"with sides of {short} to {long}",)  # fmt: skip
    special: Mapping[str, Callable[[], int]] = {
        "ConvNext": lambda: int(size["shortest_edge"] / config.get("crop_pct", 224 / 256)),
        "Levit": lambda: int(256 / 224 * size["shortest_edge"]),
        "PoolFormer": lambda: int(next(iter(size.values())) / config.get("crop_pct", 0.9)),
    }
    if kind == "ConvNext":
        short = int(size["shortest_edge"])
        return (short, short), special[kind]() if short < SWAP_BELOW else None, ()
    if "shortest_edge" in size or (kind == "PoolFormer" and crop):
        if not crop:
            raise BadFile(f"{where} keeps the shape of pictures and does not crop them, which zoo's pipelines do not")
        resize = special[kind]() if kind in special else int(size["shortest_edge"])
        return _cropped(crop, resize, where=where)
    height, width = int(size["height"]), int(size["width"])
    if not crop or (crop["height"], crop["width"]) == (height, width):
        return (height, width), None, ()
    if height != width:
        raise BadFile(f"{where} stretches pictures to {height}x{width} and crops them, which zoo's pipelines do not")
    size_after, resized, _ = _cropped(crop, height, where=where)
    return size_after, resized, ("the shorter side is resized before the crop; the library stretches both",)


def _cropped(crop: Config, resize: int, *, where: str) -> Geometry:
    height, width = int(crop["height"]), int(crop["width"])
    if resize < max(height, width):
        raise BadFile(
            f"{where} crops {height}x{width} pixels of a shorter side of {resize}, and would fill up the rest"
        )
    return (height, width), resize, ()


def _as_size(value: Any, *, square: bool) -> Config:
    """A size as the library reads it: a number is a square, or a shorter side."""
    if isinstance(value, int):
        return {"height": value, "width": value} if square else {"shortest_edge": value}
    if isinstance(value, list | tuple):
        return {"height": value[0], "width": value[1]}
    return cast("Config", value)
