"""What import-linter's contracts in pyproject.toml cannot say; each test names every offender.

Layers, circles and who may import a plugin are contracts: `lint-imports`.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import zoo

ROOT: Final = Path(__file__).parent.parent
PLUGINS: Final = sorted(path.name for path in (ROOT / "plugins").glob("zoo_*"))
HEAVY: Final = ("torch", "torchvision", "lightning_fabric", "torchmetrics", "matplotlib", "tensorboard", "onnxscript")
TORCH_FREE: Final = ("zoo/api", "zoo/registry", "zoo/runs", "zoo/data", "zoo/bundle", "zoo/tasks", "zoo/cli")
"""Rooms whose modules import nothing heavy, but for those whose docstring says [torch] or [matplotlib] in its first
paragraph.  Imports inside functions are allowed."""
TORCH_FREE_MODULES: Final = (
    "zoo.models.answers",
    "zoo.models.answer_files",
    "zoo.models.target",
    "zoo.training.launch.request",
    "zoo.testing.declaration",
    "zoo.testing.score",
)
"""Modules of other rooms that commands without torch need."""
IMPORT_EACH: Final = """
import importlib, json, sys

heavy, asked = set(json.loads(sys.argv[1])), []

class Refuse:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in heavy:
            asked.append(name)
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Refuse)
imported = {}
for module in json.loads(sys.argv[2]):
    asked.clear()
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] not in heavy:
            raise
    imported[module] = asked[:1]
print(json.dumps(imported))
"""
"""Imports every module in one process in which heavy packages do not exist: who asked for which."""


def heavy_imports(modules: Sequence[str]) -> dict[str, str]:
    """The heavy package that importing each of these modules asks for, for those that ask for one."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, json.dumps(HEAVY), json.dumps(modules)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {module: asked[0] for module, asked in json.loads(done.stdout).items() if asked}


def modules_of(folder: Path, *, root: Path = ROOT) -> dict[str, Path]:
    """Every module below a folder by its dotted name."""
    modules = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return modules


