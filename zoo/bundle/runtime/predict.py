"""Answers from a bundle without torch: raw inputs -> pipeline.onnx -> answers, in the sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.errors import HashMismatch
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.sandbox import Limits, Runtime

if TYPE_CHECKING:
    from zoo.api.task import Arrays

PIPELINE = "pipeline.onnx"


@contextmanager
def bundle_pipeline(
    bundle: Bundle, *, limits: Limits | None = None, threads: int = 1
) -> Iterator[Callable[[Arrays], Arrays]]:
    """A function from the inputs of pipeline.onnx to its outputs, by name; HashMismatch for another graph."""
    with Runtime(limits=limits, threads=threads) as runtime:
        session = runtime.session(_checked(bundle), title=PIPELINE)
        yield lambda feeds: runtime.run(session, feeds)


def predict_bundle(
    bundle: Bundle, inputs: Iterable[Arrays], *, limits: Limits | None = None, threads: int = 1
) -> Iterator[Arrays]:
    """The answer to each input of pipeline.onnx, by output name; HashMismatch when the graph is not the manifest's."""
    with bundle_pipeline(bundle, limits=limits, threads=threads) as answer:
        yield from map(answer, inputs)


def _checked(bundle: Bundle) -> bytes:
    path: Path = bundle.path / PIPELINE
    raw = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(raw).hexdigest() != bundle.manifest.hashes().get(PIPELINE):
        raise HashMismatch(
            f"{path} is missing or was changed: its sha256 is not the one in the manifest",
            hint=f"zoo verify {bundle.path}",
        )
    return raw
