"""Changing a recipe by name, as in `--set recipe.epochs=5`, and refusing numbers that are out of range."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from zoo.api.errors import UsageError
from zoo.api.recipe import Recipe

Option = float | int | str | bool


def apply_settings(recipe: Recipe, settings: Iterable[str], options: Mapping[str, Option]) -> Recipe:
    """The recipe with every "recipe.KEY=VALUE" applied in order; `options` are the trainer's declared ones."""
    for setting in settings:
        name, equals, text = setting.partition("=")
        path = name.strip().removeprefix("recipe.").split(".")
        if not equals or not all(path):
            raise UsageError(f"--set {setting!r} is not of the form recipe.KEY=VALUE", hint="as in --set recipe.clip=1")
        if path[0] == "options":
            recipe = _set_option(recipe, path[1:], text, options)
        else:
            recipe = _set_field(recipe, path, text, whole=setting)
    return recipe


def changed_fields(settings: Iterable[str]) -> frozenset[str]:
    """The fields of the recipe that these settings change: "epochs", "augment.flip"."""
    return frozenset(setting.partition("=")[0].strip().removeprefix("recipe.") for setting in settings)


def recipe_settings(recipe: Recipe, options: Mapping[str, Option]) -> list[tuple[str, str]]:
    """Every number of a recipe as --set takes it: ("recipe.augment.flip", "true"); `options` are the trainer's."""
    settings = {**options, **recipe.options}
    return [
        *(pair for pair in _spelt("recipe", recipe) if not pair[0].startswith("recipe.options")),
        *((f"recipe.options.{name}", _spelt_value(value)) for name, value in settings.items()),
    ]


def _spelt(path: str, record: Any) -> Iterator[tuple[str, str]]:
    for field in fields(record):
        name, value = f"{path}.{field.name}", getattr(record, field.name)
        if is_dataclass(value):
            yield from _spelt(name, value)
        else:
            yield name, _spelt_value(value)


def _spelt_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_spelt_value, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_size(value: int | str) -> tuple[int, int]:
    """Height and width spelt as 64, "64", "96x128" or "96,128"."""
    sides = str(value).lower().replace(",", "x").split("x")
    if len(sides) > 2 or not all(side.strip().isdecimal() and int(side) for side in sides):
        raise UsageError(f"--image-size {value!r} is not a size in pixels", hint="as in 64, or 96x128: height x width")
    return int(sides[0]), int(sides[-1])


def _set_field(record: Any, path: list[str], text: str, *, whole: str) -> Any:
    kinds = get_type_hints(type(record))
    name, *rest = path
    if name not in kinds:
        raise UsageError(f"--set {whole}: {_unknown('setting', name, kinds)}")
    if is_dataclass(getattr(record, name)):
        if not rest:
            inner = ", ".join(f"{name}.{field.name}" for field in fields(getattr(record, name)))
            raise UsageError(f"--set {whole}: {name} is a group; set one of {inner}")
        return replace(record, **{name: _set_field(getattr(record, name), rest, text, whole=whole)})
    if rest:
        raise UsageError(f"--set {whole}: {name} has nothing inside it")
    return replace(record, **{name: _read(kinds[name], text, whole=whole)})


def _set_option(recipe: Recipe, path: list[str], text: str, options: Mapping[str, Option]) -> Recipe:
    name = ".".join(path)
    if name not in options:
        raise UsageError(f"--set recipe.options.{name}={text}: {_unknown('option of this trainer', name, options)}")
    value = _read(type(options[name]), text, whole=f"recipe.options.{name}={text}")
    return replace(recipe, options={**recipe.options, name: value})


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    suggestion = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no {what} {name!r}; {suggestion}known: {', '.join(names) or 'none'}"


