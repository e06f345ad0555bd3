"""The negative controls of a proof of a generator: mutations that the check must notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zoo.api.task import Control, generic_controls
from zoo.data.text.controls import read_instead

if TYPE_CHECKING:
    import onnx

ABSENT: Final = {
    "classes": "a generated picture has no classes",
    "normalisation": "latents are taken as they are, not normalised",
    "channels": "no picture goes in",
    "resize": "no picture goes in",
}
ORDER: Final = Control(name="order", edit="zoo.tasks.image_generation.controls:exchange_numbers")


def generator_controls() -> tuple[Control, ...]:
    """The generic kinds that apply to a generator, and latents in reverse order."""
    return (*generic_controls(ABSENT), ORDER)


def exchange_numbers(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001  every edit's
    """Every latent reversed, as from a sampler that fills it in another order."""
    from onnx import helper  # noqa: PLC0415  only the proof needs it

    reverse = {"starts": -1, "ends": -(2**31), "axes": 1, "steps": -1}
    nodes = [
        helper.make_node("Constant", [], [f"mutant/{name}"], value_ints=[value]) for name, value in reverse.items()
    ]
    nodes.append(helper.make_node("Slice", ["latent", *(f"mutant/{name}" for name in reverse)], ["mutant/latent"]))
    return read_instead(model, "latent", "mutant/latent", nodes)
