"""The negative controls that a proof of a generator is put to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zoo.api.task import Control, generic_controls

if TYPE_CHECKING:
    import onnx

ABSENT: Final = {
    "classes": "a made picture has no classes",
    "normalisation": "latents are taken as they are, not normalised",
    "channels": "no picture goes in",
    "resize": "no picture goes in",
}
ORDER: Final = Control(name="order", edit="zoo.tasks.image_generation.controls:exchange_numbers")


def generator_controls() -> tuple[Control, ...]:
    """The generic ones that a generator has, and the numbers of a latent in another order."""
    return (*generic_controls(ABSENT), ORDER)


def exchange_numbers(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001  every edit's
    """The numbers of every latent from the last to the first, as of a sampler that fills them otherwise."""
    from onnx import helper  # noqa: PLC0415  only the proof needs it

    for node in model.graph.node:
        node.input[:] = ["mutant/latent" if name == "latent" else name for name in node.input]
    numbers = {"starts": -1, "ends": -(2**31), "axes": 1, "steps": -1}
    made = [helper.make_node("Constant", [], [f"mutant/{name}"], value_ints=[at]) for name, at in numbers.items()]
    made.append(helper.make_node("Slice", ["latent", *(f"mutant/{name}" for name in numbers)], ["mutant/latent"]))
    old = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*made, *old])
    return model
