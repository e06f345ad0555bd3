"""Whether the fields of a spec hold what their types say, so that a plugin's mistake stays the plugin's.

A summary that is a number or a size that is no pair would otherwise be found by the command that shows it, which then
fails for everybody's models.
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
LONGEST = 40
"""Letters of a wrong value that are repeated."""


def type_error(spec: Any) -> str:
    """The first field that does not fit, "aliases is 'abc', where tuple[str, ...] belongs"; empty when all do."""
    made_as: Any = type(spec)
    for name, kind, fits in _fields(made_as):
        value = getattr(spec, name)
        if not fits(value):
            inner = type_error(value) if type(value) in _members(kind) and is_dataclass(value) else ""
            return f"{name}.{inner}" if inner else f"{name} is {_short(value)}, where {_spelt(kind)} belongs"
    return ""


@cache
def _fields(spec: Any) -> tuple[tuple[str, Any, Test], ...]:
    """Name, kind and test of each field."""
    hints = get_type_hints(spec)
    return tuple((one.name, hints[one.name], _test(hints[one.name])) for one in fields(spec))


@cache
def _test(kind: Any) -> Test:
    """Whether a value is of a kind; made once, as looking into kinds takes long."""
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
    if isinstance(kind, ForwardRef):  # JSON within JSON is not looked into
        return lambda _: True
    return lambda value: type(value) is kind


def _of_union(kinds: tuple[Any, ...]) -> Test:
    tests = tuple(map(_test, kinds))
    return lambda value: any(fits(value) for fits in tests)


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
        and all(fits(one) for fits, one in zip(tests, value, strict=True))
    )


def _of_list(kinds: tuple[Any, ...]) -> Test:
    every = _test(kinds[0])
    return lambda value: isinstance(value, list | tuple) and all(map(every, value))


def _of_mapping(kinds: tuple[Any, ...]) -> Test:
    key, item = map(_test, kinds)
    return lambda value: isinstance(value, Mapping) and all(key(one) and item(other) for one, other in value.items())


_MAKERS: Mapping[Any, Callable[[tuple[Any, ...]], Test]] = {
    Union: _of_union,
    UnionType: _of_union,
    Literal: _of_names,
    tuple: _of_tuple,
    list: _of_list,
    dict: _of_mapping,
    Mapping: _of_mapping,
}
"""For a kind that is made of others."""


def _members(kind: Any) -> tuple[Any, ...]:
    """The kinds that a union is made of; a kind alone otherwise."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # somebody else's __repr__
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _spelt(kind: Any) -> str:
    """A kind as an author writes it: Mapping[str, Recipe]."""
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else re.sub(r"[\w.]+\.(?=\w)", "", str(kind))
