"""Every runtime put to a bundle of every task: which golden cases it reproduces, and why not where it does not.

    python -m benchmarks.runtimes [--bundles DIR] [--runtime NAME ...]

Writes runtimes.json and runtimes.md beside this file, and the table of docs/runtimes.md; with --runtime the rows of the
others stay as they were measured.  Bundles that are not in DIR
are exported there first; a runtime whose packages are missing ends this with their name.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from zoo.api.errors import SandboxError
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.runtimes import golden_replay
from zoo.bundle.sandbox.installed_runtime import find_runtime
from zoo.bundle.sandbox.refusals import RuntimeRefused
from zoo.registry.catalog import Catalog

MODELS: Final = {
    "image-classification": "cnn@digits",
    "object-detection": "yolo_nano@digit_scenes",
    "semantic-segmentation": "fcn_tiny@digit_scenes",
    "image-reconstruction": "conv_autoencoder@digits",
    "image-generation": "dcgan@digits",
    "image-embedding": "facenet_tiny@digits",
    "text-classification": "gru@names",
    "text-classification, attention": "bert_tiny@names",
    "text-embedding": "sentence_bert_tiny",
    "text-generation": "gru_lm@names",
    "audio-generation": "wavenet_tiny@tones",
}
"""A small model for each task; one without @ has random weights."""
RUNTIMES: Final = ("onnxruntime", "ort", "openvino", "onnxruntime-web", "onnxruntime-web-chromium", "mnn")
HERE: Final = Path(__file__)
DOCS: Final = HERE.parents[1] / "docs" / "runtimes.md"
START, END = "<!-- written by benchmarks/runtimes.py from here on -->\n", "<!-- until here -->\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One bundle in one runtime."""

    task: str
    model: str
    runtime: str
    provider: str
    cases: int
    """Golden cases of the bundle."""
    reproduced: int
    reason: str
    """Why not all, in a sentence; empty where all are."""

    @property
    def mark(self) -> str:
        """As the table has it."""
        return "yes" if self.reproduced == self.cases else f"no ({self.reproduced} of {self.cases})"


def bundle_of(name: str, folder: Path) -> Bundle:
    """The bundle of a model in the folder, exported where it is not there."""
    path = folder / name.partition("@")[0]
    if not path.exists():
        from zoo_export.export import export  # noqa: PLC0415  torch

        export(name, output=path, untrained="@" not in name, evaluate=120)
    return Bundle.open(path)


def cell(task: str, name: str, bundle: Bundle, runtime: str, catalog: Catalog) -> Cell:
    """What the runtime makes of the bundle."""
    installed, cases = find_runtime(runtime, catalog), len(bundle.manifest.golden)
    about = {"task": task, "model": name, "runtime": runtime, "cases": cases}
    try:
        found = golden_replay(bundle, installed)
    except (RuntimeRefused, SandboxError) as error:
        return Cell(**about, provider=installed.title, reproduced=0, reason=error.message)  # type: ignore[arg-type]
    wrong = [line for lines in found.differences.values() for line in lines]
    reason = f"at worst {found.worst:.3g} times as far off as allowed ({wrong[0]})" if wrong else ""
    reproduced = sum(not lines for lines in found.differences.values())
    return Cell(**about, provider=found.provider, reproduced=reproduced, reason=reason)  # type: ignore[arg-type]


def table(cells: list[Cell]) -> str:
    """The table, and the reasons below it."""
    runtimes = list(dict.fromkeys(cell.runtime for cell in cells))
    by = {(cell.task, cell.runtime): cell for cell in cells}
    lines = ["| task | model | " + " | ".join(runtimes) + " |", "|---|---|" + "---|" * len(runtimes)]
    for task, model in dict.fromkeys((cell.task, cell.model) for cell in cells):
        marks = " | ".join(by[task, runtime].mark for runtime in runtimes)
        lines.append(f"| {task} | `{model}` | {marks} |")
    providers = {cell.runtime: cell.provider for cell in cells if " on " in cell.provider}
    lines += ["", "Executed by " + "; ".join(providers.values()) + ".", ""]
    lines += [f"- `{cell.model}` in {cell.runtime}: {cell.reason}" for cell in cells if cell.reason]
    return "\n".join(lines) + "\n"


def write(cells: list[Cell]) -> None:
    """The numbers, the page, and the table in the docs."""
    HERE.with_suffix(".json").write_text(json.dumps([asdict(cell) for cell in cells], indent=1) + "\n", "utf-8")
    text = table(cells)
    head = (
        "# Runtimes and tasks\n\nWritten by `benchmarks/runtimes.py`: golden cases within the bundle's tolerances.\n\n"
    )
    HERE.with_suffix(".md").write_text(head + text, "utf-8")
    page = DOCS.read_text("utf-8")
    DOCS.write_text(re.sub(f"{START}.*{END}", lambda _: START + text + END, page, flags=re.DOTALL), "utf-8")


def kept(measured: list[str]) -> list[Cell]:
    """The rows of the runtimes that are not measured now."""
    rows = json.loads(HERE.with_suffix(".json").read_text("utf-8"))
    return [Cell(**row) for row in rows if row["runtime"] not in measured]


def main() -> None:
    """Every cell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundles", type=Path, default=Path("runs/runtimes"))
    parser.add_argument("--runtime", action="append", choices=RUNTIMES)
    chosen = parser.parse_args()
    catalog = Catalog.discover()
    bundles = {task: bundle_of(name, chosen.bundles) for task, name in MODELS.items()}
    cells = [] if chosen.runtime is None else kept(chosen.runtime)
    for task, name in MODELS.items():
        for runtime in chosen.runtime or RUNTIMES:
            cells.append(cell(task, name, bundles[task], runtime, catalog))
            print(task, runtime, cells[-1].mark, cells[-1].reason, flush=True)
    tasks = [*MODELS]
    write(sorted(cells, key=lambda cell: (tasks.index(cell.task), RUNTIMES.index(cell.runtime))))


if __name__ == "__main__":
    main()
