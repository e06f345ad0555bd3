"""A new package for a plugin: its name is checked, its files come from templates, and all are written at once."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final, Literal

from zoo.api.errors import OutputExists, UsageError
from zoo.api.specs import is_name
from zoo.registry.loader import Plugin
from zoo.runs import atomic

Kind = Literal["model", "trainer", "task", "callback", "weights"]

EVERY_PACKAGE: Final[Mapping[str, str]] = {
    "pyproject.toml": "package/pyproject.toml",
    "README.md": "package/README.md",
    "LICENSE": "package/LICENSE",
    ".gitignore": "package/gitignore",
    ".github/workflows/check.yml": "package/check.yml",
    "tests/test_conformance.py": "package/test_conformance.py",
}
MODULES: Final[Mapping[Kind, Mapping[str, str]]] = {
    "model": {"plugin.py": "model/plugin.py", "model.py": "model/model.py"},
    "trainer": {"plugin.py": "trainer/plugin.py", "model.py": "model/model.py", "trainer.py": "trainer/trainer.py"},
    "task": {
        f"{name}.py": f"task/{name}.py" for name in ("plugin", "model", "trainer", "task", "discs", "tensors", "device")
    },
    "callback": {"plugin.py": "callback/plugin.py", "callback.py": "callback/callback.py"},
    "weights": {"plugin.py": "weights/plugin.py"},
}
"""Files below src/<module>, each with its template."""
TESTS: Final[Mapping[Kind, Mapping[str, str]]] = {"callback": {"tests/test_callback.py": "callback/test_callback.py"}}
"""Tests beside that of the conformance kit, each with its template."""
SUMMARIES: Final[Mapping[Kind, str]] = {
    "model": "An architecture",
    "trainer": "An architecture and a way of training it",
    "task": "A task, with a model and a way of training it",
    "callback": "A callback: it listens to trainings",
    "weights": "Trained parameters",
}
LIBRARIES: Final[Mapping[Kind, tuple[str, ...]]] = {
    "model": ("torch>=2.9,<3",),
    "trainer": ("torch>=2.9,<3",),
    "task": ("torch>=2.9,<3", "numpy>=1.26,<3"),
    "callback": (),
    "weights": (),
}
PYTHON_NAMES: Final = frozenset((*keyword.kwlist, *keyword.softkwlist, *dir(builtins)))
TEMPLATE_NAMES: Final = frozenset(
    (
        *("agreement", "annotations", "augment", "block", "callable", "case", "data_card", "data_request", "device"),
        *("data_source", "iterator", "layout", "mapping", "monitor", "nn", "np", "path", "port", "problem"),
        *("sequence", "shown", "signature", "split", "tensor", "zoo"),
    )
)
"""Names that the written modules use themselves: a builder `block` would replace their function `block`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A plugin's package before it is written."""

    name: str
    """The name of the plugin, which is that of its entry point."""
    kind: Kind = "model"
    place: Path
    values: Mapping[str, str]
    """The values that the templates need, by name."""
    binaries: Mapping[str, bytes]
    """Further files by their path below src/<module>."""

    @property
    def module(self) -> str:
        """The name of the Python package: zoo_depthnet."""
        return f"zoo_{self.name}"

    def write(self) -> tuple[Path, ...]:
        """Write the whole folder at once; returns its files, sorted.  OutputExists where the path exists."""
        contents = {path: data.encode() for path, data in self.texts().items()}
        contents |= {f"src/{self.module}/{path}": data for path, data in self.binaries.items()}

        def fill(folder: Path) -> None:
            for path, data in contents.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)

        atomic.write_directory(self.place, fill)
        return tuple(self.place / path for path in sorted(contents))

    def texts(self) -> dict[str, str]:
        """Every text file by its path in the folder."""
        modules = {f"src/{self.module}/{path}": template for path, template in MODULES[self.kind].items()}
        files = {**EVERY_PACKAGE, **TESTS.get(self.kind, {}), **modules}
        texts = {path: self._filled(template) for path, template in files.items()}
        return {**texts, f"src/{self.module}/__init__.py": "", f"src/{self.module}/py.typed": ""}

    def _filled(self, template: str) -> str:
        text = files("zoo.testing.scaffold").joinpath(f"templates/{template}.in").read_text(encoding="utf-8")
        return Template(text).substitute(self.values)


