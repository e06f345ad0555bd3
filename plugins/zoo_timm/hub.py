"""Weights that somebody put on the hub with timm: `hf-hub:owner/name[@revision]`, as timm writes them there.

Taken are config.json, which names the architecture and how pictures are prepared, and model.safetensors; never a
pickle.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Final

from zoo import BadFile, ImageInput, WeightsSource, hub_folder, stated_licence
from zoo_timm.classes import SUBSETS, names
from zoo_timm.plugin import cards

SCHEMES: Final = ("hf-hub:", "hf_hub:")
FILES: Final = ("config.json", "model.safetensors", "README.md")


def find(text: str) -> WeightsSource | None:
    """The weights that a text names on the hub; None for any other text, BadFile where zoo cannot take them."""
    scheme = next((scheme for scheme in SCHEMES if text.startswith(scheme)), "")
    if not scheme:
        return None
    folder = hub_folder(text.removeprefix(scheme), FILES, extra="timm")
    return describe(folder, name=f"{text.partition('@')[0]}@{folder.name}")


def describe(folder: Path, *, name: str) -> WeightsSource:
    """What config.json says of the weights beside it."""
    config = _config(folder, name)
    if not (folder / "model.safetensors").is_file():
        raise BadFile(
            f"{name} has no model.safetensors: a pickle can run code when it is read, and zoo reads none",
            hint="save it again with timm.models.save_for_hf(model, safe_serialization=True)",
        )
    prepared = {**config, **config.get("pretrained_cfg", {})}
    licence = stated_licence(folder) or "none stated"
    return WeightsSource(
        name=name,
        model=f"timm/{config['architecture']}",
        classes=_classes(prepared),
        input=_input(prepared, folder),
        licence=licence,
        file=folder / "model.safetensors",
        notes=(f"the licence of {name}: {licence}",),
    )


def _config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise BadFile(
            f"{name} has no config.json, so nobody knows its architecture",
            hint="models of timm's are those with the tag timm",
        )
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadFile(f"{path} is not readable JSON: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("architecture"), str):
        raise BadFile(f"{path} names no architecture of timm", hint="models of timm's are those with the tag timm")
    if config["architecture"] not in {card["name"] for card in cards()}:
        raise BadFile(
            f"{path} names the architecture {config['architecture']!r}, which the installed timm does not have",
            hint="pip install -U timm, if a newer one has it",
        )
    if config.get("model_args"):
        raise BadFile(f"{path} changes the architecture by {config['model_args']}, and zoo builds it as timm names it")
    return config


def _classes(config: dict[str, Any]) -> tuple[str, ...]:
    """The names of the classes in order; empty where the file does not say."""
    labels, described = config.get("label_names") or [], config.get("label_descriptions") or {}
    subset = SUBSETS.get(int(config.get("num_classes") or 0))
    if labels or not subset:
        return tuple(str(described.get(label, label)).partition(",")[0] for label in labels)
    return names(subset)


def _refuse_other_preparing(config: dict[str, Any], *, whole: bool, square: bool, folder: Path) -> None:
    """BadFile for what no pipeline does; `whole` pictures are stretched and not cropped."""
    where, mode = folder / "config.json", config.get("crop_mode", "center")
    filter_name = config.get("interpolation", "bicubic")
    if filter_name not in ("bilinear", "bicubic", "nearest"):
        raise BadFile(f"{where} resizes with the filter {filter_name!r}; zoo has nearest, bilinear and bicubic")
    if mode not in ("center", "squash"):
        raise BadFile(f"{where} prepares pictures with the crop mode {mode!r}, which zoo's pipelines do not")
    if not square and not whole:
        raise BadFile(f"{where} crops to a size that is no square, which zoo's pipelines do not")


def _input(config: dict[str, Any], folder: Path) -> ImageInput:
    """Size, resize, interpolation, mean and std, as timm's own evaluation prepares a picture."""
    try:
        channels, height, width = (int(side) for side in config["input_size"])
        crop = float(config.get("crop_pct", 1.0))
        squashed = config.get("crop_mode") == "squash"
        _refuse_other_preparing(config, whole=squashed and crop == 1.0, square=height == width, folder=folder)
        return ImageInput(
            size=(height, width),
            channels=channels,
            resize=None if squashed and crop == 1.0 else math.floor(min(height, width) / crop),
            stretch=squashed and crop != 1.0,
            interpolation=config.get("interpolation", "bicubic"),
            mean=tuple(map(float, config["mean"])),
            std=tuple(map(float, config["std"])),
            fixed_size=bool(config.get("fixed_input_size", False)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{folder / 'config.json'} does not say how pictures are prepared: {error!r}") from error
