"""A spec as the Python that declares it, ready to paste into a plugin.py; torch-free."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from zoo.api.problem import Input, LatentInput
from zoo.api.specs import WeightsSpec


def declaration(spec: WeightsSpec) -> str:
    """`WeightsSpec(...)`, a line for each field that is not at its default."""
    lines = [f"    {name}={_value(value)}," for name, value in _changed_fields(spec)]
    return "\n".join(["WeightsSpec(", *lines, ")"])


def needed_imports(spec: WeightsSpec, *others: str) -> str:
    """The lines of Python that import what the declaration names: from zoo, and from the plugin of an own input.

    `others` are further names of zoo's.
    """
    picture = spec.input.picture if isinstance(spec.input, LatentInput) else None
    names: dict[str, set[str]] = {"zoo": {"WeightsSpec", *others}}
    for kind in (type(input) for input in (spec.input, picture) if input is not None):
        own = kind.__module__.partition(".")[0] != "zoo"
        names.setdefault(kind.__module__ if own else "zoo", set()).add(kind.__name__)
    return "\n".join(f"from {module} import {', '.join(sorted(names[module]))}" for module in names)


def _changed_fields(value: Any) -> list[tuple[str, object]]:
    values = [(field, getattr(value, field.name)) for field in fields(value)]
    return [(field.name, actual) for field, actual in values if actual != _default(field)]


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _value(value: object) -> str:
    if isinstance(value, Input):
        arguments = ", ".join(f"{name}={_value(member)}" for name, member in _changed_fields(value))
        return f"{type(value).__name__}({arguments})"
    match value:
        case str():
            return _quoted(value)
        case tuple():
            return f"({', '.join(_value(item) for item in value)}{',' if len(value) == 1 else ''})"
        case dict():
            return f"{{{', '.join(f'{_value(key)}: {_value(item)}' for key, item in value.items())}}}"
    return repr(value)


def _quoted(text: str) -> str:
    """With double quotes, as formatters of Python want them."""
    return repr(text) if '"' in text or "\\" in repr(text) else f'"{text}"'
