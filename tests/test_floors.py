"""The house stands: imports go down only, nothing goes round in circles, plugins see only the public names."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).parent.parent
SOURCES = {"zoo": ROOT, "zoo_export": ROOT / "export"}
PLUGINS = sorted(path.name for path in (ROOT / "plugins").glob("zoo_*"))

HOUSE = {
    0: "atomic capabilities data_card errors hookspecs problem recipe records specs task trainer",
    1: "answers audio bundle_evaluation cache catalog checkpoints config data declared embeddings formats images "
    "installed intent judge light measured names plugins recipe_settings references replay report run_list run_lock "
    "runs saved_answers targets tasks undisturbed",
    2: "adapter engine evaluation models ports prediction text trained trainers training weights",
    4: "cli scaffold testing __main__",
}
FLOORS = {f"zoo.{name}": floor for floor, names in HOUSE.items() for name in names.split()}
FLOORS |= {"zoo": 4, "zoo_export": 3, "zoo_export.cli": 4}
TORCH_PARTS = {
    "zoo.audio": "metrics running",
    "zoo.embeddings": "batches charts finish gathered",
    "zoo.images": "augment charts dataset finish named prepare",
    "zoo.tasks.image_classification": "metrics",
    "zoo.tasks.image_embedding": "dataset metrics",
    "zoo.tasks.image_generation": "dataset metrics",
    "zoo.tasks.image_reconstruction": "metrics",
    "zoo.tasks.object_detection": "augment dataset finish metrics",
    "zoo.tasks.semantic_segmentation": "augment dataset finish metrics",
}
"""Rooms of torch-free packages that are imported inside functions only."""
FLOORS |= {f"{package}.{name}": 2 for package, names in TORCH_PARTS.items() for name in names.split()}
HEAVY = {"torch", "torchvision", "lightning_fabric", "torchmetrics", "matplotlib", "tensorboard", "onnxscript"}


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement's target."""

    module: str
    lazy: bool
    """Inside a function, so it is paid for on use."""
    line: int


def floor(module: str) -> int:
    """The floor of a module of the house."""
    if module in FLOORS:
        return FLOORS[module]
    two, one = ".".join(module.split(".")[:2]), module.split(".", maxsplit=1)[0]
    return FLOORS[two] if one == "zoo" else FLOORS.get(two, FLOORS[one])


@cache
def modules() -> dict[str, Path]:
    """Every module of the house by name; plugins stand beside it."""
    found = {}
    for package, root in SOURCES.items():
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path) -> Iterator[Import]:
    """Every import that happens at run time; those under TYPE_CHECKING do not."""
    yield from _walk(ast.parse(path.read_text()), lazy=False)


def _walk(node: ast.AST, *, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (Import(alias.name, lazy, child.lineno) for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                for alias in names:
                    inside = f"{module}.{alias.name}"
                    yield Import(inside if inside in modules() else module, lazy, child.lineno)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _walk(child, lazy=True)
            case _:
                yield from _walk(child, lazy=lazy)


def own(name: str) -> bool:
    """True for a module of the house."""
    return name.split(".", maxsplit=1)[0] in SOURCES


@pytest.mark.parametrize("module", modules())
def test_every_module_stands_on_a_floor(module: str) -> None:
    assert floor(module) in range(5)


@pytest.mark.parametrize("module", modules())
def test_imports_go_down_only(module: str) -> None:
    if module == "zoo.tasks.plugin":
        return  # a plugin like anybody's: the next test but one
    here = floor(module)
    for found in imports(modules()[module]):
        where = f"{module}:{found.line} imports {found.module}"
        assert found.module.split(".")[0] not in PLUGINS, f"{where}: plugins are reached by references only"
        if not own(found.module):
            continue
        there = floor(found.module)
        assert there <= here or (found.lazy and (here, there) == (1, 2)), f"{where}: from floor {here} up to {there}"


@pytest.mark.parametrize("module", [module for module in modules() if floor(module) <= 1])
def test_the_lower_floors_are_torch_free(module: str) -> None:
    for found in imports(modules()[module]):
        package = found.module.split(".")[0]
        where = f"{module}:{found.line} imports {found.module}"
        assert found.lazy or package not in HEAVY, where
        if floor(module) == 0 and not found.lazy:
            assert own(found.module) or package == "pluggy" or package in sys.stdlib_module_names, where


def plugin_files() -> list[Path]:
    """The files of the plugins that come with zoo, and of the examples."""
    declarations = [modules()["zoo.tasks.plugin"]] if "zoo.tasks.plugin" in modules() else []
    return declarations + sorted([*(ROOT / "plugins").rglob("*.py"), *(ROOT / "examples").glob("*/src/**/*.py")])


@pytest.mark.parametrize("path", plugin_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_see_only_public_names(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ImportFrom(module="zoo", names=names):
                for alias in names:
                    assert alias.name in zoo.__all__, f"{path.name}:{node.lineno}: zoo.{alias.name} is not public"
            case ast.ImportFrom(module=str(module)) if module.startswith(("zoo.", "zoo_export")):
                pytest.fail(f"{path.name}:{node.lineno} imports {module}, which is not public")
            case ast.Import(names=names):
                for alias in names:
                    assert not alias.name.startswith(("zoo.", "zoo_export")), f"{path.name}:{node.lineno}: {alias.name}"
            case ast.Attribute(value=ast.Name(id="zoo"), attr=name):
                assert name in zoo.__all__, f"{path.name}:{node.lineno}: zoo.{name} is not public"


@pytest.mark.parametrize(
    "path", [path for path in plugin_files() if path.name == "plugin.py"], ids=lambda path: path.parent.name
)
def test_a_plugins_declaration_imports_nothing_heavy(path: Path) -> None:
    for found in imports(path):
        package = found.module.split(".")[0]
        assert package in {"zoo", path.parent.name} or package in sys.stdlib_module_names, f"{path}:{found.line}"


def test_no_import_goes_round_in_circles() -> None:
    graph = {
        module: {found.module for found in imports(path) if not found.lazy and found.module in modules()} - {module}
        for module, path in modules().items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


def test_the_floors_test_can_fail(tmp_path: Path) -> None:
    source = tmp_path / "bad.py"
    source.write_text(
        "import torch\nfrom zoo.cli import main\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import onnx\ndef f():\n    from zoo import errors\n"
    )
    assert [(found.module, found.lazy) for found in imports(source)] == [
        ("torch", False),
        ("zoo.cli", False),
        ("typing", False),
        ("zoo.errors", True),
    ]
    assert (floor("zoo.cli.list"), floor("zoo.errors"), floor("zoo_export.cli"), floor("zoo_export.x")) == (4, 0, 4, 3)
