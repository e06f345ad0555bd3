"""A spec as the Python that declares it, ready to paste into a plugin.py; torch-free."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from zoo.api.problem import LatentInput
from zoo.api.specs import WeightsSpec


def declaration(spec: WeightsSpec) -> str:
    """`WeightsSpec(...)`, a line for each field that is not at its default."""
    lines = [f"    {name}={_value(value)}," for name, value in _said(spec)]
    return "\n".join(["WeightsSpec(", *lines, ")"])


def needed_names(spec: WeightsSpec) -> tuple[str, ...]:
    """What the declaration wants to have imported from zoo."""
    picture = spec.input.picture if isinstance(spec.input, LatentInput) else None
    return tuple(sorted({"WeightsSpec", *(type(one).__name__ for one in (spec.input, picture) if one is not None)}))


def _said(value: Any) -> list[tuple[str, object]]:
    return [(one.name, getattr(value, one.name)) for one in fields(value) if getattr(value, one.name) != _default(one)]


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _value(value: object) -> str:
    if isinstance(value, Input):
        inside = ", ".join(f"{name}={_value(one)}" for name, one in _said(value))
        return f"{type(value).__name__}({inside})"
    match value:
        case str():
            return _quoted(value)
        case tuple():
            return f"({', '.join(_value(one) for one in value)}{',' if len(value) == 1 else ''})"
        case dict():
            return f"{{{', '.join(f'{_value(name)}: {_value(one)}' for name, one in value.items())}}}"
    return repr(value)


def _quoted(text: str) -> str:
    """With double quotes, as formatters of Python want them."""
    return repr(text) if '"' in text or "\\" in repr(text) else f'"{text}"'
