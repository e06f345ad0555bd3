"""Checks that the values of a spec have the types of its fields.

Without this check a summary that is a number, or a size that is no pair, would make the command fail that shows it, for
the models of all plugins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, ForwardRef, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from zoo.api.problem import Input

Test: TypeAlias = Callable[[Any], bool]
MAX_VALUE_CHARS = 40
"""A longer value is cut in the message."""


def type_error(spec: Any) -> str:
    """The first field of a wrong type, "aliases is 'abc', where tuple[str, ...] belongs"; empty if there is none."""
    spec_type: Any = type(spec)
    for name, kind, has_type in _fields(spec_type):
        value = getattr(spec, name)
        if not has_type(value):
            inner = type_error(value) if _is_of(value, kind) and is_dataclass(value) else ""
            return f"{name}.{inner}" if inner else f"{name} is {_short(value)}, where {_type_name(kind)} belongs"
    return ""


@cache
def _fields(spec: Any) -> tuple[tuple[str, Any, Test], ...]:
    """Name, type and test of each field."""
    hints = get_type_hints(spec)
    return tuple((field.name, hints[field.name], _test(hints[field.name])) for field in fields(spec))


@cache
def _test(kind: Any) -> Test:
    """A function that tells whether a value has a type; cached, since inspecting types is slow."""
    make = _MAKERS.get(get_origin(kind))
    if make is not None:
        return make(get_args(kind))
    if kind is Input:  # what a plugin feeds its models is its own, and the fields are looked at as those of a spec
        return lambda value: (
            isinstance(value, Input) and is_dataclass(value) and not type_error(value) and type(value.describe()) is str
        )
    if is_dataclass(kind):
        return lambda value: type(value) is kind and not type_error(value)
    if kind is float:
        return lambda value: type(value) in (int, float)
    if isinstance(kind, ForwardRef):  # JSON within JSON is not checked
        return lambda _: True
    return lambda value: type(value) is kind


def _of_union(kinds: tuple[Any, ...]) -> Test:
    tests = tuple(map(_test, kinds))
    return lambda value: any(test(value) for test in tests)


def _of_names(names: tuple[Any, ...]) -> Test:
    return lambda value: type(value) is str and value in names


def _of_tuple(kinds: tuple[Any, ...]) -> Test:
    if kinds[-1] is Ellipsis:
        every = _test(kinds[0])
        return lambda value: type(value) is tuple and all(map(every, value))
    tests = tuple(map(_test, kinds))
    return lambda value: (
        type(value) is tuple
        and len(value) == len(tests)
        and all(test(item) for test, item in zip(tests, value, strict=True))
    )


def _of_list(kinds: tuple[Any, ...]) -> Test:
    every = _test(kinds[0])
    return lambda value: isinstance(value, list | tuple) and all(map(every, value))


def _of_mapping(kinds: tuple[Any, ...]) -> Test:
    key, item = map(_test, kinds)
    return lambda value: (
        isinstance(value, Mapping) and all(key(name) and item(content) for name, content in value.items())
    )


_MAKERS: Mapping[Any, Callable[[tuple[Any, ...]], Test]] = {
    Union: _of_union,
    UnionType: _of_union,
    Literal: _of_names,
    tuple: _of_tuple,
    list: _of_list,
    dict: _of_mapping,
    Mapping: _of_mapping,
}
"""Makes the test of a generic type from its arguments."""


def _is_of(value: object, kind: Any) -> bool:
    """Whether a value is of a kind, or of one of a union's, whatever its fields hold."""
    members = _members(kind)
    return type(value) in members or (Input in members and isinstance(value, Input))


def _members(kind: Any) -> tuple[Any, ...]:
    """The members of a union; any other type alone."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a __repr__ of a plugin that fails
        text = f"a {type(value).__name__}"
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…"


def _type_name(kind: Any) -> str:
    """A type as it is written in source code: Mapping[str, Recipe]."""
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else re.sub(r"[\w.]+\.(?=\w)", "", str(kind))