def _read(kind: Any, text: str, *, whole: str) -> Any:
    """The value that `text` spells for an annotation: int, float, bool, str, a Literal, an optional or a tuple."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text.strip()
    if isinstance(value, str) and value.lower() in ("none", "null"):
        value = None
    if isinstance(value, str) and "," in value:
        value = _numbers(value)
    try:
        return _fit(kind, value, text.strip())
    except ValueError:
        raise UsageError(f"--set {whole}: {text.strip()!r} is not {_describe(kind)}") from None


def _numbers(text: str) -> list[int | float] | str:
    """The numbers of a list with commas, int where they are written so; the text itself where it is no such list."""
    try:
        return [int(part) if part.strip().lstrip("+-").isdecimal() else float(part) for part in text.split(",")]
    except ValueError:
        return text


def _fit(kind: Any, value: Any, text: str) -> Any:
    parts = get_args(kind)
    if get_origin(kind) is UnionType:
        inner = next(part for part in parts if part is not NoneType)
        return None if value is None else _fit(inner, value, text)
    if get_origin(kind) is tuple and isinstance(value, list) and len(value) == len(parts):
        return tuple(_fit(part, item, str(item)) for part, item in zip(parts, value, strict=True))
    if kind is str or text in parts:
        return text
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind in (int, bool) and type(value) is kind:
        return value
    raise ValueError(text)


def _describe(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if get_origin(kind) is UnionType:
        return " or ".join("none" if part is NoneType else _describe(part) for part in get_args(kind))
    if get_origin(kind) is tuple:
        return f"{len(get_args(kind))} numbers with commas between"
    return {int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "text")


def check_recipe(recipe: Recipe) -> None:
    """UsageError with a sentence for the first number that is out of range."""
    at_least_one = {"number of epochs": recipe.epochs, "batch size": recipe.batch_size, "accumulate": recipe.accumulate}
    for name, count in at_least_one.items():
        if count < 1:
            raise UsageError(f"the {name} is {count}; it must be at least 1")
    if not (recipe.lr > 0 and math.isfinite(recipe.lr)):
        raise UsageError(f"the learning rate is {recipe.lr:g}; it must be greater than 0")
    if recipe.clip is not None and not recipe.clip > 0:
        raise UsageError(f"clip is {recipe.clip:g}; it must be greater than 0, or none")
    if recipe.patience is not None and recipe.patience < 1:
        raise UsageError(f"patience is {recipe.patience}; it must be at least 1 epoch, or none")
    if not recipe.weight_decay >= 0 or not recipe.backbone_lr >= 0:
        raise UsageError("weight_decay and backbone_lr must not be negative")
    _check_mixing(recipe)
    shares = {"warmup": recipe.warmup, "label_smoothing": recipe.label_smoothing, "ema": recipe.ema}
    shares |= {"momentum": recipe.momentum, "betas[0]": recipe.betas[0], "betas[1]": recipe.betas[1]}
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise UsageError(f"{name} is {share:g}; it must be at least 0 and below 1")
    momentum = recipe.batchnorm_momentum
    if momentum is not None and not 0 < momentum <= 1:
        raise UsageError(f"batchnorm_momentum is {momentum:g}; it must be above 0 and at most 1, or none")
    if recipe.input_size is not None and min(recipe.input_size) < 1:
        raise UsageError(f"input_size is {recipe.input_size}; height and width must be at least 1 pixel")


def _check_mixing(recipe: Recipe) -> None:
    """UsageError with a sentence for the first number of mixing, layers or a teacher that is out of range."""
    for name, alpha in {"mixup": recipe.mixup, "cutmix": recipe.cutmix}.items():
        if not (alpha >= 0 and math.isfinite(alpha)):
            raise UsageError(f"{name} is {alpha:g}; it must be at least 0")
    if not 0 < recipe.layer_decay <= 1:
        raise UsageError(f"layer_decay is {recipe.layer_decay:g}; it must be above 0 and at most 1")
    if not 0 <= recipe.distill_weight <= 1:
        raise UsageError(f"distill_weight is {recipe.distill_weight:g}; it must lie between 0 and 1")
    if not (recipe.distill_temperature > 0 and math.isfinite(recipe.distill_temperature)):
        raise UsageError(f"distill_temperature is {recipe.distill_temperature:g}; it must be greater than 0")
