"""Forbids heavy imports while plugins are loaded.

Importing torch takes two seconds, and a plugin that imports it at the top of its module would add them to every
command.  While plugins are loaded, heavy packages cannot be imported unless they are imported already.
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
    """A plugin imported a heavy package while it was loaded."""


class _Refuse:
    """The first finder in `sys.meta_path`: raises HeavyImport for a heavy package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for all other packages; the next finders look for them."""
        del path, target
        package = fullname.partition(".")[0]
        if package in HEAVY:
            raise HeavyImport(
                f"it imports {package} when it is loaded, which would make every command slow; "
                f"import {package} in the modules that its references name",
                name=fullname,
            )
        return None


@contextmanager
def import_guard() -> Iterator[None]:
    """Inside, importing torch, numpy and the like raises HeavyImport; what is imported already can be used."""
    finder = _Refuse()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        with suppress(ValueError):  # a plugin may have removed it; `process_guard` restores the list
            sys.meta_path.remove(finder)
