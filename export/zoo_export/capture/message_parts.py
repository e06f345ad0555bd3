"""Parts of a large protobuf message, so that nothing copies its weights as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableSequence
from typing import Any, Final

import onnx

GRAPH: Final[int] = onnx.ModelProto.GRAPH_FIELD_NUMBER
INITIALIZER: Final[int] = onnx.GraphProto.INITIALIZER_FIELD_NUMBER
NUMBERS: Final[int] = onnx.TensorProto.RAW_DATA_FIELD_NUMBER


def part_of(message: Any, keep: Callable[[int], bool]) -> Any:
    """A copy of the fields whose numbers are kept."""
    copied = type(message)()
    for field, value in message.ListFields():
        if not keep(field.number):
            continue
        if isinstance(value, MutableSequence):
            getattr(copied, field.name).extend(value)
        elif field.message_type is not None:
            getattr(copied, field.name).CopyFrom(value)
        else:
            setattr(copied, field.name, value)
    return copied


def without_numbers(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose weights have names and shapes alone.

    A message keeps the memory of a field that is cleared, so the numbers are not copied in the first place.
    """
    copied: onnx.ModelProto = part_of(model, lambda number: number != GRAPH)
    copied.graph.CopyFrom(part_of(model.graph, lambda number: number != INITIALIZER))
    tensors = (part_of(tensor, lambda number: number != NUMBERS) for tensor in model.graph.initializer)
    copied.graph.initializer.extend(tensors)
    return copied


def serialized(model: onnx.ModelProto) -> Iterator[bytes]:
    """The bytes of `model.SerializeToString(deterministic=True)` in pieces, one weight after the other.

    Fields stand in the order of their numbers, each message behind its tag and its length.
    """
    graph, tensors = model.graph, model.graph.initializer
    before, after = (_bytes(part_of(graph, keep)) for keep in (INITIALIZER.__gt__, INITIALIZER.__lt__))
    sizes = [tensor.ByteSize() for tensor in tensors]
    heads = [_head(INITIALIZER, size) for size in sizes]
    yield _bytes(part_of(model, GRAPH.__gt__))
    yield _head(GRAPH, len(before) + sum(sizes) + sum(map(len, heads)) + len(after))
    yield before
    for head, tensor in zip(heads, tensors, strict=True):
        yield head
        yield _bytes(tensor)
    yield after
    yield _bytes(part_of(model, GRAPH.__lt__))


def _bytes(message: Any) -> bytes:
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def _head(number: int, size: int) -> bytes:
    """The tag of a field that has a length, and the length."""
    return _varint(number << 3 | 2) + _varint(size)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*parts, value))
