"""Answers from a bundle without torch: raw inputs -> pipeline.onnx -> answers, in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.runtime import Runtime

if TYPE_CHECKING:
    from zoo.api.task import Arrays

PIPELINE = "pipeline.onnx"


@contextmanager
def bundle_pipeline(
    bundle: Bundle, *, variant: str | None = None, limits: Limits | None = None, threads: int = 1
) -> Iterator[Callable[[Arrays], Arrays]]:
    """A function from the inputs of pipeline.onnx to its outputs, by name; HashMismatch for another graph.

    `variant` names one of the bundle's; UsageError where it has none of that name.
    """
    graph = bundle.manifest.variant(variant).folder + PIPELINE if variant is not None else PIPELINE
    with Runtime(limits=limits or bundle.limits(), threads=threads) as runtime:
        session = bundle.session(runtime, graph)
        yield lambda feeds: runtime.run(session, feeds)


def predict_bundle(
    bundle: Bundle, inputs: Iterable[Arrays], *, limits: Limits | None = None, threads: int = 1
) -> Iterator[Arrays]:
    """The answer to each input of pipeline.onnx, by output name; HashMismatch when the graph is not the manifest's."""
    with bundle_pipeline(bundle, limits=limits, threads=threads) as answer:
        yield from map(answer, inputs)