def is_marked(file: Path) -> bool:
    """True where the first paragraph of the module's docstring says [torch] or [matplotlib]."""
    paragraph = (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n\n")[0]
    return any(f"[{package}]" in paragraph for package in HEAVY)


def plugin_files() -> list[Path]:
    """The files of the plugins that come with zoo, and of the examples."""
    declarations = [ROOT / "zoo" / "tasks" / "plugin.py"]
    return declarations + sorted([*(ROOT / "plugins").rglob("*.py"), *(ROOT / "examples").glob("*/src/**/*.py")])


def imports_at_runtime(node: ast.AST, *, in_functions: bool) -> Iterator[tuple[str, int]]:
    """Module and line of every import, without those under TYPE_CHECKING and, where asked, those in functions."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not in_functions:
                continue
            case ast.Import(names=names):
                yield from ((alias.name, child.lineno) for alias in names)
            case ast.ImportFrom(module=module, level=level):
                yield "." * level + (module or ""), child.lineno
            case _:
                yield from imports_at_runtime(child, in_functions=in_functions)


def foreign_imports(file: Path, allowed: set[str], *, in_functions: bool) -> list[str]:
    """Every import of a package that is neither in the standard library nor allowed, with its place."""
    return [
        f"{file.relative_to(ROOT)}:{line} imports {module}"
        for module, line in imports_at_runtime(ast.parse(file.read_text()), in_functions=in_functions)
        if (package := module.partition(".")[0]) not in allowed and package not in sys.stdlib_module_names
    ]


def private_names(file: Path) -> list[str]:
    """Every name of zoo that a file uses and that is not public, with its place.

    Examples may use names of API 1, which still work; what zoo ships may not.
    """
    public = {*zoo.__all__, *(zoo._API_1 if "examples" in file.parts else ())}
    offenders = []
    for node in ast.walk(ast.parse(file.read_text())):
        used: list[str] = []
        match node:
            case ast.ImportFrom(module="zoo", names=names):
                used = [f"zoo.{alias.name}" for alias in names if alias.name not in public]
            case ast.ImportFrom(module=str(module)) if module.startswith(("zoo.", "zoo_export")):
                used = [module]
            case ast.Import(names=names):
                used = [alias.name for alias in names if alias.name.startswith(("zoo.", "zoo_export"))]
            case ast.Attribute(value=ast.Name(id="zoo"), attr=name) if name not in public:
                used = [f"zoo.{name}"]
        offenders += [f"{file.name}:{getattr(node, 'lineno', 0)} uses {name}, which is not public" for name in used]
    return offenders


def listed(offenders: Sequence[str]) -> str:
    """One a line, so that pytest shortens nothing."""
    return "\n" + "\n".join(offenders)


def test_torch_free_modules_import_nothing_heavy_and_the_others_say_so() -> None:
    rooms = {name: file for room in TORCH_FREE for name, file in modules_of(ROOT / room).items()}
    declarations = [f"{name}.plugin" for name in PLUGINS]
    asked = heavy_imports([*rooms, *TORCH_FREE_MODULES, *declarations])
    unmarked = [f"{module} imports {package}" for module, package in asked.items() if module not in rooms]
    for module, file in rooms.items():
        if module in asked and not is_marked(file):
            unmarked.append(f"{module} imports {asked[module]}, and its docstring does not say so: [torch]")
        if module not in asked and is_marked(file):
            unmarked.append(f"{module} imports nothing heavy, and its docstring says that it does")
    assert not unmarked, listed(unmarked)


def test_the_api_needs_the_standard_library_and_pluggy_alone() -> None:
    files = modules_of(ROOT / "zoo" / "api").values()
    allowed = {"zoo", "pluggy"}  # and numpy where a method makes arrays
    offenders = [line for file in files for line in foreign_imports(file, allowed, in_functions=False)]
    assert not offenders, listed(offenders)


def test_plugins_see_only_public_names() -> None:
    offenders = [offender for file in plugin_files() for offender in private_names(file)]
    assert not offenders, listed(offenders)


def test_a_plugins_declaration_imports_only_zoo_and_its_own_package() -> None:
    files = [file for file in plugin_files() if file.name == "plugin.py"]
    offenders = [line for file in files for line in foreign_imports(file, {"zoo", file.parent.name}, in_functions=True)]
    assert not offenders, listed(offenders)


def test_the_contracts_name_every_room_and_every_plugin() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    rooms = {file.name for file in (ROOT / "zoo").iterdir() if (file / "__init__.py").is_file()}
    layers = {name.strip() for layer in contracts["contracts"][0]["layers"] for name in layer.split("|")}
    assert layers == {f"zoo.{room}" for room in rooms} | {"zoo_export"}
    assert set(contracts["root_packages"]) == {"zoo", "zoo_export", *PLUGINS}
    assert {name.strip() for name in contracts["contracts"][2]["layers"][0].split("|")} == set(PLUGINS)


def test_each_of_these_checks_can_fail(tmp_path: Path) -> None:
    package = tmp_path / "imports_much"
    package.mkdir()
    (package / "__init__.py").write_text('"""Says nothing."""\n')
    (package / "lazy.py").write_text("def load():\n    import torch\n    return torch\n")
    (package / "eager.py").write_text("from imports_much import indirect\n")
    (package / "indirect.py").write_text('"""A module.  [torch]\n\nMore."""\nimport torch.nn\n')
    names = sorted(modules_of(package, root=tmp_path))
    sys.path.insert(0, str(tmp_path))
    try:
        assert heavy_imports(names) == {"imports_much.eager": "torch", "imports_much.indirect": "torch"}
    finally:
        sys.path.remove(str(tmp_path))
    assert [is_marked(package / f"{name}.py") for name in ("lazy", "indirect")] == [False, True]
    private = package / "private.py"
    private.write_text(
        "import zoo\nimport zoo.cli\nfrom zoo import hookimpl, cli\nfrom zoo.api import specs\nzoo._HOMES\n"
    )
    assert len(private_names(private)) == 4
    typed = ast.parse("import numpy\nif TYPE_CHECKING:\n    import onnx\ndef f():\n    from torch import nn\n")
    assert list(imports_at_runtime(typed, in_functions=True)) == [("numpy", 1), ("torch", 5)]
    assert list(imports_at_runtime(typed, in_functions=False)) == [("numpy", 1)]
