"""Asking a plugin what it offers without letting it import what makes every command slow.

torch takes two seconds, and a plugin that imports it at the top of its module would add them to every command.  So
while plugins are asked, heavy packages cannot be imported unless they are there already.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

HEAVY: Final = ("torch", "torchvision", "onnx", "onnxruntime", "numpy")


class HeavyImport(ImportError):
    """A heavy package was wanted where only names and numbers are asked for."""


class _Refusing:
    """First in `sys.meta_path`: nobody gets further than here with a heavy package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for all other packages, which are then looked for as usual."""
        del path, target
        package = fullname.partition(".")[0]
        if package in HEAVY:
            raise HeavyImport(
                f"it imports {package} to be listed, which would make every command slow; "
                f"import {package} in the modules that its references name",
                name=fullname,
            )
        return None


@contextmanager
def import_guard() -> Iterator[None]:
    """Inside, importing torch, numpy and their like is a HeavyImport; what is imported already stays at hand."""
    refusing = _Refusing()
    sys.meta_path.insert(0, refusing)
    try:
        yield
    finally:
        with suppress(ValueError):  # what a plugin threw out is put back by `undisturbed`
            sys.meta_path.remove(refusing)
