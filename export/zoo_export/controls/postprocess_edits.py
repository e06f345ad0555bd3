"""Mutations of a postprocess: a threshold, a limit, a border, an order, a unit that is wrong.

They go by the structure of the graph, not by its names: which operator reads which constant.  Each gives None where the
graph has nothing of its kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import onnx
from onnx import helper, numpy_helper

from zoo.api.data import counted
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.controls.graph_edits import Mutated, Mutation

COMPARISONS: Final = frozenset({"Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
UNLIMITED: Final = 1 << 31
"""An end of a slice, or a number of boxes, from which on it is no limit."""
THRESHOLD: Final = 0.02
OVERLAP: Final = 0.002
"""Relative changes: a score threshold of 0.05 becomes 0.049 or 0.051, an overlap of 0.5 becomes 0.499 or 0.501."""
UNIT: Final = 0.001


class _Edited:
    """A copy of a graph that is being edited: constants by name, and who makes which value."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = copy_of(model)
        self.graph = self.model.graph
        self.maker = {name: node for node in self.graph.node for name in node.output}
        self._tensors = {tensor.name: tensor for tensor in self.graph.initializer}

    def constant(self, name: str) -> np.ndarray | None:
        """The numbers of a value that is stored."""
        if name in self._tensors:
            return np.asarray(numpy_helper.to_array(self._tensors[name]))
        node = self.maker.get(name)
        if node is None or node.op_type != "Constant":
            return None
        value = helper.get_attribute_value(node.attribute[0])
        return np.asarray(numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value)

    def store(self, values: np.ndarray) -> str:
        """The name of new numbers: others may read the old ones."""
        name = f"mutation/stored{len(self.graph.initializer)}"
        self.graph.initializer.append(numpy_helper.from_array(values, name))
        return name

    def of(self, *kinds: str) -> Iterator[onnx.NodeProto]:
        """The nodes of some kinds, in the order of the graph."""
        return (node for node in self.graph.node if node.op_type in kinds)

    def ancestors(self, name: str) -> Iterator[onnx.NodeProto]:
        """The nodes that a value is computed from, the nearest first."""
        waiting, seen = [name], set[str]()
        while waiting:
            node = self.maker.get(waiting.pop(0))
            if node is not None and node.output[0] not in seen:
                seen.add(node.output[0])
                yield node
                waiting += node.input

    def insert_after(self, name: str, *steps: tuple[str, list[str]]) -> None:
        """Put nodes behind a value; each reads what the one before gave, and stored numbers."""
        inner = f"mutation/before/{name}"
        for node in self.graph.node:
            node.output[:] = [inner if value == name else value for value in node.output]
        index = next(at for at, node in enumerate(self.graph.node) if inner in node.output)
        value = inner
        for number, (kind, others) in enumerate(steps):
            output = name if number == len(steps) - 1 else f"mutation/step{number}/{name}"
            node = helper.make_node(kind, [value, *others], [output])
            self.graph.node.insert(index + 1 + number, node)
            value = output

    def pass_through(self, node: onnx.NodeProto) -> None:
        """The first input in the place of what the node makes of it."""
        passed = helper.make_node("Identity", [node.input[0]], [node.output[0]])
        node.CopyFrom(passed)


def threshold(model: onnx.ModelProto, change: float) -> Mutated | None:
    """The stored number that scores are compared with."""
    edited = _Edited(model)
    for node in edited.of(*COMPARISONS):
        for index, name in enumerate(node.input):
            value = edited.constant(name)
            if value is not None and value.size == 1 and np.issubdtype(value.dtype, np.floating):
                moved = value * (1 + change) if np.any(value) else value + change
                node.input[index] = edited.store(moved.astype(value.dtype))
                return Mutated(edited.model, f"{node.op_type} with {moved.item():.6g} instead of {value.item():.6g}")
    return None


def overlap(model: onnx.ModelProto, change: float) -> Mutated | None:
    """The overlap above which NMS suppresses a box."""
    edited = _Edited(model)
    for node in edited.of("NonMaxSuppression"):
        value = edited.constant(node.input[3]) if len(node.input) > 3 else None
        if value is not None:
            moved = (value * (1 + change)).astype(value.dtype)
            node.input[3] = edited.store(moved)
            return Mutated(edited.model, f"boxes suppress others from {moved.item():.6g}, not {value.item():.6g}")
    return None


