"""The library's image processors as an `ImageInput`: what preprocessor_config.json says, or its refusal; torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal, NoReturn

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
    crops: bool | None = False
    """Whether it crops unless the file says otherwise; None: not after its resizing."""
    resample: int = 2
    levels: tuple[list[float], list[float]] = HALF
    normalize: bool | None = True
    """None: it never does."""
    square: bool = True
    """A size of one number is a square, not the shorter side."""


def _side(side: int) -> Config:
    return {"height": side, "width": side}


_cropping = partial(_Defaults, crops=True, crop=_side(224), square=False)
_DETR = _Defaults({"shortest_edge": 800, "longest_edge": 1333}, None, None, levels=IMAGENET, square=False)
DEFAULTS: Final[Mapping[str, _Defaults]] = {
    "ViT": _Defaults(_side(224)),
    "DeiT": _Defaults(_side(256), _side(224), True, 3),
    "Beit": _Defaults(_side(224), _side(224), False, 3),
    "Bit": _cropping({"shortest_edge": 224}, resample=3, levels=CLIP),
    "CLIP": _cropping({"shortest_edge": 224}, resample=3, levels=CLIP),
    "Siglip": _Defaults(_side(224), resample=3, square=False),
    "ConvNext": _Defaults({"shortest_edge": 384}, None, None, 3, square=False),
    "Levit": _cropping({"shortest_edge": 224}, resample=3, levels=IMAGENET),
    "PoolFormer": _cropping({"shortest_edge": 224}, resample=3, levels=IMAGENET),
    "MobileViT": _Defaults({"shortest_edge": 224}, _side(256), True, 3, normalize=None, square=False),
    "MobileNetV1": _cropping({"shortest_edge": 256}),
    "MobileNetV2": _cropping({"shortest_edge": 256}),
    "EfficientNet": _Defaults(_side(346), _side(289), False, 3),
    "Pvt": _Defaults(_side(224), resample=3, levels=IMAGENET),
    "Segformer": _Defaults(_side(512), None, None, levels=IMAGENET),
    "DPT": _Defaults(_side(384), None, None, 3),
    "RTDetr": _Defaults(_side(640), None, None, levels=IMAGENET, normalize=False, square=False),
    **dict.fromkeys(("Detr", "ConditionalDetr", "DeformableDetr", "Yolos"), _DETR),
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
    try:
        _refuse_other_steps(config, where=where)
        return _prepared(kind, config, where=where, side=side)
    except (TypeError, ValueError, KeyError, ArithmeticError) as error:
        raise BadFile(f"{where} is not as {name} writes it: {error!r}") from error


def _prepared(kind: str, said: Config, *, where: str, side: tuple[int, int] | None) -> Prepared:
    defaults = DEFAULTS[kind]
    geometry = _geometry(kind, said, defaults, where=where, side=side)
    mean, std = _levels(kind, said, defaults)
    return Prepared(
        input=ImageInput(
            size=geometry.size,
            resize=geometry.resize,
            stretch=geometry.stretch,
            crop_rounding="down",
            interpolation=_interpolation(said.get("resample", defaults.resample), where=where),
            mean=mean,
            std=std,
        ),
        bgr=kind == "MobileViT" and bool(said.get("do_flip_channel_order", True)),
        notes=geometry.notes,
    )


def _refuse_other_steps(said: Config, *, where: str) -> None:
    """BadFile for steps that no pipeline has."""
    for flag in ("do_resize", "do_rescale"):
        if not said.get(flag, True):
            raise BadFile(f"{where} says {flag}: {said[flag]}, and zoo's pipelines take pictures of any size and level")
    if said.get("keep_aspect_ratio"):
        raise BadFile(f"{where} keeps the shape of pictures (keep_aspect_ratio), which zoo's pipelines do not")
    if abs(float(said.get("rescale_factor", 1 / 255)) - 1 / 255) > 1e-6 or said.get("rescale_offset"):
        raise BadFile(f"{where} scales levels otherwise than to 0..1, which zoo's pipelines do not")
    if said.get("do_pad", True) and (said.get("pad_size") or (said.get("do_pad") and said.get("size_divisor"))):
        raise BadFile(f"{where} fills pictures up with a border (do_pad), which zoo's pipelines do not")


def _interpolation(number: int, *, where: str) -> Interpolation:
    if number not in RESAMPLES:
        raise BadFile(f"{where} resizes with Pillow's filter {number}; zoo has nearest (0), bilinear (2), bicubic (3)")
    return RESAMPLES[number]


def _levels(kind: str, said: Config, defaults: _Defaults) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, or one for all."""
    mean = _numbers(said.get("image_mean", defaults.levels[0]))
    std = _numbers(said.get("image_std", defaults.levels[1]))
    normalizes = defaults.normalize is not None and bool(said.get("do_normalize", defaults.normalize))
    if kind == "EfficientNet" and said.get("include_top", True):
        # it divides by the deviation once more
        return (mean, tuple(value * value for value in std)) if normalizes else ((0.0,), std)
    return (mean, std) if normalizes else ((0.0,), (1.0,))


