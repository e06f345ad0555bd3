"""Frozen dataclasses to JSON and back, strictly: an unknown or missing key is an error that names it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from zoo.api.errors import BadFile
from zoo.api.problem import Input, Json
from zoo.runs.input_kinds import UnknownInput, class_of, kind_of

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")
_NO_CHOICE = re.compile(r"unknown error \((.*) not in literal typing\.Literal\[(.*)\]\)", re.DOTALL)
"""What the library says of a value that is none of those allowed."""


@cache
def _converter() -> Converter:
    from cattrs import Converter  # noqa: PLC0415  listing models needs no records
    from cattrs.strategies import configure_union_passthrough  # noqa: PLC0415

    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(lambda kind: kind is Input, lambda value, _: _to_input(converter, value))
    converter.register_unstructure_hook_func(
        lambda kind: kind is Input,
        lambda value: {"kind": kind_of(value), **converter.unstructure(value, type(value))},
    )
    converter.register_structure_hook_func(
        _is_perhaps_input,
        lambda value, _: None if value is None else converter.structure(value, Input),
    )
    converter.register_unstructure_hook_func(
        _is_perhaps_input, lambda value: None if value is None else converter.unstructure(value, Input)
    )
    configure_union_passthrough(bool | int | float | str | None, converter)
    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, _exactly)
    _only_from(list | tuple, converter, of=(tuple, list, Sequence))
    _only_from(Mapping, converter, of=(dict, Mapping))
    # Json values are already what JSON holds
    converter.register_structure_hook_func(_is_json, lambda value, _: value)
    converter.register_unstructure_hook_func(_is_json, lambda value: value)
    return converter


def _only_from(given: type | UnionType, converter: Any, *, of: Collection[type]) -> None:
    """Have the types `of` made from such values alone: to the library "abc" is the strings "a", "b" and "c" as well."""
    under_way: set[Any] = set()

    def hook_for(kind: Any, converter: Any) -> Any:
        under_way.add(kind)
        try:
            inner = converter.get_structure_hook(kind, cache_result=False)
        finally:
            under_way.discard(kind)

        def checked(value: Any, kind: Any) -> Any:
            if not isinstance(value, given):
                raise ValueError(f"{value!r} is no {'object' if given is Mapping else 'list'}")
            return inner(value, kind)

        return checked

    def is_meant(kind: Any) -> bool:
        origin: Any = get_origin(kind)
        return (origin or kind) in of and kind not in under_way

    converter.register_structure_hook_factory(is_meant, hook_for)


def _to_input(converter: Converter, value: Any) -> Input:
    """The input that an object with a `kind` describes."""
    if not isinstance(value, dict) or "kind" not in value:
        raise UnknownInput("an input without its kind")
    made: Input = converter.structure({k: v for k, v in value.items() if k != "kind"}, class_of(value["kind"]))
    return made


def _is_json(kind: object) -> bool:
    """Whether a type is Json; resolving its reference to itself makes it another object."""
    return get_args(kind)[:5] == get_args(Json)[:5] and len(get_args(kind)) == len(get_args(Json))


def _is_perhaps_input(kind: object) -> bool:
    """Whether a type is an input or nothing: a union of its own, which the tags of Input do not reach."""
    return bool(kind == (Input | None))


def _exactly(value: Any, kind: type) -> Any:
    """The value where it is of that kind; nothing is converted, so that "false" cannot become True."""
    if issubclass(kind, Enum):  # a StrEnum comes here as the str that it is
        return kind(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if kind is float or type(value) is not kind:
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


def to_json(value: object) -> Any:
    """The value as dicts, lists, strings and numbers, ready for `json.dumps`."""
    return _converter().unstructure(value)


def from_json(kind: type[T], data: object, *, where: str) -> T:
    """The dataclass that `data` describes; BadFile names `where` and every wrong key."""
    from cattrs import transform_error  # noqa: PLC0415
    from cattrs.v import format_exception  # noqa: PLC0415

    def reason(error: BaseException, wanted: type | None) -> str:
        text = str(error) if isinstance(error, UnknownInput) else format_exception(error, wanted)
        choice = _NO_CHOICE.fullmatch(text)
        return f"{choice[1]!r} is none of {choice[2]}" if choice else text

    try:
        return _converter().structure(data, kind)
    except MemoryError:
        raise
    except Exception as error:
        if _lacked_memory(error):
            raise MemoryError from error
        reasons = "; ".join(transform_error(error, format_exception=reason))
        raise BadFile(f"{where} is not a valid {kind.__name__}: {reasons}") from error


def _lacked_memory(error: BaseException) -> bool:
    """Whether a value was refused for want of memory alone."""
    parts = getattr(error, "exceptions", ())
    return isinstance(error, MemoryError) or any(_lacked_memory(part) for part in parts)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; ValueError for a key that is there twice, of which every reader would take another one."""
    members = dict(pairs)
    if len(members) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"it names {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return members


def parse(kind: type[T], raw: bytes, *, schema: int, where: str) -> T:
    """The dataclass in the bytes of a JSON file that names its schema; BadFile for a newer schema than `schema`."""
    return from_json(kind, read_document(raw, schema=schema, where=where), where=where)


def read_document(raw: bytes, *, schema: int, where: str) -> dict[str, Any]:
    """The JSON object in a file that names its schema, from 1 to `schema`; BadFile where there is none."""
    try:
        data = json.loads(raw, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{where} is not JSON: {error}") from error
    if not isinstance(data, dict) or type(data.get("schema")) is not int or data["schema"] < 1:
        raise BadFile(f"{where} names no schema: it was not written by zoo")
    if data["schema"] > schema:
        raise BadFile(
            f"{where} has schema {data['schema']}, this zoo reads up to {schema}", hint="pip install -U edgezoo"
        )
    return data