def unclipped(model: onnx.ModelProto) -> Mutated | None:
    """Nothing is clipped to a range."""
    edited = _Edited(model)
    count = 0
    for node in edited.of("Clip", "Min", "Max"):
        bounded = node.op_type == "Clip" or (
            len(node.input) == 2 and (value := edited.constant(node.input[1])) is not None and value.size == 1
        )
        if bounded:
            edited.pass_through(node)
            count += 1
    return Mutated(edited.model, f"{counted(count, 'node clips', 'nodes clip')} no longer") if count else None


def candidates(model: onnx.ModelProto, divisor: int) -> Mutated | None:
    """Fewer of the highest scores are kept."""
    edited = _Edited(model)
    for node in edited.of("TopK"):
        value = edited.constant(node.input[1])
        if value is not None and value.size == 1 and value.item() // divisor > 0:
            node.input[1] = edited.store(value // divisor)
            return Mutated(edited.model, f"{value.item() // divisor} candidates instead of {value.item()}")
    return None


def detections(model: onnx.ModelProto, change: int) -> Mutated | None:
    """Another number of boxes than the most that an answer holds."""
    edited = _Edited(model)
    for node in edited.of("Slice"):
        value = edited.constant(node.input[2])
        from_nms = any(other.op_type == "NonMaxSuppression" for other in edited.ancestors(node.input[0]))
        if (
            from_nms
            and value is not None
            and value.size == 1
            and 1 < value.item() < UNLIMITED
            and _first_axis(edited, node)
        ):
            node.input[2] = edited.store(value + change)
            return Mutated(edited.model, f"at most {value.item() + change} boxes instead of {value.item()}")
    return None


def _first_axis(edited: _Edited, node: onnx.NodeProto) -> bool:
    axes = edited.constant(node.input[3]) if len(node.input) > 3 else None
    return axes is None or axes.tolist() in ([0], 0)


def order(model: onnx.ModelProto) -> Mutated | None:
    """The answer of free length backwards."""
    edited = _Edited(model)
    free = [value.name for value in edited.graph.output if _is_free(edited, value)]
    for name in free:
        ends = [edited.store(np.array([number], np.int64)) for number in (-1, -(2**31), 0, -1)]
        edited.insert_after(name, ("Slice", ends))
    return Mutated(edited.model, f"{', '.join(free)} in reverse order") if free else None


def _is_free(edited: _Edited, value: onnx.ValueInfoProto) -> bool:
    dims = value.type.tensor_type.shape.dim
    nms = (node.op_type in ("NonMaxSuppression", "NonZero") for node in edited.ancestors(value.name))
    return bool(dims) and not dims[0].HasField("dim_value") and any(nms)


def class_offset(model: onnx.ModelProto, factor: float) -> Mutated | None:
    """The distance by which classes are kept apart in one NMS; none at all makes it class-agnostic."""
    edited = _Edited(model)
    for nms in edited.of("NonMaxSuppression"):
        moved = next((node for node in edited.ancestors(nms.input[0]) if node.op_type == "Add"), None)
        for name in moved.input if moved is not None else ():
            node = edited.maker.get(name)
            for index, source in enumerate(node.input if node is not None and node.op_type == "Mul" else ()):
                value = edited.constant(source)
                if node is not None and value is not None and value.size == 1:
                    node.input[index] = edited.store((value * factor).astype(value.dtype))
                    return Mutated(
                        edited.model, f"classes {value.item() * factor:g} pixels apart, not {value.item():g}"
                    )
    return None


def decoding(model: onnx.ModelProto) -> Mutated | None:
    """The last stored scale before an output, a thousandth too large: one coordinate of a box."""
    edited = _Edited(model)
    for node in reversed(list(edited.of("Mul", "Div"))):
        value = edited.constant(node.input[1])
        if (
            value is not None
            and np.issubdtype(value.dtype, np.floating)
            and np.any(value)
            and not _offsets(edited, node)
        ):
            node.input[1] = edited.store((value * np.float32(1 + UNIT)).astype(value.dtype))
            return Mutated(edited.model, f"the numbers of one {node.op_type} times {1 + UNIT}")
    return None


def _offsets(edited: _Edited, node: onnx.NodeProto) -> bool:
    """Whether this node makes the offsets of the classes."""
    return any(
        node in [edited.maker.get(name) for name in added.input]
        for nms in edited.of("NonMaxSuppression")
        for added in edited.ancestors(nms.input[0])
        if added.op_type == "Add"
    )


def unit(model: onnx.ModelProto, *, shift: bool) -> Mutated | None:
    """The first output that is a float, in another unit or with another zero."""
    edited = _Edited(model)
    for value in edited.graph.output:
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT and value.name in edited.maker:
            number = edited.store(np.array(0.5 if shift else 1 + UNIT, np.float32))
            edited.insert_after(value.name, ("Add" if shift else "Mul", [number]))
            return Mutated(edited.model, f"{value.name} {'+ 0.5' if shift else f'times {1 + UNIT}'}")
    return None


def resized(model: onnx.ModelProto, *, nearest: bool) -> Mutated | None:
    """Another resize of the answer: nearest neighbours, or other coordinates."""
    edited = _Edited(model)
    for node in edited.of("Resize"):
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        changed: dict[str, object] = (
            {"mode": "nearest"} if nearest else {"coordinate_transformation_mode": "asymmetric"}
        )
        if all(attributes.get(name) == str(value).encode() for name, value in changed.items()):
            continue
        del node.attribute[:]
        node.attribute.extend(helper.make_attribute(name, value) for name, value in (attributes | changed).items())
        return Mutated(edited.model, f"Resize with {', '.join(f'{n} {v}' for n, v in changed.items())}")
    return None


def left_out(model: onnx.ModelProto, kinds: tuple[str, ...]) -> Mutated | None:
    """The last node of some kinds gives what it gets."""
    edited = _Edited(model)
    nodes = list(edited.of(*kinds))
    if not nodes:
        return None
    detail = f"{nodes[-1].op_type} left out"
    edited.pass_through(nodes[-1])
    return Mutated(edited.model, detail)


def length(model: onnx.ModelProto) -> Mutated | None:
    """A vector divided by the sum of its absolute values instead of its length."""
    edited = _Edited(model)
    for node in edited.of("ReduceL2"):
        node.op_type = "ReduceL1"
        return Mutated(edited.model, "ReduceL1 instead of ReduceL2")
    return None


def sharper(model: onnx.ModelProto) -> Mutated | None:
    """A temperature that is a thousandth off before the softmax."""
    edited = _Edited(model)
    for node in edited.of("Softmax", "LogSoftmax"):
        scaled = helper.make_node(
            "Mul", [node.input[0], edited.store(np.array(1 + UNIT, np.float32))], ["mutation/sharp"]
        )
        index = next(at for at, other in enumerate(edited.graph.node) if other.output[:] == node.output[:])
        node.input[0] = scaled.output[0]
        edited.graph.node.insert(index, scaled)
        return Mutated(edited.model, f"logits times {1 + UNIT} before {node.op_type}")
    return None


def worst_class(model: onnx.ModelProto) -> Mutated | None:
    """The least likely class instead of the likeliest."""
    edited = _Edited(model)
    for node in edited.of("ArgMax"):
        node.op_type = "ArgMin"
        return Mutated(edited.model, "ArgMin instead of ArgMax")
    return None


ON_POSTPROCESS: Final[dict[str, Mutation]] = {
    "threshold higher": partial(threshold, change=THRESHOLD),
    "threshold lower": partial(threshold, change=-THRESHOLD),
    "overlap higher": partial(overlap, change=OVERLAP),
    "overlap lower": partial(overlap, change=-OVERLAP),
    "unclipped": unclipped,
    "half the candidates": partial(candidates, divisor=2),
    "a tenth of the candidates": partial(candidates, divisor=10),
    "one box fewer": partial(detections, change=-1),
    "one box more": partial(detections, change=1),
    "reverse order": order,
    "class offset halved": partial(class_offset, factor=0.5),
    "class-agnostic": partial(class_offset, factor=0.0),
    "decoding": decoding,
    "unit": partial(unit, shift=False),
    "zero": partial(unit, shift=True),
    "nearest resize": partial(resized, nearest=True),
    "shifted resize": partial(resized, nearest=False),
    "unrounded": partial(left_out, kinds=("Round", "Floor")),
    "length": length,
    "temperature": sharper,
    "no softmax": partial(left_out, kinds=("Softmax", "LogSoftmax")),
    "worst class": worst_class,
}
"""By the name that the report gives them."""
