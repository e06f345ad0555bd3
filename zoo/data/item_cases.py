"""Cases for tasks with data of their own, from functions on a sample; numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from zoo.api.data import DataCard, Split
from zoo.api.task import Case, Item, Purpose
from zoo.data.formats.splits import place

if TYPE_CHECKING:
    from zoo.api.task import Arrays

GOLDEN_ITEMS: Final = 3
SYNTHETIC: Final = 6
EXTREME: Final = "extreme"
"""The kind of synthetic inputs that only inform."""


def item_cases(
    card: DataCard | None,
    purpose: Purpose,
    *,
    limit: int,
    inputs: Callable[[Any], Arrays],
    truth: Callable[[Any], Any],
    synthetic: Callable[[int], tuple[str, Arrays]],
    ready: Callable[[Arrays], Arrays],
) -> Iterator[Case]:
    """At most `limit` cases for a purpose; the same ones every time.

    `inputs` gives the inputs of pipeline.onnx for a sample of the card, `truth` what the data say of it; a sample has
    a `name`.  `synthetic` makes the inputs numbered 0, 1, 2, ... and says of which kind they are ("uniform",
    "smooth"; `EXTREME` for those that only inform); `ready` gives the inputs of model.onnx, with their batch axis, for
    inputs of pipeline.onnx.

    Args:
        card: The data; None for synthetic cases alone.
        purpose: What the cases are for.
        limit: The most cases.
        inputs: A sample to raw inputs, arrays by port name.
        truth: A sample to its true answer.
        synthetic: A number to (kind, raw inputs).
        ready: Raw inputs to inputs of the model, with a batch axis.

    Returns:
        Cases, each made when it is asked for.

    Examples:
        >>> synthetic = lambda number: ("uniform", {"x": np.full(3, number, np.float32)})
        >>> ready = lambda raw: {"x": raw["x"][None]}
        >>> given = {"inputs": dict, "truth": str, "synthetic": synthetic, "ready": ready}
        >>> cases = zoo.item_cases(None, zoo.Purpose.MODEL, limit=2, **given)
        >>> [case.inputs["x"].shape for case in cases]
        [(1, 3), (1, 3)]
    """

    def items() -> Iterator[Case]:
        return _items(card, inputs, truth) if card is not None else iter(())

    def made() -> Iterator[Case]:
        for number in range(SYNTHETIC):
            kind, arrays = synthetic(number)
            yield Case(name=f"synthetic {number}", kind=kind, inputs=arrays, gates=kind != EXTREME, origin="synthetic")

    def cases() -> Iterator[Case]:
        match purpose:
            case Purpose.EVALUATION:
                yield from items()
            case Purpose.GOLDEN:
                yield from islice(made(), 2)
                yield from islice(items(), GOLDEN_ITEMS)
            case Purpose.PIPELINE:
                yield from islice(items(), 2)
                yield from made()
            case Purpose.MODEL:
                for case in (*islice(items(), 2), *made()):
                    yield replace(case, inputs=ready(case.inputs), item=None)

    return islice(cases(), limit)


def _items(card: DataCard, inputs: Callable[[Any], Arrays], truth: Callable[[Any], Any]) -> Iterator[Case]:
    """Items of the test split, or of validation where there is none, in an order that mixes whatever is sorted."""
    split: Split = "test" if card.splits.get("test") else "validation"
    for sample in sorted(card.splits.get(split, ()), key=lambda sample: place(sample.name)):
        yield Case(
            name=sample.name.replace("/", "-"),
            kind="realistic",
            inputs=inputs(sample),
            truth=truth(sample),
            origin=sample.name,
            item=Item(card=card, split=split, sample=sample),
        )
