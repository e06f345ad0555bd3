"""Variants of shipped weights and of models trained here, a row each: size, latency, metric, verdict.

python -m benchmarks.variants [WEIGHTS…] [--bits int8,fp16,int4] [--runs FOLDER] writes benchmarks/variants.json and
variants.md; the rows of other weights stay.  The models of `TRAINED` are trained first, into FOLDER, where that has no
run of them yet; photographs are crops of those that scikit-image brings.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

import zoo
from benchmarks.photographs import crop_photographs
from zoo.bundle.judge.parity_rule import Status
from zoo.bundle.judge.variant_evidence import Bits, VariantEvidence
from zoo.bundle.judge.variant_rule import SMALLER
from zoo.models.target import resolve_target
from zoo.runs.serialization import to_json
from zoo_export.proof.prove import prove
from zoo_export.subject.load import find_subject
from zoo_export.variants.make import make_variants

WEIGHTS = ("cnn", "yolo_nano", "fcn_tiny", "bert_tiny", "gru", "gru_lm", "transformer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How a model is trained that has no weights of ours."""

    data: str
    """Of embedded data the name; "photographs" for crops of scikit-image's."""
    image_size: int | None = None
    epochs: int | None = None


TRAINED = {
    "resnet8": Training(data="digits"),
    "transformer_lm": Training(data="names"),
    "resnet18": Training(data="photographs", image_size=96, epochs=6),
    "mobilenet_v3_small": Training(data="photographs", image_size=96, epochs=16),
}
"""By name of the model."""
RECORD = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Variants of shipped weights and of models trained for this

Written by `python -m benchmarks.variants`. Size and latency are those of `pipeline.onnx` against fp32's, latency on one
thread; the metric is the task's, on evaluation items; the drop is the upper end of its interval. `agreement` is the
share of answers outside their margin that stay those of fp32. `mutants` are those of the variant that its gates reject.
Latencies are in processor time, those with † on the clock of a busy machine. `photographs` are ten classes of crops of
scikit-image's photographs, learnt from random weights. Rows of fine-tuning for 8 bits are written by
`python -m benchmarks.fake_quantize`: a run whose int8 variant was refused, and the run that the printed command makes.

"""


def row(
    name: str, evidence: VariantEvidence, verdict: Status, sentence: str, *, cpu: str, seconds: float | None = None
) -> dict[str, Any]:
    """What the table says of one variant, and what the page leaves out."""
    metric, latency = evidence.metric, evidence.latency
    return {
        "weights": name,
        "variant": evidence.name,
        "verdict": verdict.value,
        "sentence": sentence,
        "method": evidence.method,
        "size": evidence.bytes / evidence.baseline_bytes if evidence.baseline_bytes else None,
        "latency": statistics.median(latency.ratios) if latency is not None else None,
        "clock": "processor",
        "milliseconds": latency.milliseconds if latency is not None else None,
        "metric": None if metric is None else {"name": metric.name, "fp32": metric.baseline, "variant": metric.value},
        "agreement": None if evidence.agreement is None else to_json(evidence.agreement),
        "upper_drop": None if metric is None else max(sorted(metric.resampled)[: int(0.975 * len(metric.resampled))]),
        "sqnr_db": [output.sqnr_db for output in evidence.outputs],
        "killed": sum(bool(mutant.killed_by) for mutant in evidence.mutants),
        "mutants": sum(mutant.applied for mutant in evidence.mutants),
        "survivors": [f"{m.name}: {m.detail}" for m in evidence.mutants if m.applied and not m.killed_by],
        "smaller_drop": _smaller_drop(evidence),
        "candidates": [to_json(candidate) for candidate in evidence.candidates],
        "in_float": [node.node for node in evidence.sensitivity if node.in_float],
        "machine": cpu,
        "cpu_seconds": None if seconds is None else round(seconds, 1),
    }


def _smaller_drop(evidence: VariantEvidence) -> float | None:
    """The least of what the smaller candidates lose, where the variant itself is not smaller."""
    limit = SMALLER * evidence.baseline_bytes
    smaller = [c.upper_drop for c in evidence.candidates if c.upper_drop is not None and (c.bytes or 0) <= limit]
    return min(smaller) if smaller and evidence.bytes > limit else None


def train(name: str, runs: Path) -> Path:
    """The run of a model of `TRAINED`: the one in `runs`, else a new one."""
    folder, training = runs / name, TRAINED[name]
    if folder.exists():
        return folder
    data = crop_photographs(runs / "photographs") if training.data == "photographs" else training.data
    zoo.train(name, data=data, input_size=training.image_size, epochs=training.epochs, threads=1, output=folder)
    return folder


def measure(name: str, bits: list[Bits], runs: Path) -> list[dict[str, Any]]:
    """The rows of one set of weights."""
    target = str(train(name, runs)) if name in TRAINED else name
    request = resolve_target(target if name in TRAINED or "@" in name else f"{name}@{tag(name)}")
    proof = prove(find_subject(request.target, request.catalog), opset=18)
    start = time.process_time()
    variants = make_variants(proof, bits)
    seconds = (time.process_time() - start) / max(len(variants), 1)
    cpu = proof.evidence.environment.cpu
    return [
        row(name, made.evidence, made.verdict.status, made.verdict.sentence, cpu=cpu, seconds=seconds)
        for made in variants
    ]


def tag(name: str) -> str:
    """The tag of a model's first weights."""
    from zoo.registry.catalog import Catalog  # noqa: PLC0415

    catalog = Catalog.discover()
    model = catalog.model(name)
    return catalog.weights(model.full_name)[0].spec.tag


