"""Writes cards.json: `python -m zoo_timm.generate [RESULTS]`, about ten CPU minutes for 1,371 architectures.

It holds what the installed timm says, and what the tables in RESULTS say, the folder `results` of timm's repository;
without it the numbers of the present file stay.  The plugin reads cards.json instead of timm, so that listing models
imports nothing heavy.  A test compares samples of it with the installed timm.
"""

from __future__ import annotations

import json
import math
import re
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg, model_entrypoint
from torch import nn

from zoo_timm.complexity import complexity
from zoo_timm.results import Results, read_results, stored_results

CARDS = Path(__file__).with_name("cards.json")
NUM_CLASSES = 1000
HASHED = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
"""How torch.hub writes the beginning of a file's sha256 into its name."""


def main() -> None:
    """Write the file."""
    results = read_results(Path(sys.argv[1])) if sys.argv[1:] else stored()
    CARDS.write_text(as_text([card(name, results) for name in names()]), encoding="utf-8")
    print(f"wrote {CARDS} from timm {version('timm')}")


def as_text(cards: list[dict[str, Any]]) -> str:
    """JSON with one line for each model and one for each of its sets of weights, so that changes read well."""
    models = []
    for model in cards:
        facts = json.dumps({key: value for key, value in model.items() if key != "weights"})
        weights = "".join(f"\n  {json.dumps(weights)}," for weights in model["weights"]).rstrip(",")
        models.append(f'{facts[:-1]}, "weights": [{weights}]}}')
    return f'{{"timm": "{version("timm")}", "models": [\n' + ",\n".join(models) + "\n]}\n"


def stored() -> Results:
    """The results that the present file holds."""
    return stored_results(json.loads(CARDS.read_text(encoding="utf-8"))["models"])


def names() -> list[str]:
    """The architectures of timm, sorted."""
    return sorted(timm.list_models())


def tags() -> dict[str, list[str]]:
    """The tags of each architecture, its default last, as `--pretrained` takes it."""
    found: dict[str, list[str]] = {}
    for name in timm.list_pretrained():
        model, _, tag = name.partition(".")
        found.setdefault(model, []).append(tag)
    for model, own in found.items():
        default = _config(model).tag
        own.sort(key=lambda tag: tag == default)
    return found


def card(name: str, results: Results) -> dict[str, Any]:
    """One architecture with its weights."""
    config = _config(name)
    size = tuple(config.input_size[1:])
    model, sized = _on_meta(name, size)
    heads = _names_of(config.classifier)
    return {
        "name": name,
        "module": model_entrypoint(name).__module__.rpartition(".")[2],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **(results.costs.get((name, size[0])) or complexity(model, size)),
        "attention": any("attention" in type(module).__name__.lower() for module in model.modules()),
        "batch_norm": any(isinstance(module, nn.BatchNorm2d) for module in model.modules()),
        "sized": sized,
        "patch": _patch(model),
        "fixed": bool(config.fixed_input_size),
        "min_size": max(config.min_input_size[1:]) if config.min_input_size else None,
        "head": heads,
        "input": _input(config),
        "weights": [_weights(name, tag, _input(config), results) for tag in tags().get(name, ())],
    }


def _config(name: str) -> Any:
    """What timm says of an architecture or of one of its sets of weights; it has types for the half of it."""
    return get_pretrained_cfg(name)


def _on_meta(name: str, size: tuple[int, ...]) -> tuple[nn.Module, bool]:
    """The architecture without memory, and whether its parameters depend on the size of the pictures."""
    build = model_entrypoint(name)
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        try:
            return build(num_classes=NUM_CLASSES, img_size=size), True
        except (TypeError, ValueError, AssertionError):
            pass
        return build(num_classes=NUM_CLASSES), False


def _patch(model: nn.Module) -> int:
    """Pixels that height and width must be multiples of; 1 where patches say nothing."""
    sizes = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    return max(sizes) if isinstance(sizes, tuple | list) else int(sizes or 1)


def _names_of(classifier: str | tuple[str, ...] | None) -> list[str]:
    names = (classifier,) if isinstance(classifier, str) else classifier or ()
    return [f"{name}." for name in names]


def _input(config: Any) -> dict[str, Any]:
    """Size, resize, interpolation, mean and std, as timm's own evaluation prepares a picture."""
    _, height, width = config.input_size
    shorter = min(height, width)
    stretched = config.crop_mode == "squash" and config.crop_pct == 1.0
    return {
        "size": [height, width],
        "resize": None if stretched else math.floor(shorter / config.crop_pct),
        "interpolation": config.interpolation,
        "mean": list(config.mean),
        "std": list(config.std),
    }


def _weights(name: str, tag: str, usual: dict[str, Any], results: Results) -> dict[str, Any]:
    """What differs from the architecture's usual input is named; the rest is left out."""
    full_name = f"{name}.{tag}" if tag else name
    config = _config(full_name)
    found = HASHED.search(config.url or "")
    facts = {
        "tag": tag,
        "hub": config.hf_hub_id or "",
        "url": config.url if found and not config.hf_hub_id else "",
        "sha256": found[1] if found and not config.hf_hub_id else "",
        "licence": config.license or "",
        "classes": config.num_classes,
        "crop": config.crop_mode if config.crop_mode != "center" else "",
        "paper": _papers(config.paper_ids),
        "metrics": results.accuracy.get((full_name, config.input_size[1]), {}),
        "input": {key: value for key, value in _input(config).items() if value != usual[key]},
    }
    return {key: value for key, value in facts.items() if value or key in ("tag", "classes")}


def _papers(ids: object) -> str:
    listed = [ids] if isinstance(ids, str) else list(ids) if isinstance(ids, list | tuple) else []
    return ", ".join(str(paper) for paper in listed)


if __name__ == "__main__":
    main()
