"""Eighty-five ways to get an export wrong, and those that a task declares itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

import onnx
from onnx import TensorProto

from tests.zoo_export.controls.suite.edits import (
    ACTIVATIONS,
    LAYERS,
    Edit,
    after_input,
    attribute,
    averaging,
    before_output,
    clipped_at_six,
    every,
    exchanged,
    extra_output,
    first_exchanged,
    foreign_domain,
    frozen,
    generic,
    generic_postprocess,
    half,
    int8,
    kept_bits,
    last_row,
    left_out,
    live_dropout,
    local_path,
    newer_opset,
    node,
    noisy,
    number,
    on_all_weights,
    on_file,
    on_node,
    on_numbers,
    on_weight,
    other_activation,
    percent,
    renamed_classes,
    residual,
    resized,
    sharper_attention,
    shifted_padding,
    silenced,
    through_half,
    trained_on,
    transposed,
    whole,
    without_classes,
)
from zoo.api.task import Control
from zoo.registry.references import resolve
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.controls import resize_edits
from zoo_export.controls.postprocess_edits import ON_POSTPROCESS

Role = Literal["model", "pipeline", "postprocess"]
"""Which graph is edited; an edited postprocess is put back into the pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One way to be wrong."""

    name: str
    group: Literal[
        "weights", "precision", "graph", "mode", "axes", "file", "preparing", "finishing", "values", "labels", "task"
    ]
    role: Role
    edit: Edit


GREY = (
    node("Cast", ["given"], ["float"], to=TensorProto.FLOAT),
    node("ReduceMean", ["float", "axis"], ["mean"], keepdims=1),
    node("Floor", ["mean"], ["floor"]),
    node("Cast", ["floor"], ["grey"], to=TensorProto.UINT8),
    node("Concat", ["grey", "grey", "grey"], ["changed"], axis=2),
)
BRIGHTER = (
    node("Cast", ["given"], ["float"], to=TensorProto.FLOAT),
    node("Add", ["float", "one"], ["more"]),
    node("Min", ["more", "white"], ["least"]),
    node("Cast", ["least"], ["changed"], to=TensorProto.UINT8),
)
SHIFTED = (
    node("Slice", ["given", "one", "end", "zero"], ["below"]),
    node("Slice", ["given", "zero", "one", "zero"], ["above"]),
    node("Concat", ["below", "above"], ["changed"], axis=0),
)
MIRRORED = (node("Slice", ["given", "last", "start", "axis", "back"], ["changed"]),)
TURNED = (node("Transpose", ["given"], ["changed"], perm=[0, 1, 3, 2]),)
BLUE_FIRST = (node("Gather", ["given", "order"], ["changed"], axis=2),)
DEAD = (node("Mul", ["given", "nothing"], ["changed"]),)
SAMPLED = (
    node("RandomNormalLike", ["given"], ["noise"], scale=1e-3),
    node("Add", ["given", "noise"], ["changed"]),
)
NEIGHBOURS = (
    node("ReduceMean", ["given", "axis"], ["mean"], keepdims=1),
    node("Mul", ["mean", "little"], ["part"]),
    node("Sub", ["given", "part"], ["changed"]),
)
BACKWARDS = (node("Slice", ["given", "last", "before", "axis", "back"], ["changed"]),)
SHORTENED = (
    node("Mul", ["given", "places"], ["large"]),
    node("Round", ["large"], ["whole"]),
    node("Div", ["whole", "places"], ["changed"]),
)
FIRST_ONLY = (
    node("Gather", ["given", "first"], ["one"], axis=0),
    node("Shape", ["given"], ["shape"]),
    node("Expand", ["one", "shape"], ["changed"]),
)
END = 2**31 - 1

MUTANTS = (
    Mutant(name="one weight's sign", group="weights", role="model", edit=generic("weight")),
    Mutant(name="one weight of the first layer +1 %", group="weights", role="model", edit=on_weight("first", percent)),
    Mutant(name="one weight of a middle layer +1 %", group="weights", role="model", edit=on_weight("middle", percent)),
    Mutant(name="last layer x 1.001", group="weights", role="model", edit=generic("scale")),
    Mutant(name="middle layer x 1.0001", group="weights", role="model", edit=on_weight("middle", lambda w: w * 1.0001)),
    Mutant(name="bias dropped", group="weights", role="model", edit=generic("bias")),
    Mutant(name="two class rows exchanged", group="weights", role="model", edit=generic("classes")),
    Mutant(name="two filters exchanged", group="weights", role="model", edit=on_weight("middle", exchanged)),
    Mutant(name="a square matrix turned round", group="weights", role="model", edit=transposed),
    Mutant(name="one filter zero", group="weights", role="model", edit=on_weight("middle", silenced)),
    Mutant(name="noise of 1e-5 on all weights", group="weights", role="model", edit=on_all_weights(noisy)),
    Mutant(name="last layer one step older", group="weights", role="model", edit=on_weight("last", trained_on)),
    Mutant(name="weights rounded to fp16", group="precision", role="model", edit=on_all_weights(half)),
    Mutant(name="weights rounded to bf16", group="precision", role="model", edit=on_all_weights(kept_bits(7))),
    Mutant(name="weights rounded to TF32", group="precision", role="model", edit=on_all_weights(kept_bits(10))),
    Mutant(name="weights rounded to int8", group="precision", role="model", edit=on_all_weights(int8)),
    Mutant(
        name="one activation through fp16", group="precision", role="model", edit=on_node(tuple(LAYERS), through_half)
    ),
    Mutant(
        name="answers rounded to four places",
        group="precision",
        role="model",
        edit=before_output(*SHORTENED, constants=[number("places", 1e4)]),
    ),
    Mutant(name="another activation", group="graph", role="model", edit=on_node(tuple(ACTIVATIONS), other_activation)),
    Mutant(name="one activation left out", group="graph", role="model", edit=on_node(tuple(ACTIVATIONS), left_out)),
    Mutant(name="mean instead of maximum pooling", group="graph", role="model", edit=on_node(["MaxPool"], averaging)),
    Mutant(
        name="maximum instead of mean pooling",
        group="graph",
        role="model",
        edit=on_node(["ReduceMean"], lambda _, found: setattr(found, "op_type", "ReduceMax")),
    ),
    Mutant(name="padding on one side", group="graph", role="model", edit=on_node(["Conv"], shifted_padding)),
    Mutant(name="shortcut dropped", group="graph", role="model", edit=residual),
    Mutant(
        name="epsilon of a normalisation 1e-3",
        group="graph",
        role="model",
        edit=on_node(["LayerNormalization"], attribute("epsilon", 1e-3)),
    ),
    Mutant(name="attention 1 % sharper", group="graph", role="model", edit=sharper_attention),
    Mutant(
        name="softmax too much",
        group="graph",
        role="model",
        edit=before_output(node("Softmax", ["given"], ["changed"], axis=-1)),
    ),
    Mutant(
        name="output x 1.0001",
        group="graph",
        role="model",
        edit=before_output(node("Mul", ["given", "by"], ["changed"]), constants=[number("by", 1.0001)]),
    ),
    Mutant(name="height and width exchanged", group="graph", role="model", edit=after_input(*TURNED)),
    Mutant(name="live dropout", group="mode", role="model", edit=live_dropout),
    Mutant(name="live dropout, spelled out", group="mode", role="model", edit=generic("training")),
    Mutant(name="sampled output", group="mode", role="model", edit=before_output(*SAMPLED)),
    Mutant(
        name="statistics of the batch",
        group="mode",
        role="model",
        edit=before_output(*NEIGHBOURS, constants=[whole("axis", 0), number("little", 0.01)]),
    ),
    Mutant(
        name="dead output", group="mode", role="model", edit=before_output(*DEAD, constants=[number("nothing", 0.0)])
    ),
    Mutant(name="batch frozen at 1", group="axes", role="model", edit=generic("batch")),
    Mutant(name="batch frozen at the example's", group="axes", role="model", edit=frozen(2)),
    Mutant(
        name="first of a batch for all",
        group="axes",
        role="model",
        edit=before_output(*FIRST_ONLY, constants=[whole("first", 0)]),
    ),
    Mutant(
        name="batch answered backwards",
        group="axes",
        role="model",
        edit=before_output(
            *BACKWARDS,
            constants=[whole("last", -1), whole("before", -(2**31)), whole("axis", 0), whole("back", -1)],
        ),
    ),
    Mutant(name="another output beside", group="file", role="model", edit=on_file(extra_output)),
    Mutant(name="another opset", group="file", role="model", edit=on_file(newer_opset)),
    Mutant(name="foreign domain", group="file", role="model", edit=on_file(foreign_domain)),
    Mutant(name="local path inside", group="file", role="model", edit=on_file(local_path)),
    Mutant(
        name="blue for red",
        group="preparing",
        role="pipeline",
        edit=after_input(*BLUE_FIRST, constants=[whole("order", 2, 1, 0)]),
    ),
    Mutant(
        name="mean and std exchanged",
        group="preparing",
        role="pipeline",
        edit=on_numbers(lambda mean, std: (std, mean)),
    ),
    Mutant(
        name="mean and std of another publisher",
        group="preparing",
        role="pipeline",
        edit=on_numbers(lambda mean, std: (mean * 0.99, std * 1.2)),
    ),
    Mutant(
        name="not divided by 255",
        group="preparing",
        role="pipeline",
        edit=on_numbers(lambda mean, std: (mean / 255, std / 255)),
    ),
    Mutant(name="nearest neighbour resize", group="preparing", role="pipeline", edit=resized(resize_edits.nearest)),
    Mutant(
        name="resize without antialias",
        group="preparing",
        role="pipeline",
        edit=resized(resize_edits.without_antialias),
    ),
    Mutant(
        name="resize by another filter",
        group="preparing",
        role="pipeline",
        edit=resized(resize_edits.other_filter),
    ),
    Mutant(
        name="resize half a pixel off",
        group="preparing",
        role="pipeline",
        edit=resized(resize_edits.half_pixel_off),
    ),
    Mutant(name="grey levels not rounded", group="preparing", role="pipeline", edit=every("Floor", left_out)),
    Mutant(
        name="one grey level brighter",
        group="preparing",
        role="pipeline",
        edit=after_input(*BRIGHTER, constants=[number("one", 1.0), number("white", 255.0)]),
    ),
    Mutant(
        name="one pixel lower",
        group="preparing",
        role="pipeline",
        edit=after_input(*SHIFTED, constants=[whole("zero", 0), whole("one", 1), whole("end", END)]),
    ),
    Mutant(
        name="mirrored",
        group="preparing",
        role="pipeline",
        edit=after_input(
            *MIRRORED, constants=[whole("last", -1), whole("start", -END), whole("axis", 1), whole("back", -1)]
        ),
    ),
    Mutant(
        name="colours taken away",
        group="preparing",
        role="pipeline",
        edit=after_input(*GREY, constants=[whole("axis", 2)]),
    ),
    Mutant(
        name="softmax left out",
        group="finishing",
        role="pipeline",
        edit=on_node(["Softmax"], left_out, at=-1),
    ),
    Mutant(
        name="probabilities x 1.0001",
        group="finishing",
        role="pipeline",
        edit=before_output(node("Mul", ["given", "by"], ["changed"]), constants=[number("by", 1.0001)]),
    ),
    Mutant(name="answers in another order", group="finishing", role="pipeline", edit=first_exchanged),
    *(
        Mutant(name=f"postprocess: {name}", group="finishing", role="postprocess", edit=generic_postprocess(name))
        for name in ON_POSTPROCESS
        if name not in ("no softmax",)
    ),
    Mutant(name="no activation above six", group="values", role="model", edit=on_node(["Relu"], clipped_at_six)),
    Mutant(name="a rare token", group="values", role="model", edit=last_row),
    Mutant(name="class names exchanged", group="labels", role="model", edit=renamed_classes),
    Mutant(name="class names exchanged in the pipeline", group="labels", role="pipeline", edit=renamed_classes),
    Mutant(name="class names missing", group="labels", role="pipeline", edit=without_classes),
)


def of_task(controls: Iterable[Control]) -> tuple[Mutant, ...]:
    """The mutants that a task declares itself."""
    return tuple(
        Mutant(name=control.name, group="task", role="pipeline", edit=partial(_declared, control.edit))
        for control in controls
        if control.applies and control.edit is not None
    )


def _declared(reference: str, model: onnx.ModelProto) -> onnx.ModelProto:
    edit = cast("Callable[[onnx.ModelProto, int], onnx.ModelProto]", resolve(reference))
    return edit(copy_of(model), 0)
