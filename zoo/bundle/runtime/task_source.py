"""The task.py of a bundle: a device module's source with the sources it imports from zoo put before it.

So the device runs the very code that zoo runs, and there is no second copy to keep up to date.  A plugin's
device module imports public names (`from zoo import read_picture`); what stands for them is the source of their homes.
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

from zoo import _HOMES as PUBLIC_NAMES  # importing what they stand for would bring numpy and Pillow
from zoo.api.specs import Reference

_IMPORT = re.compile(r"^from (zoo(?:\.[\w.]+)?) import (.*)\n", re.MULTILINE)
_WHOLE_MODULE = re.compile(r"^import .*$", re.MULTILINE)
_NAMES = re.compile(r"^from ([\w.]+) import ([^()\n#]+)$", re.MULTILINE)
_ALL = re.compile(r"^__all__ = \[.*?\]$", re.MULTILINE | re.DOTALL)
_GAP = re.compile(r"\n{3,}")
_ABOUT = re.compile(r'\A""".*?"""\n+', re.DOTALL)
_FUTURE = "from __future__ import annotations\n"
_HEAD = '"""The task\'s part of this bundle: reading files and showing answers with numpy and Pillow."""\n\n'


def task_source(device: Reference) -> str:
    """The text of a module that needs only numpy and Pillow, by a reference into it: a task's `device`."""
    package, _, name = device.partition(":")
    parts = _parts(_homes(package, name)[0], seen=set())
    text = "\n\n".join(part.replace(_FUTURE, "").strip() for part in parts)
    return _HEAD + _FUTURE + "\n" + _GAP.sub("\n\n", _with_imports_first(_ALL.sub("", text))) + "\n"


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
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no source for {module}", name=module)
    text = _ABOUT.sub("", Path(spec.origin).read_text(encoding="utf-8"))
    homes = [home for package, names in _IMPORT.findall(text) for home in _homes(package, names)]
    before = [part for home in homes if home not in seen for part in _parts(home, seen=seen)]
    return [*before, _IMPORT.sub("", text)]


def _homes(package: str, names: str) -> list[str]:
    """The modules whose source stands for `from package import names`."""
    return [PUBLIC_NAMES[name.strip()] for name in names.split(",")] if package == "zoo" else [package]