def new_package(
    name: str,
    *,
    kind: Kind = "model",
    place: Path | None = None,
    taken: tuple[Plugin, ...] = (),
    values: Mapping[str, str] | None = None,
    binaries: Mapping[str, bytes] | None = None,
    requires: tuple[str, ...] = (),
) -> Package:
    """A package that can be written; it depends on `requires` beside zoo.

    UsageError for a bad name, OutputExists where its folder exists.
    """
    check_name(name, taken)
    distribution = f"zoo-{name.replace('_', '-')}"
    place = place or Path(distribution)
    if place.exists():
        raise OutputExists(f"{place} exists already", hint="choose another place with -o")
    dependencies = (_bounds(), *requires, *LIBRARIES[kind])
    return Package(
        name=name,
        kind=kind,
        place=place,
        values={
            "name": name,
            "task": name.replace("_", "-"),
            "module": f"zoo_{name}",
            "distribution": distribution,
            "title": "".join(part.capitalize() for part in name.split("_")),
            "summary": SUMMARIES[kind],
            "dependencies": ", ".join(f'"{dependency}"' for dependency in dependencies),
            "tour": "\n".join(tour(name, kind, **(values or {}))),
            **(values or {}),
        },
        binaries=binaries or {},
    )


def tour(name: str, kind: Kind, *, weights: str = "", **_: str) -> tuple[str, ...]:
    """The commands that use the new package."""
    if kind == "weights":
        return (f"zoo eval {weights}", f"zoo export {weights} --onnx")
    if kind == "callback":
        return (f"zoo train cnn --callback {callback_name(name)}",)
    return (f"zoo list '{name}/*'", f"zoo train {name}", "zoo export --onnx")


def callback_name(name: str) -> str:
    """What the callback of a plugin of this name is called: depth-log."""
    return name.replace("_", "-")


def check_name(name: str, taken: tuple[Plugin, ...] = ()) -> None:
    """UsageError with the closest valid name as a hint."""
    if not is_name(name) or not name[:1].isalpha():
        raise UsageError(
            f"a plugin cannot be named {name!r}: lower case letters, digits and underscores, a letter first",
            hint=f"zoo plugins new {_closest(name)}",
        )
    if name in PYTHON_NAMES or name in TEMPLATE_NAMES:
        user = "Python" if name in PYTHON_NAMES else "the package itself"
        raise UsageError(f"a plugin cannot be named {name!r}: {user} uses that name", hint="choose another name")
    for plugin in taken:
        if plugin.name == name:
            origin = f"{plugin.distribution} {plugin.version}".strip()
            raise UsageError(f"a plugin named {name!r} is installed already ({origin})", hint="choose another name")
    for plugin in taken:
        names = (*(spec.name for spec in plugin.models), *(spec.name for spec in plugin.tasks))
        if name in (other.replace("-", "_") for other in names):
            raise UsageError(
                f"the {plugin.title} offers {name!r}; yours would have to be called by its full name",
                hint="choose another name",
            )
    if find_spec(f"zoo_{name}") is not None:
        raise UsageError(f"a package named 'zoo_{name}' is installed already", hint="choose another name")


def _closest(name: str) -> str:
    """The closest valid name."""
    parts = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name.removeprefix("zoo-").removeprefix("zoo_"))
    close = "_".join(part.lower() for part in parts).lstrip("0123456789_")
    return close if is_name(close) and close not in PYTHON_NAMES | TEMPLATE_NAMES else "depthnet"


def _bounds() -> str:
    """The versions of zoo that the package needs: from this one to the next major version."""
    major, minor, *_ = version("edgezoo").split(".")
    return f"edgezoo>={major}.{minor},<{int(major) + 1}"