def _numbers(value: Any) -> tuple[float, ...]:
    """One number, or one for each of three channels."""
    numbers = (float(value),) if isinstance(value, int | float) else tuple(map(float, value))
    if len(numbers) not in (1, 3):
        raise ValueError(f"{value} is not one number for each of three channels")
    return numbers


@dataclass(frozen=True, slots=True)
class _Geometry:
    """The size that goes in; the length of the sides, or of the shorter one, before the crop; what zoo does
    otherwise."""

    size: tuple[int, int]
    resize: int | None = None
    stretch: bool = False
    notes: tuple[str, ...] = ()


def _geometry(kind: str, said: Config, defaults: _Defaults, *, where: str, side: tuple[int, int] | None) -> _Geometry:
    size = _size(said, "size", defaults.size, square=defaults.square, where=where)
    crop = _crop(said, defaults, where=where)
    if "longest_edge" in size:
        short, long = size["shortest_edge"], size["longest_edge"]
        taken = side or (short, short)
        note = f"pictures are stretched to {taken[0]}x{taken[1]} pixels; the library keeps their shape"
        return _Geometry(taken, notes=(f"{note}, with sides of {short} to {long}",))
    if kind == "ConvNext":
        short = size["shortest_edge"] if "shortest_edge" in size else _refuse_size(size, "size", where=where)
        before = int(short / said.get("crop_pct", 224 / 256)) if short < SWAP_BELOW else None
        return _Geometry((short, short), before)
    if shorter := _shorter_side(kind, size, said):
        if not crop:
            raise BadFile(f"{where} keeps the shape of pictures and does not crop them, which zoo's pipelines do not")
        return _cropped(crop, shorter, where=where)
    stretched = _whole_multiples(size, said, where=where)
    if not crop or crop == stretched:
        return _Geometry(stretched)
    if stretched[0] != stretched[1]:
        raise BadFile(
            f"{where} stretches pictures to {stretched[0]}x{stretched[1]} and crops them, which zoo's pipelines do not"
        )
    return _cropped(crop, stretched[0], stretch=True, where=where)


def _shorter_side(kind: str, size: Mapping[str, int], said: Config) -> int | None:
    """How long the shorter side becomes before the crop; None where pictures are stretched."""
    if kind == "PoolFormer":
        if size.get("height") != size.get("width"):
            return None
        short, share = next(iter(size.values())), said.get("crop_pct", 0.9)
        if share is not None:
            return int(short / share)
    shorter = size.get("shortest_edge")
    return int(256 / 224 * shorter) if shorter and kind == "Levit" else shorter


def _whole_multiples(size: Mapping[str, int], said: Config, *, where: str) -> tuple[int, int]:
    """Height and width; BadFile where the processor would round them to a multiple."""
    multiple = int(said.get("ensure_multiple_of") or 1)
    if size["height"] % multiple or size["width"] % multiple:
        raise BadFile(f"{where} rounds sizes to multiples of {multiple}, which zoo's pipelines do not")
    return size["height"], size["width"]


def _crop(said: Config, defaults: _Defaults, *, where: str) -> tuple[int, int] | None:
    """Height and width of the crop; None without one."""
    if defaults.crops is None:
        if said.get("do_center_crop"):
            raise BadFile(f"{where} says do_center_crop beside its own resizing, which zoo's pipelines do not")
        return None
    if not said.get("do_center_crop", defaults.crops):
        return None
    if not said.get("crop_size", defaults.crop):
        raise BadFile(f"{where} says do_center_crop, and no crop_size")
    size = _size(said, "crop_size", defaults.crop or {}, square=True, where=where)
    return size["height"], size["width"]


def _cropped(crop: tuple[int, int], resize: int, *, where: str, stretch: bool = False) -> _Geometry:
    if resize < max(crop):
        raise BadFile(
            f"{where} crops {crop[0]}x{crop[1]} pixels of a {'' if stretch else 'shorter '}side of {resize}, and would "
            "fill up the rest"
        )
    return _Geometry(crop, resize, stretch)


SIZES: Final = ({"height", "width"}, {"shortest_edge"}, {"shortest_edge", "longest_edge"})


def _size(said: Config, key: str, default: Config, *, square: bool, where: str) -> dict[str, int]:
    """A size as the library reads it: a number is a square, or a shorter side; BadFile for other forms."""
    value = said.get(key, default)
    if isinstance(value, int):
        limit = {"longest_edge": said["max_size"]} if said.get("max_size") else {}
        value = _side(value) if square else {"shortest_edge": value, **limit}
    elif isinstance(value, list | tuple) and len(value) == 2:
        value = {"height": value[0], "width": value[1]}
    sides = {name: side for name, side in value.items() if side is not None} if isinstance(value, Mapping) else {}
    if set(sides) not in SIZES or (key == "crop_size" and "height" not in sides):
        _refuse_size(value, key, where=where)
    if min(map(int, sides.values())) < 1:
        _refuse_size(value, key, where=where)
    return {name: int(side) for name, side in sides.items()}


def _refuse_size(value: Any, key: str, *, where: str) -> NoReturn:
    raise BadFile(f"{where} says {key}: {value!r}, which zoo does not know for this processor")