def page(rows: list[dict[str, Any]]) -> str:
    """The table."""
    metrics = "metric, fp32 → variant (drop at most)"
    columns = ("weights", "variant", "size", "latency", metrics, "agreement", "mutants", "verdict", "how")
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for entry in rows:
        metric = entry["metric"]
        words = "–"
        if metric is not None:
            words = f"{metric['name']} {metric['fp32']:.4g} → {metric['variant']:.4g} ({entry['upper_drop']:.3g})"
        size, latency = (f"{entry[key]:.2f}" if entry[key] else "–" for key in ("size", "latency"))
        verdict = entry["verdict"] if entry["verdict"] == "PASS" else entry["sentence"]
        mutants = f"{entry['killed']} of {entry['mutants']}" if entry["mutants"] else "–"
        latency += "" if entry.get("clock") == "processor" or latency == "–" else "†"
        measured = (size, latency, words, _agreement(entry), mutants)
        cells = (_title(entry["weights"]), entry["variant"], *measured, verdict, _how(entry))
        lines.append("| " + " | ".join(cells) + " |")
    machines = sorted({entry["machine"] for entry in rows})
    missing = sorted({*WEIGHTS, *TRAINED} - {entry["weights"] for entry in rows})
    words = f" Not measured yet: {', '.join(missing)}." if missing else ""
    return HEAD + "\n".join(lines) + f"\n\nMeasured on {'; '.join(machines)}.{words}\n"


def _how(entry: dict[str, Any]) -> str:
    """How it was made, and what stood against a smaller one."""
    drop, method = entry.get("smaller_drop"), entry["method"] or "–"
    return method if drop is None else f"{method}; every smaller candidate may lose {drop:.3g} or more"


def _title(name: str) -> str:
    if name not in TRAINED:
        return name
    training = TRAINED[name]
    size = f" at {training.image_size} px" if training.image_size else ""
    return f"{name}, trained on {training.data}{size}"


def _agreement(entry: dict[str, Any]) -> str:
    compared = entry.get("agreement") or {"items": 0, "undecided": 0}
    decided = compared["items"] - compared["undecided"]
    return f"{compared['agreeing'] / decided:.1%}" if decided else "–"


def main() -> None:
    """Measure, and write both files after each set of weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="*", default=(*WEIGHTS, *TRAINED))
    parser.add_argument("--bits", default="int8,fp16,int4")
    parser.add_argument("--runs", type=Path, default=Path("runs/variants"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    bits = cast("list[Bits]", arguments.bits.split(","))
    for name in arguments.weights:
        rows = json.loads(RECORD.read_text()) if RECORD.exists() else []
        kept = [entry for entry in rows if entry["weights"] != name or entry["variant"] not in bits]
        rows = sorted(
            [*kept, *measure(name, bits, arguments.runs)], key=lambda entry: (entry["weights"], entry["variant"])
        )
        RECORD.write_text(json.dumps(rows, indent=1) + "\n")
        PAGE.write_text(page(rows))
        print(f"{name}: " + "; ".join(f"{e['variant']} {e['sentence']}" for e in rows if e["weights"] == name))


if __name__ == "__main__":
    main()
