"""The proof of every set of weights that ships with zoo: exported, put to all gates, and written down by its hash.

PYTHONPATH=.:plugins:export python benchmarks/shipped_weights.py [MODEL@TAG ...]

Results go into shipped_weights.json beside this; a test keeps them with the weights that ship.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path

from benchmarks.false_alarms import ratios
from zoo.api.specs import WeightsSpec
from zoo.bundle.judge.gates import is_killed
from zoo.registry.catalog import Catalog
from zoo.registry.name_resolution import RegistryEntry
from zoo_export.export import export

RESULTS = Path(__file__).with_suffix(".json")


def proved(weights: RegistryEntry[WeightsSpec]) -> dict[str, object]:
    """What the proof of one set of weights found."""
    name = f"{weights.spec.model}@{weights.spec.tag}"
    with tempfile.TemporaryDirectory() as folder:
        report = export(name, output=Path(folder) / "bundle").report
    evidence = report.evidence
    applied = [control for control in evidence.mutants if control.applied]
    return {
        "sha256": weights.spec.sha256,
        "verdict": report.verdict,
        "sentence": report.sentence,
        "worst_ratio": round(max(ratios(report), default=0.0), 2),
        "agreement": evidence.agreement_data,
        "controls": f"{sum(map(is_killed, applied))} of {len(applied)} rejected",
        "torch": evidence.environment.torch,
        "onnxruntime": evidence.environment.onnxruntime,
    }


def main(names: list[str]) -> int:
    """Prove those weights, or all that ship; 1 when one is not proved."""
    warnings.simplefilter("ignore")
    shipped = [one for one in Catalog.discover().weights() if one.spec.resource and one.plugin.built_in]
    found = json.loads(RESULTS.read_text()) if names else {}
    for one in shipped:
        name = f"{one.spec.model}@{one.spec.tag}"
        if not names or name in names:
            found[name] = proved(one)
            print(name, found[name]["verdict"], found[name]["worst_ratio"], found[name]["controls"], flush=True)
            RESULTS.write_text(json.dumps(dict(sorted(found.items())), indent=2, ensure_ascii=False) + "\n")
    return int(any(row["verdict"] not in ("PASS", "WARN") for row in found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
