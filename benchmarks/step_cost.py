"""What a training item costs beside an older zoo: CPU milliseconds of the steps alone, in alternating rounds.

    python benchmarks/step_cost.py resnet18 --before FOLDER [--python PYTHON] [--items 2560] [--rounds 3]

FOLDER is a checkout of the older zoo, PYTHON its interpreter.  Each turn is a process of its own that trains on so many
embedded digits with the recipe of its own zoo, on one thread; reading, augmenting and the optimiser count, evaluation
and imports do not.  A whole default training has as many items for both: epochs and data are the same.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHILD = """
import json, sys, time
from pathlib import Path
import zoo
from zoo.training.loop import fit

model, items = sys.argv[1], int(sys.argv[2])
spent, plain = [], fit.Fit._train_epoch

def timed(self):
    start = time.process_time()
    plain(self)
    spent.append(time.process_time() - start)

fit.Fit._train_epoch = timed
catalog = __import__("importlib").import_module("zoo.catalog" if Path(zoo.__file__).with_name("catalog.py").exists()
                                                else "zoo.registry.catalog").Catalog.discover()
recipe = catalog.model(model).spec.recipes["digits"]
run = zoo.train(model, output=Path("run"), max_steps=items // recipe.batch_size, threads=1)
print(json.dumps({"spent": sum(spent), "items": run.record.steps * recipe.batch_size, "epochs": recipe.epochs}))
"""


def milliseconds(model: str, items: int, checkout: Path, python: str) -> tuple[float, int]:
    """CPU of an item, and the epochs of the recipe."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.pathsep.join(str(checkout / part) for part in (".", "plugins", "export"))
        own = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "ZOO_STATE": folder, "ZOO_CACHE": folder}
        command = [python, "-c", CHILD, model, str(items)]
        done = subprocess.run(command, cwd=folder, env={**os.environ, **own}, check=True, capture_output=True)
    document = json.loads(done.stdout)
    return 1000 * document["spent"] / document["items"], document["epochs"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--items", type=int, default=2_560)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    sides = {"now": (ROOT, sys.executable), "before": (options.before.absolute(), options.python)}
    costs: dict[str, list[float]] = {"now": [], "before": []}
    for number in range(options.rounds):
        for side in ("now", "before") if number % 2 else ("before", "now"):
            cost, epochs = milliseconds(options.model, options.items, *sides[side])
            costs[side].append(cost * epochs)
            print(f"{side:7} {cost:.3f} ms an item, {epochs} epochs", flush=True)
    ratios = [now / before for now, before in zip(costs["now"], costs["before"], strict=True)]
    print(f"{options.model}: a default training takes {statistics.median(ratios):.2f} of the CPU of the older zoo")
    print(f"({options.rounds} pairs: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; load {os.getloadavg()[0]:.0f})")


if __name__ == "__main__":
    main()
