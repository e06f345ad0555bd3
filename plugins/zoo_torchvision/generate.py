"""Writes cards.json, imagenet_classes.txt and published.json: `python -m zoo_torchvision.generate`.

They hold what the installed torchvision says.  The plugin reads these files instead of torchvision, so that listing
models imports nothing heavy.  A test fails when they no longer say what the installed torchvision says.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from math import isnan
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torchvision.models import get_model_weights, list_models
from torchvision.models.regnet import BlockParams

from zoo_torchvision import model as builders
from zoo_torchvision import published

CARDS = Path(__file__).with_name("cards.json")
CLASSES = Path(__file__).with_name("imagenet_classes.txt")
NUM_CLASSES = 1000

_INCEPTION = {"googlenet": (0.5, 0.5, 0.5), "inception_v3": (0.5, 0.5, 0.5)}
"""torchvision rescales inside these two networks; zoo builds them without that and says the true mean and std."""


def main() -> None:
    """Write all three files."""
    CLASSES.write_text("\n".join(classes()) + "\n", encoding="utf-8")
    CARDS.write_text(as_text(cards()), encoding="utf-8")
    published.FILE.write_text(published.as_text(published.document()), encoding="utf-8")
    print(f"wrote {CARDS}, {CLASSES} and {published.FILE} from torchvision {torchvision.__version__}")


def as_text(cards: dict[str, Any]) -> str:
    """JSON with one line for each model and one for each of its sets of weights, so that changes read well."""
    models = []
    for model in cards["models"]:
        facts = json.dumps({key: value for key, value in model.items() if key != "weights"})
        weights = ",\n  ".join(json.dumps(weights) for weights in model["weights"])
        models.append(f'{facts[:-1]}, "weights": [\n  {weights}\n]}}')
    return f'{{"torchvision": "{cards["torchvision"]}", "models": [\n' + ",\n".join(models) + "\n]}\n"


def names() -> list[str]:
    """The classification models of torchvision, sorted."""
    return sorted(list_models(module=torchvision.models))


def classes() -> tuple[str, ...]:
    """The 1,000 class names of ImageNet-1K, in index order."""
    return tuple(get_model_weights("resnet18").IMAGENET1K_V1.meta["categories"])


def cards() -> dict[str, Any]:
    """Everything that the plugin declares, as JSON holds it."""
    return {"torchvision": torchvision.__version__.partition("+")[0], "models": [card(name) for name in names()]}


def card(name: str) -> dict[str, Any]:
    """One architecture with its weights."""
    weights = list(get_model_weights(name))
    smallest = min(entry.transforms.keywords["crop_size"] for entry in weights)
    own = [entry for entry in weights if entry.transforms.keywords["crop_size"] == smallest]
    default = get_model_weights(name).DEFAULT if get_model_weights(name).DEFAULT in own else own[-1]
    model = on_meta(name, image_size=(smallest, smallest))
    return {
        "name": name,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "gflops": default.meta["_ops"],
        "input": _input(name, default),
        "min_size": _min_size(name, model),
        "needs": _needs(name),
        "head": _head(model),
        "weights": [_weights(name, entry) for entry in weights],
    }


def on_meta(name: str, *, num_classes: int = NUM_CLASSES, image_size: tuple[int, int] = (224, 224)) -> nn.Module:
    """The architecture without memory: shapes only, on the meta device."""
    keywords: dict[str, object] = {"num_classes": num_classes, "image_size": image_size}
    builder = getattr(builders, name)
    with _regnet_on_meta(), warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("error")
        built = builder(**{need: keywords[need] for need in _needs(name)})
    assert isinstance(built, nn.Module)
    return built


@contextmanager
def _regnet_on_meta() -> Iterator[None]:
    """RegNet computes its widths with tensors, whose values the meta device does not keep."""
    original = BlockParams.__dict__["from_init_params"]

    def on_cpu(*args: Any, **kwargs: Any) -> Any:
        with torch.device("cpu"):
            return original.__func__(*args, **kwargs)

    BlockParams.from_init_params = classmethod(on_cpu)
    try:
        yield
    finally:
        BlockParams.from_init_params = original


def _needs(name: str) -> list[str]:
    return [need for need in ("num_classes", "image_size") if need in signature(getattr(builders, name)).parameters]


def _input(name: str, weights: Any) -> dict[str, Any]:
    preset = weights.transforms()
    mean = _INCEPTION.get(name, tuple(preset.mean))
    std = _INCEPTION.get(name, tuple(preset.std))
    (size,), (resize,) = preset.crop_size, preset.resize_size
    return {
        "size": [size, size],
        "resize": resize,
        "interpolation": preset.interpolation.value,
        "mean": list(mean),
        "std": list(std),
    }


def _min_size(name: str, model: nn.Module) -> int:
    """The smallest square that the architecture learns from, found by trying (patches have to fit into a ViT)."""
    if name.startswith("vit"):
        return int(name.rpartition("_")[2])
    if name == "maxvit_t":
        return builders.MAXVIT_STEP
    if name == "inception_v3":
        model = on_meta(name, image_size=(75, 75))
    too_small, enough = 0, 128
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        too_small, enough = (too_small, middle) if _runs(model, middle) else (middle, enough)
    return enough


def _runs(model: nn.Module, size: int) -> bool:
    try:
        model.train()(torch.empty(2, 3, size, size, device="meta"))
    except (RuntimeError, ValueError):
        return False
    return True


def _head(model: nn.Module) -> list[str]:
    """Prefixes of the layers whose number of outputs is the number of classes."""
    layers = [
        name
        for name, layer in model.named_modules()
        if NUM_CLASSES in (getattr(layer, "out_features", None), getattr(layer, "out_channels", None))
    ]
    return [f"{name}." for name in sorted(layers, key=lambda name: name.startswith("Aux"))]


def _weights(name: str, weights: Any) -> dict[str, Any]:
    meta = weights.meta
    if meta["categories"] not in (None, list(classes())):
        raise ValueError(f"{name}@{weights.name} has classes of its own: teach the plugin")
    (measured,) = meta["_metrics"].values()
    metrics = {"top1": measured["acc@1"], "top5": measured["acc@5"]}
    return {
        "tag": weights.name.lower(),
        "url": weights.url,
        "sha256": re.fullmatch(r".*-([0-9a-f]{8,64})\.pth", weights.url)[1],  # type: ignore[index]
        "size": round(meta["_file_size"] * 2**20),
        "input": _input(name, weights),
        # the dense layers of vgg16@imagenet1k_features hold no numbers, so nobody measured them
        "metrics": {key: round(value / 100, 5) for key, value in metrics.items() if not isnan(value)},
        "labelled": meta["categories"] is not None,
        "recipe": meta["recipe"] or "",
        "licence": meta.get("license", ""),
    }


if __name__ == "__main__":
    main()
