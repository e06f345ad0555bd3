"""The rooms of both packages and the imports between them, read from the sources.

python docs/architecture.py          prints every room with the number of imports between rooms
python docs/architecture.py --write  writes the tables and the drawing of docs/architecture.md anew
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grimp

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "architecture.md"
MARK: Final = "<!-- written by docs/architecture.py from here on -->\n"
SOURCES: Final = {"zoo": ROOT, "zoo_export": ROOT / "export"}
COMMANDS: Final = {
    "zoo train": (
        "zoo/cli/train.py",
        "zoo/training/launch/request.py",
        "zoo/registry/catalog.py",
        "zoo/training/launch/start.py",
        "zoo/models/build.py",
        "zoo/models/weights/start.py",
        "zoo/training/engine/fabric.py",
        "zoo/training/launch/build.py",
        "zoo/training/launch/provenance.py",
        "zoo/runs/run.py",
        "zoo/training/launch/run_training.py",
        "zoo/training/loop/fit.py",
        "zoo/training/loop/data_order.py",
        "zoo/training/loop/batches.py",
        "zoo/training/trainers/single_model.py",
        "zoo/training/loop/context.py",
        "zoo/training/loop/split_metrics.py",
        "zoo/training/loop/progress.py",
        "zoo/training/callbacks/checkpoints.py",
        "zoo/training/loop/state.py",
        "zoo/training/results/report.py",
    ),
    "zoo export": (
        "zoo/cli/export.py",
        "export/zoo_export/export.py",
        "zoo/models/target.py",
        "export/zoo_export/subject/load.py",
        "zoo/models/load.py",
        "export/zoo_export/proof/prove.py",
        "export/zoo_export/subject/choose_cases.py",
        "export/zoo_export/proof/references.py",
        "export/zoo_export/reference/oracle.py",
        "export/zoo_export/proof/submit.py",
        "export/zoo_export/capture/capture.py",
        "export/zoo_export/capture/torch_export.py",
        "export/zoo_export/capture/compose.py",
        "export/zoo_export/runtime/queue.py",
        "zoo/bundle/sandbox/runtime.py",
        "export/zoo_export/reference/backends.py",
        "export/zoo_export/proof/results.py",
        "export/zoo_export/proof/evidence.py",
        "export/zoo_export/measure/graph.py",
        "export/zoo_export/controls/mutation_score.py",
        "export/zoo_export/controls/mutants.py",
        "zoo/bundle/judge/verdict.py",
        "zoo/bundle/judge/parity_rule.py",
        "export/zoo_export/variants/make.py",
        "export/zoo_export/variants/candidates.py",
        "zoo/bundle/judge/variant_rule.py",
        "export/zoo_export/bundle/write.py",
        "export/zoo_export/bundle/golden_files.py",
        "zoo/bundle/report/page.py",
    ),
}
"""The files that a command goes through, in order of the first call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One folder of a package, or the one module `zoo_export.export`."""

    name: str
    """As in zoo.runs."""
    says: str
    """The first paragraph of its docstring."""
    modules: int
    imports: Mapping[str, int]
    """How many times it imports another room; imports under TYPE_CHECKING do not count."""


def rooms() -> tuple[Room, ...]:
    """Every room of both packages, the ground first; without the two doors `zoo` and `zoo.__main__`."""
    order = room_order()
    graph = grimp.build_graph(*SOURCES, exclude_type_checking_imports=True, cache_dir=None)
    counts: dict[str, Counter[str]] = {name: Counter() for name in order}
    sizes = Counter(_room(module) for module in graph.modules)
    for module in graph.modules:
        importer = _room(module)
        for target in graph.find_modules_directly_imported_by(module):
            imported = _room(target)
            if importer != imported and importer in counts and imported in counts:
                details = graph.get_import_details(importer=module, imported=target)
                counts[importer][imported] += max(len(details), 1)
    return tuple(
        Room(name=name, says=_first_sentence(_source(name)), modules=sizes[name], imports=dict(counts[name]))
        for name in order
    )


def room_order() -> tuple[str, ...]:
    """The rooms as the contracts of pyproject.toml order them, the ground first."""
    of_zoo, of_export, *_ = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    inner = [f"zoo_export.{layer}" for layer in reversed(of_export["layers"])]
    names: list[str] = []
    for layer in reversed(of_zoo["layers"]):
        names += inner if layer == "zoo_export" else [name.strip() for name in layer.split("|")]
    return tuple(names)


def table(every_room: tuple[Room, ...]) -> str:
    """For a terminal: each room with its modules and what it imports how often."""
    lines = [f"{'room':<22}{'modules':>8}  imports"]
    for room in every_room:
        imports = [f"{name} {room.imports[name]}" for name in _sorted(room, every_room)]
        lines.append(f"{room.name:<22}{room.modules:>8}  {', '.join(imports)}".rstrip())
    arrows = sum(len(room.imports) for room in every_room)
    upward = list(upward_imports(every_room))
    lines += ["", f"{len(every_room)} rooms, {arrows} arrows, {len(upward)} of them upwards", *upward]
    return "\n".join(lines)


def upward_imports(every_room: tuple[Room, ...]) -> Iterator[str]:
    """Each arrow from a room to one that stands above it, as a line."""
    order = [room.name for room in every_room]
    for room in every_room:
        for name, count in room.imports.items():
            if order.index(name) > order.index(room.name):
                yield f"  {room.name} -> {name}: {count}"


def written(page: str) -> str:
    """The page with its tables and its drawing as the sources have them now; FileNotFoundError for a stale COMMANDS."""
    missing = [file for files in COMMANDS.values() for file in files if not (ROOT / file).is_file()]
    if missing:
        raise FileNotFoundError(f"COMMANDS in docs/architecture.py names files that do not exist: {', '.join(missing)}")
    every_room = rooms()
    parts = [page.partition(MARK)[0] + MARK]
    for package, sentence in (
        ("zoo", "The rooms of `zoo`, the ground first."),
        ("zoo_export", "The rooms of `zoo_export`; each may also import `zoo` from `api` to `training`."),
    ):
        parts.append(f"## {package}\n\n{sentence}\n\n{_rooms_table(package, every_room)}")
    parts.append(
        "## The drawing\n\nAn arrow is an import.  Where a longer way says the same, the short arrow is left out.\n\n"
        + drawing(every_room)
    )
    for command, files in COMMANDS.items():
        rows = "\n".join(
            f"| {index} | `{file}` | {_first_sentence(ROOT / file)} |" for index, file in enumerate(files, 1)
        )
        parts.append(f"## The way of `{command}`\n\n| | file | is |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def drawing(every_room: tuple[Room, ...]) -> str:
    """The rooms and the imports between them as a Mermaid flowchart, without arrows that others imply."""
    lines = ["```mermaid", "flowchart TB"]
    lines += ['  plugins["plugins, tasks/plugin.py"] -. public names .-> door', '  door["zoo (imports on first use)"]']
    for package in SOURCES:
        lines.append(f'  subgraph {package}_rooms["{package}"]')
        inside = [room.name for room in reversed(every_room) if room.name.startswith(f"{package}.")]
        lines += [f'    {_node(name)}["{name.partition(".")[2]}"]' for name in inside]
        lines.append("  end")
    lines += [f"  {_node(importer)} --> {_node(imported)}" for importer, imported in _needed_arrows(every_room)]
    return "\n".join([*lines, "```\n"])


def _node(room: str) -> str:
    """Mermaid's name of a room; a dot would be part of an arrow's syntax."""
    return room.replace(".", "_")


def _needed_arrows(every_room: tuple[Room, ...]) -> Iterator[tuple[str, str]]:
    """The downward arrows that no longer way implies."""
    below: dict[str, set[str]] = {}
    for room in every_room:
        direct = {name for name in room.imports if name in below}
        implied = {name for other in direct for name in below[other]}
        below[room.name] = direct | implied
        yield from ((room.name, name) for name in _sorted(room, every_room) if name in direct - implied)


def _rooms_table(package: str, every_room: tuple[Room, ...]) -> str:
    rows = ["| room | what lives there | imports |", "|---|---|---|"]
    for room in every_room:
        if room.name.startswith(f"{package}."):
            names = [name.removeprefix(f"{package}.") for name in _sorted(room, every_room)]
            rows.append(f"| `{room.name.partition('.')[2]}` | {room.says} | {', '.join(names)} |")
    return "\n".join(rows) + "\n"


def _sorted(room: Room, every_room: tuple[Room, ...]) -> list[str]:
    return [other.name for other in every_room if other.name in room.imports]


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _source(room: str) -> Path:
    package, _, name = room.partition(".")
    folder = SOURCES[package] / package / name
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def _first_sentence(file: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.path[:0] = [str(root) for root in SOURCES.values()]
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(written(PAGE.read_text()))
    else:
        print(table(rooms()))
