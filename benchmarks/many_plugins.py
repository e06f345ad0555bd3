"""How long `zoo list` takes with fifty strangers' plugins installed, against one.

    python benchmarks/many_plugins.py [ROUNDS]

Each stranger is a distribution of its own with one module that offers one model.  The strangers lie on a path of their
own, as pip would leave them; zoo's own plugins are there in both cases.  Runs alternate, so that a busy moment hits
both.  Prints the medians and the median of the ratios of neighbours, which must stay below 2.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PLUGINS = 50
LIMIT = 2.0
LIST = [sys.executable, "-c", "import sys; from zoo.cli import main; sys.exit(main(['list']))"]
MODULE = """
import zoo

ZOO_API = 1


@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(
        name="net_{number}",
        task="image-classification",
        builder="stranger_{number}.model:net",
        trainer="classification",
        input=zoo.ImageInput(size=(28, 28), channels=1, mean=(0.5,), std=(0.5,)),
        recipes={{"default": zoo.Recipe(epochs=3)}},
        summary="trivial",
    )
"""


def install(site: Path, number: int) -> None:
    """One stranger's package and its record, as pip leaves them."""
    package = site / f"stranger_{number}"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(MODULE.format(number=number))
    record = site / f"zoo_stranger_{number}-1.0.dist-info"
    record.mkdir()
    described = "\n".join(["A description of the usual length, which nobody reads here."] * 60)
    (record / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: zoo-stranger-{number}\nVersion: 1.0\nRequires-Dist: edgezoo\n\n{described}\n"
    )
    (record / "entry_points.txt").write_text(f"[zoo.plugins]\nstranger_{number} = stranger_{number}.plugin\n")


def listing(site: Path) -> float:
    """Seconds of one `zoo list`, its output piped, with what is installed at `site`."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    start = time.perf_counter()
    done = subprocess.run(LIST, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    seconds = time.perf_counter() - start
    wanted = len(list(site.glob("*.dist-info")))
    found = sum(line.startswith("net_") for line in done.stdout.splitlines())
    if found != wanted or done.stderr:
        raise SystemExit(f"{found} of {wanted} strangers were listed: {done.stderr}")
    return seconds


def main() -> None:
    """Print the comparison."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed zoo keeps its bytecode, as click does
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder) / "one", Path(folder) / "many"
        install(one, 0)
        for number in range(PLUGINS):
            install(many, number)
        listing(one), listing(many)  # compiled once
        pairs = [(listing(one), listing(many)) for _ in range(rounds)]
    ratio = median(two / one for one, two in pairs)
    medians = [median(times) * 1e3 for times in zip(*pairs, strict=True)]
    print(f"{rounds} alternating rounds, {os.cpu_count()} cores")
    print(f"one plugin {medians[0]:.1f} ms, {PLUGINS} plugins {medians[1]:.1f} ms, ratio {ratio:.2f} (< {LIMIT})")
    if ratio >= LIMIT:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
