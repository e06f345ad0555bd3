"""The negative controls of a proof of a model of sounds: mutations that the check must notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zoo.api.task import Control, generic_controls
from zoo.data.text.controls import STATE, read_instead

if TYPE_CHECKING:
    import onnx

ABSENT: Final = {
    "classes": "every output is a level of the signal, none a class",
    "normalisation": "codes are not normalised",
    "channels": "a sound has one channel here",
    "resize": "a sound is not resized",
}
CODES: Final = Control(name="codes", edit="zoo.tasks.audio_generation.controls:other_companding")
CONDITION: Final = Control(name="condition", edit="zoo.tasks.audio_generation.controls:forget_condition")


def sound_controls(*, conditioned: bool) -> tuple[Control, ...]:
    """The generic ones that sounds have, codes of another companding, a forgotten state, a forgotten class."""
    return (*generic_controls(ABSENT), CODES, STATE, *((CONDITION,) if conditioned else ()))


def other_companding(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001  every edit's
    """Codes inverted to 255 - code, as G.711 transmits them."""
    from onnx import helper  # noqa: PLC0415  only the proof needs it

    most = helper.make_node("Constant", [], ["mutant/most"], value_int=255)
    turned = helper.make_node("Sub", ["mutant/most", "samples"], ["mutant/samples"])
    return read_instead(model, "samples", "mutant/samples", [most, turned])


def forget_condition(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:  # noqa: ARG001  every edit's
    """Every sound conditioned on the first class."""
    from onnx import helper  # noqa: PLC0415  only the proof needs it

    first = helper.make_node("Sub", ["condition", "condition"], ["mutant/condition"])
    return read_instead(model, "condition", "mutant/condition", [first])
