"""The negative controls of a proof of a model on text: mutations that the check must notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zoo.api.task import Control, generic_controls

if TYPE_CHECKING:
    import onnx

NOT_FOR_TEXT: Final = {
    "normalisation": "text is not normalised",
    "channels": "text has no channels",
    "resize": "text is not resized",
}


def text_controls(*own: Control, absent: dict[str, str] | None = None) -> tuple[Control, ...]:
    """The generic kinds that text has, and a task's own."""
    return (*generic_controls(NOT_FOR_TEXT | (absent or {})), *own)


VOCABULARY: Final = Control(name="vocabulary", edit="zoo.data.text.controls:shift_vocabulary")
LENGTHS: Final = Control(name="lengths", edit="zoo.data.text.controls:ignore_lengths")
STATE: Final = Control(name="state", edit="zoo.data.text.controls:forget_state")


def shift_vocabulary(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001
    """Every token id decreased by one, as with a vocabulary that is off by one."""
    from onnx import helper  # noqa: PLC0415  only the proof needs it

    unit = helper.make_node("Constant", [], ["mutant/one"], value_int=1)
    zero = helper.make_node("Constant", [], ["mutant/zero"], value_int=0)
    before = helper.make_node("Sub", ["tokens", "mutant/one"], ["mutant/before"])
    shifted = helper.make_node("Max", ["mutant/before", "mutant/zero"], ["mutant/tokens"])
    return read_instead(model, "tokens", "mutant/tokens", [unit, zero, before, shifted])


def ignore_lengths(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001
    """Padding read as text: every length replaced by the padded one."""
    from onnx import helper  # noqa: PLC0415

    length = helper.make_node("Shape", ["tokens"], ["mutant/length"], start=1, end=2)
    rows = helper.make_node("Shape", ["lengths"], ["mutant/rows"])
    padded = helper.make_node("Expand", ["mutant/length", "mutant/rows"], ["mutant/lengths"])
    return read_instead(model, "lengths", "mutant/lengths", [length, rows, padded])


def forget_state(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001
    """Every step begins with a state of zeros; the state is every input that is not int64."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    whole = TensorProto.INT64
    for value in [value.name for value in model.graph.input if value.type.tensor_type.elem_type != whole]:
        zero = helper.make_node("Sub", [value, value], [f"mutant/{value}"])
        model = read_instead(model, value, f"mutant/{value}", [zero])
    return model


def read_instead(model: onnx.ModelProto, name: str, other: str, nodes: list[onnx.NodeProto]) -> onnx.ModelProto:
    """The graph with every read of `name` replaced by `other`, which the new nodes compute."""
    old = list(model.graph.node)
    for node in old:
        node.input[:] = [other if value == name else value for value in node.input]
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *old])
    return model
