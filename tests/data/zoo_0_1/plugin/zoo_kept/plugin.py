"""Two networks of a few thousand parameters, so that what zoo 0.1 wrote about them is small."""

from __future__ import annotations

from collections.abc import Iterable

from zoo import ImageInput, ModelSpec, Recipe, TokenInput, hookimpl

ZOO_API = 1


@hookimpl
def zoo_models() -> Iterable[ModelSpec]:
    """A segmenter and a language model."""
    yield ModelSpec(
        name="segmenter",
        task="semantic-segmentation",
        builder="zoo_kept.model:segmenter",
        trainer="segmentation",
        input=ImageInput(size=(32, 32), mean=(0.5,), std=(0.25,)),
        head=("score.",),
        recipes={"default": Recipe(epochs=2, batch_size=16, lr=1e-2)},
        parameters=523,
    )
    yield ModelSpec(
        name="writer",
        task="text-generation",
        builder="zoo_kept.model:writer",
        trainer="language-model",
        needs=("vocabulary_size",),
        input=TokenInput(max_length=64, chunk=16),
        head=("head.",),
        recipes={"default": Recipe(epochs=3, batch_size=16, lr=1e-2)},
    )
