"""The sabotages that a proof of a model on text is put to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zoo.api.task import Control, generic_controls

if TYPE_CHECKING:
    import onnx

PICTURELESS: Final = {
    "normalisation": "text is not normalised",
    "channels": "text has no channels",
    "resize": "text is not resized",
}


def text_controls(*own: Control, absent: dict[str, str] | None = None) -> tuple[Control, ...]:
    """The generic kinds that text has, and a task's own."""
    return (*generic_controls(PICTURELESS | (absent or {})), *own)


VOCABULARY: Final = Control(name="vocabulary", edit="zoo.data.text.controls:shift_vocabulary")
LENGTHS: Final = Control(name="lengths", edit="zoo.data.text.controls:ignore_lengths")
STATE: Final = Control(name="state", edit="zoo.data.text.controls:forget_state")


def shift_vocabulary(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001
    """Every token taken for the one before it in the vocabulary: a list of tokens off by one."""
    from onnx import helper  # noqa: PLC0415  only the proof needs it

    one = helper.make_node("Constant", [], ["spoilt/one"], value_int=1)
    zero = helper.make_node("Constant", [], ["spoilt/zero"], value_int=0)
    before = helper.make_node("Sub", ["tokens", "spoilt/one"], ["spoilt/before"])
    shifted = helper.make_node("Max", ["spoilt/before", "spoilt/zero"], ["spoilt/tokens"])
    return read_instead(model, "tokens", "spoilt/tokens", [one, zero, before, shifted])


def ignore_lengths(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001
    """Padding read as text: every length taken for the padded one."""
    from onnx import helper  # noqa: PLC0415

    length = helper.make_node("Shape", ["tokens"], ["spoilt/length"], start=1, end=2)
    rows = helper.make_node("Shape", ["lengths"], ["spoilt/rows"])
    all_of_it = helper.make_node("Expand", ["spoilt/length", "spoilt/rows"], ["spoilt/lengths"])
    return read_instead(model, "lengths", "spoilt/lengths", [length, rows, all_of_it])


def forget_state(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001
    """Every step begins with zeros, whatever it was handed: of what goes in, the state alone is no whole numbers."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    whole = TensorProto.INT64
    for value in [value.name for value in model.graph.input if value.type.tensor_type.elem_type != whole]:
        zero = helper.make_node("Sub", [value, value], [f"spoilt/{value}"])
        model = read_instead(model, value, f"spoilt/{value}", [zero])
    return model


def read_instead(model: onnx.ModelProto, name: str, other: str, made: list[onnx.NodeProto]) -> onnx.ModelProto:
    """The graph with `other`, which `made` computes, in every place where `name` was read."""
    old = list(model.graph.node)
    for node in old:
        node.input[:] = [other if value == name else value for value in node.input]
    del model.graph.node[:]
    model.graph.node.extend([*made, *old])
    return model
