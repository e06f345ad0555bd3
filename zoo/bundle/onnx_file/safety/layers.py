"""How large the outputs of layers, gathers, windows and sequences are at least, from what is known of their inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from zoo.bundle.onnx_file.safety.known import UNKNOWN, Attributes, Known, Shape, broadcast, integers, sized

Rule = Callable[[Sequence[Known], Attributes], Known]


def _same(inputs: Sequence[Known], _: Attributes) -> Known:
    return Known(inputs[0].shape, inputs[0].elements)


def _as_many(inputs: Sequence[Known], _: Attributes) -> Known:
    return Known(elements=inputs[0].elements)


def _all_together(inputs: Sequence[Known], _: Attributes) -> Known:
    return Known(elements=sum(known.elements for known in inputs))


# --- products ---


def _product(left: int, right: int) -> Rule:
    """Of matrices, by the places of both among the inputs."""

    def rule(inputs: Sequence[Known], _: Attributes) -> Known:
        a, b = inputs[left].shape, inputs[right].shape
        if a is None or b is None:
            return UNKNOWN
        a, b = (1, *a) if len(a) < 2 else a, (*b, 1) if len(b) < 2 else b
        return sized((*broadcast(a[:-2], b[:-2]), a[-2], b[-1]))

    return rule


def _gemm(inputs: Sequence[Known], attributes: Attributes) -> Known:
    a, b = inputs[0].shape, inputs[1].shape
    if a is None or b is None:
        return UNKNOWN
    return sized((a[1] if attributes.get("transA") else a[0], b[0] if attributes.get("transB") else b[1]))


def _einsum(inputs: Sequence[Known], attributes: Attributes) -> Known:
    terms, _, result = attributes["equation"].decode().replace(" ", "").partition("->")
    sizes: dict[str, int] = {}
    for term, known in zip(terms.split(","), inputs, strict=True):
        if known.shape is None or "." in term:
            return UNKNOWN
        sizes.update((label, size or 1) for label, size in zip(term, known.shape, strict=True))
    once = [label for label in sizes if terms.count(label) == 1]
    return sized(tuple(sizes[label] for label in (result if "->" in attributes["equation"].decode() else sorted(once))))


# --- gathers ---


def _gathered(inputs: Sequence[Known], attributes: Attributes) -> Known:
    data, index = inputs[0].shape, inputs[1].shape
    if data is None or index is None:
        return Known(elements=inputs[1].elements)
    axis = attributes.get("axis", 0) % len(data)
    return sized((*data[:axis], *index, *data[axis + 1 :]))


def _gathered_deep(inputs: Sequence[Known], attributes: Attributes) -> Known:
    data, index = inputs[0].shape, inputs[1].shape
    if data is None or index is None or index[-1] is None:
        return UNKNOWN
    return sized((*index[:-1], *data[index[-1] + attributes.get("batch_dims", 0) :]))


def _of_index(inputs: Sequence[Known], _: Attributes) -> Known:
    return Known(inputs[1].shape, inputs[1].elements)


# --- convolutions and pools ---


def _spatial(sizes: Shape, kernel: Sequence[int], attributes: Attributes) -> list[int | None]:
    """The sizes after a window has gone over them."""
    count = len(sizes)
    strides, dilations = (attributes.get(name) or [1] * count for name in ("strides", "dilations"))
    pads = attributes.get("pads") or [0] * (2 * count)
    rows = zip(sizes, kernel, strides, dilations, pads[:count], pads[count:], strict=True)
    return [
        None if size is None else (size + before + after - dilation * (width - 1) - 1) // stride + 1
        for size, width, stride, dilation, before, after in rows
    ]


def _convolved(weights: int) -> Rule:
    """Of an operator with its weights at this place among the inputs."""

    def rule(inputs: Sequence[Known], attributes: Attributes) -> Known:
        data, kernel = inputs[0].shape, inputs[weights].shape
        if data is None or kernel is None:
            return UNKNOWN
        spatial = _spatial(data[2:], [size or 1 for size in kernel[2:]], attributes)
        return sized((data[0], kernel[0], *spatial))

    return rule


def _pooled(inputs: Sequence[Known], attributes: Attributes) -> Known:
    data = inputs[0].shape
    return UNKNOWN if data is None else sized((*data[:2], *_spatial(data[2:], attributes["kernel_shape"], attributes)))


def _transposed(inputs: Sequence[Known], attributes: Attributes) -> Known:
    data, kernel = inputs[0].shape, inputs[1].shape
    if data is None or kernel is None:
        return UNKNOWN
    spatial: Iterable[int | None] = attributes.get("output_shape") or ()
    if not spatial:
        count = len(data) - 2
        strides, dilations = (attributes.get(name) or [1] * count for name in ("strides", "dilations"))
        pads, added = attributes.get("pads") or [0] * (2 * count), attributes.get("output_padding") or [0] * count
        rows = zip(data[2:], kernel[2:], strides, dilations, added, pads[:count], pads[count:], strict=True)
        spatial = [
            stride * ((size or 1) - 1) + more + dilation * ((width or 1) - 1) + 1 - before - after
            for size, width, stride, dilation, more, before, after in rows
        ]
    return sized((data[0], (kernel[1] or 1) * attributes.get("group", 1), *spatial))


# --- sizes that an input says ---


def _asked(place: int) -> Rule:
    """Of an operator whose input at this place is the shape of its output."""

    def rule(inputs: Sequence[Known], _: Attributes) -> Known:
        sizes = integers(inputs[place]) if place < len(inputs) else None
        return UNKNOWN if sizes is None else Known(elements=math.prod(sizes))

    return rule


def _mel(inputs: Sequence[Known], _: Attributes) -> Known:
    bins, length = integers(inputs[0]), integers(inputs[1])
    return UNKNOWN if bins is None or length is None else sized((length[0] // 2 + 1, bins[0]))


def _transformed(inputs: Sequence[Known], _: Attributes) -> Known:
    """Of DFT: one axis gets the length that an input says."""
    length = integers(inputs[1]) if len(inputs) > 1 else None
    return Known(elements=inputs[0].elements if length is None else length[0])


def _aligned(inputs: Sequence[Known], attributes: Attributes) -> Known:
    count = (inputs[1].shape or (1,))[0] or 1
    return Known(elements=count * attributes.get("output_height", 1) * attributes.get("output_width", 1))


def _sampled(inputs: Sequence[Known], _: Attributes) -> Known:
    """Of GridSample: as many places as the grid has, for each channel."""
    data, grid = inputs[0].shape, inputs[1].shape
    if data is None or grid is None:
        return UNKNOWN
    return sized((*data[:2], *grid[1:-1]))


def _affine(inputs: Sequence[Known], _: Attributes) -> Known:
    sizes = integers(inputs[1])
    return UNKNOWN if sizes is None else sized((sizes[0], *sizes[2:], len(sizes) - 2))


def _drawn(inputs: Sequence[Known], attributes: Attributes) -> Known:
    rows = (inputs[0].shape or (1,))[0] or 1
    return Known(elements=rows * attributes.get("sample_size", 1))


def _reduced(inputs: Sequence[Known], attributes: Attributes) -> Known:
    """Of a reduction that keeps its axes where they are known."""
    axes: Any = attributes.get("axes") if len(inputs) < 2 else integers(inputs[1])
    shape = inputs[0].shape
    if shape is None or axes is None or not attributes.get("keepdims", 1):
        return UNKNOWN
    gone = {axis % len(shape) for axis in axes}
    return sized(tuple(1 if axis in gone else size for axis, size in enumerate(shape)))


_ELEMENT_BY_ELEMENT = (
    "Acos Acosh Asin Asinh Atan Atanh BatchNormalization Bernoulli Celu Clip Cos Cosh CumProd CumSum DequantizeLinear "
    "Dropout DynamicQuantizeLinear Elu Erf Gelu GroupNormalization HardSigmoid HardSwish Hardmax InstanceNormalization "
    "IsInf IsNaN LRN LayerNormalization LeakyRelu LogSoftmax LpNormalization MeanVarianceNormalization Mish "
    "QuantizeLinear RMSNormalization ReverseSequence Scatter ScatterElements ScatterND Selu Shrink Sin Sinh Softmax "
    "Softplus Softsign Swish Tan ThresholdedRelu Trilu"
)
_REDUCTIONS = "L1 L2 LogSum LogSumExp Max Mean Min Prod Sum SumSquare"

LAYERS: dict[str, Rule] = {
    **dict.fromkeys(_ELEMENT_BY_ELEMENT.split(), _same),
    **dict.fromkeys([f"Reduce{kind}" for kind in _REDUCTIONS.split()], _reduced),
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth", "Flatten", "ConcatFromSequence", "SplitToSequence"), _as_many),
    **dict.fromkeys(("SequenceConstruct", "SequenceInsert"), _all_together),
    **dict.fromkeys(("MatMul", "MatMulInteger"), _product(0, 1)),
    **dict.fromkeys(("Conv", "ConvInteger"), _convolved(1)),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pooled),
    **dict.fromkeys(("HannWindow", "HammingWindow", "BlackmanWindow"), _asked(0)),
    **dict.fromkeys(("Col2Im", "CenterCropPad"), _asked(1)),
    "QLinearMatMul": _product(0, 3),
    "QLinearConv": _convolved(3),
    "ConvTranspose": _transposed,
    "Gemm": _gemm,
    "Einsum": _einsum,
    "Gather": _gathered,
    "GatherND": _gathered_deep,
    "GatherElements": _of_index,
    "MaxUnpool": _asked(2),
    "MelWeightMatrix": _mel,
    "DFT": _transformed,
    "RoiAlign": _aligned,
    "GridSample": _sampled,
    "AffineGrid": _affine,
    "Multinomial": _drawn,
}
"""The outputs' sizes, by operator."""
