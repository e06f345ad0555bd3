"""The task.py of a bundle: a device module's source with the sources it imports from zoo put before it.

So the device runs the very code that zoo runs, and there is no second copy to keep up to date.  A plugin's
device module imports public names (`from zoo import read_picture`); what stands for them is the source of their homes.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from zoo import _HOMES as PUBLIC_NAMES  # importing what they stand for would bring numpy and Pillow
from zoo.api.specs import Reference

_IMPORT = re.compile(r"^from (zoo(?:\.[\w.]+)?) import (.*)\n", re.MULTILINE)
_WHOLE_MODULE = re.compile(r"^import .*$", re.MULTILINE)
_NAMES = re.compile(r"^from ([\w.]+) import ([^()\n#]+)$", re.MULTILINE)
_ALL = re.compile(r"^__all__ = \[.*?\]$", re.MULTILINE | re.DOTALL)
_GAP = re.compile(r"\n{3,}")
_SECTIONS = re.compile(r'\n\n +(?:Args|Returns|Yields|Raises|Examples):\n.*?"""', re.DOTALL)
"""Of a docstring, to its end: a bundle is read by people who have one file, and the examples are of zoo's."""
_ABOUT = re.compile(r'\A""".*?"""\n+', re.DOTALL)
_FUTURE = "from __future__ import annotations\n"
_HEAD = '"""The task\'s part of this bundle: reading files and showing answers with numpy and Pillow."""\n\n'


def task_source(device: Reference) -> str:
    """The text of a module that needs only numpy and Pillow, by a reference into it: a task's `device`."""
    package, _, name = device.partition(":")
    parts = _parts(_homes(package, name)[0], seen=set())
    text = "\n\n".join(part.replace(_FUTURE, "").strip() for part in parts)
    offered = _bound(ast.parse(Path(_origin(_homes(package, name)[0])).read_text(encoding="utf-8")).body)
    needed = _needed(_ALL.sub("", text), offered)
    return _HEAD + _FUTURE + "\n" + _GAP.sub("\n\n", _with_imports_first(needed)) + "\n"


def _needed(text: str, names: Iterable[str]) -> str:
    """The text without the definitions that none of these names leads to."""
    nodes = ast.parse(text).body
    wanted, pending = set[str](), [*names]
    while pending:
        wanted.add(name := pending.pop())
        for node in nodes:
            if name in _bound([node]):
                pending += {used.id for used in ast.walk(node) if isinstance(used, ast.Name)} - wanted
    lines, last = text.split("\n"), True
    for node in nodes:
        is_text = isinstance(node, ast.Expr)  # what stands below a constant belongs to it
        last = last if is_text else isinstance(node, ast.Import | ast.ImportFrom) or bool(wanted & {*_bound([node])})
        if not last:
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
            lines[first - 1 : node.end_lineno] = [""] * ((node.end_lineno or first) - first + 1)
    return "\n".join(lines)


def _bound(nodes: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that statements of a module define or import."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (name.asname or name.name for name in node.names)
        else:
            stored = (used for used in ast.walk(node) if isinstance(used, ast.Name) and isinstance(used.ctx, ast.Store))
            yield from (used.id for used in stored)


def _with_imports_first(text: str) -> str:
    """The text with everything that its parts import in one block at its head, each module once."""
    names: dict[str, set[str]] = {}
    for module, imported in _NAMES.findall(text):
        names.setdefault(module, set()).update(imported.split(", "))
    lines = sorted({*_WHOLE_MODULE.findall(text), *(f"from {m} import {', '.join(sorted(names[m]))}" for m in names)})
    lines.sort(key=lambda line: re.split(r"[ .]", line)[1] not in sys.stdlib_module_names)
    return "\n".join(lines) + "\n\n" + _NAMES.sub("", _WHOLE_MODULE.sub("", text)).strip()


def _parts(module: str, *, seen: set[str]) -> list[str]:
    """The sources of `module` and of what it imports from zoo, the imported ones first, each once."""
    seen.add(module)
    text = _SECTIONS.sub('"""', _ABOUT.sub("", Path(_origin(module)).read_text(encoding="utf-8")))
    homes = [home for package, names in _IMPORT.findall(text) for home in _homes(package, names)]
    before = [part for home in homes if home not in seen for part in _parts(home, seen=seen)]
    return [*before, _IMPORT.sub("", text)]


def _origin(module: str) -> str:
    """The path of a module's source."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no source for {module}", name=module)
    return spec.origin


def _homes(package: str, names: str) -> list[str]:
    """The modules whose source stands for `from package import names`."""
    return [PUBLIC_NAMES[name.strip()] for name in names.split(",")] if package == "zoo" else [package]
