"""The conformance kit over the installed plugins: `python benchmarks/conformance.py [PLUGIN ...]`.

The smallest model of each kind is taken, each plugin in a process of its own.  The table goes to stdout.
"""

from __future__ import annotations

import json
import subprocess
import sys

from zoo.registry.catalog import Catalog


def main(names: list[str]) -> int:
    """One row per plugin, then what failed and what was skipped; the exit code is 1 when something failed."""
    rows, told = [], []
    for name in names or [plugin.name for plugin in Catalog.discover().plugins]:
        command = [sys.executable, "-m", "zoo", "plugins", "check", name, "--smallest", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        score = json.loads(done.stdout)
        if "error" in score:
            told.append(f"- {name}: {score['error']['message']}")
            continue
        ends = [result["status"] for result in score["results"]]
        models = len({one["subject"] for one in score["results"] if one["group"] == "model"})
        counts = [str(ends.count(status)) for status in ("passed", "failed", "skipped")]
        rows.append(f"| {name} | {models} | {' | '.join(counts)} | {score['seconds']:.0f} |")
        print(rows[-1], file=sys.stderr, flush=True)
        seen = set()
        for one in score["results"]:
            if one["status"] != "passed" and (one["check"], one["detail"]) not in seen:
                seen.add((one["check"], one["detail"]))
                told.append(f"- {one['status']}: {one['group']} {one['check']} of {one['subject']}: {one['detail']}")
                print(told[-1], file=sys.stderr, flush=True)
    print("| plugin | models | passed | failed | skipped | seconds |\n|---|---|---|---|---|---|")
    print("\n".join([*rows, "", *told]))
    return int(any(line.startswith("- failed") for line in told))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
