"""Bundles of zoo 0.1: their manifest.json and report.json, of schema 1, turned into the JSON of today.

They are read for ever, and nothing else in zoo knows how they looked.  Two facts were sentences or names of classes
then: the seed of random weights, and the postprocessing.  What a graph says of itself is compared with the manifest as
it was written: see `zoo.bundle.runtime.manifest.ManifestFile`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from zoo.api.errors import BadFile

_SEED = re.compile(r"seeded live weights \(seed (\d+)[;)]")
_MAX_DETECTIONS: Final = 100

Json = dict[str, Any]
Steps = list[Json]

_EVIDENCE: Final = {"power": "mutants", "fed": "skew"}
_MUTANT: Final = {"caught_by": "killed_by"}
_REFERENCE: Final = {"traps": "discrepancies"}
_SECONDS: Final = {"power": "mutation score"}
_VERSION: Final = "0.1."
"""What made every bundle of schema 1."""
_NO_TRUTH: Final = {
    "items": 0,
    "reason": "zoo 0.1, which made this record, did not compare the answers with the truth",
    "needed": False,
}


def wrote(zoo: object) -> bool:
    """Whether a version of zoo writes schema 1: 0.1 does, and no other."""
    return str(zoo).startswith(_VERSION)


def manifest(document: Json, *, where: str) -> Json:
    """A manifest of schema 1 in the fields of schema 2; BadFile where it has some of both."""
    _check_version(document.get("zoo"), where=where)
    finishing = document.get("finishing")
    if not isinstance(finishing, str):
        raise BadFile(f"{where} is not a valid Manifest: of schema 1, it names no finishing")
    _refuse(document, ("postprocess",), where=where)
    steps = _POSTPROCESS.get(finishing)
    return {
        **{key: value for key, value in document.items() if key != "finishing"},
        "postprocess": [] if steps is None else steps(document.get("problem")),
        "lineage": _lineage(document.get("lineage"), where=where),
        "schema": 2,
    }


def report(document: Json, *, where: str) -> Json:
    """A report of schema 1 in the fields of schema 2; BadFile where it has some of both."""
    gates = _each(document.get("gates"), _gate)
    evidence = document.get("evidence")
    return {**document, "gates": gates, "evidence": _evidence(evidence, where=where), "schema": 2}


def _gate(gate: Json) -> Json:
    return {**gate, "name": "mutation score"} if gate.get("name") == "power" else gate


def _evidence(value: Any, *, where: str) -> Any:
    if not isinstance(value, dict):
        return value
    environment = value.get("environment")
    _check_version(environment.get("zoo") if isinstance(environment, dict) else None, where=where)
    _refuse(value, ("truth",), where=where)
    new = {**_renamed(value, _EVIDENCE, where=where), "truth": _NO_TRUTH}
    if new.get("schema", 1) == 1:  # another number is the judge's to refuse
        new["schema"] = 2
    if "mutants" in new:
        new["mutants"] = _each(new["mutants"], lambda mutant: _renamed(mutant, _MUTANT, where=where))
    if isinstance(new.get("reference"), dict):
        new["reference"] = _renamed(new["reference"], _REFERENCE, where=where)
    if isinstance(new.get("seconds"), dict):
        new["seconds"] = _renamed(new["seconds"], _SECONDS, where=where)
    return new


def _lineage(value: Any, *, where: str) -> Any:
    """The lineage with the seed that its sentence names, where nothing but random numbers made the weights."""
    if not isinstance(value, dict):
        return value
    _refuse(value, ("seed",), where=where)
    random = re.match(_SEED, str(value.get("weights"))) if not value.get("target") else None
    return {**value, "seed": int(random[1]) if random else None}


# --- shapes ---


def _check_version(version: object, *, where: str) -> None:
    """BadFile where a later zoo than 0.1 says that it wrote schema 1, whose records lack some measurements."""
    if not wrote(version):
        raise BadFile(f"{where} names schema 1 and zoo {version}: only zoo 0.1 wrote that schema")


def _renamed(value: Mapping[str, Any], names: Mapping[str, str], *, where: str) -> Json:
    _refuse(value, names.values(), where=where)
    return {names.get(key, key): content for key, content in value.items()}


def _refuse(value: Mapping[str, Any], keys: Any, *, where: str) -> None:
    newer = next((key for key in keys if key in value), None)
    if newer is not None:
        raise BadFile(f"{where} names schema 1, which has no {newer!r}")


def _each(value: Any, change: Callable[[Json], Json]) -> Any:
    """Every object of a list changed; what is no such list is left for the strict reader to refuse."""
    if not isinstance(value, list):
        return value
    return [change(item) if isinstance(item, dict) else item for item in value]


# --- postprocessing, by the name of the class that 0.1 stored ---


def _step(kind: str, **numbers: float) -> Json:
    return {"kind": kind, "numbers": numbers}


def _detections(problem: Any) -> Steps:
    facts = problem.get("facts") if isinstance(problem, dict) else None
    limit = facts.get("max_detections", _MAX_DETECTIONS) if isinstance(facts, dict) else _MAX_DETECTIONS
    return [
        _step("top_k", k=1000),
        _step("clip_boxes"),
        _step("nms", score_threshold=0.05, iou_threshold=0.5, max_detections=limit),
        _step("scale_to_image"),
    ]


def _always(*steps: Json) -> Callable[[Any], Steps]:
    return lambda _: list(steps)


_POSTPROCESS: Final[Mapping[str, Callable[[Any], Steps]]] = {
    "asgiven": _always(_step("identity")),
    "classmap": _always(_step("resize_to_image"), _step("argmax")),
    "detections": _detections,
    "picture": _always(_step("denormalise")),
    "pictures": _always(_step("denormalise")),
    "probabilities": _always(_step("softmax")),
    "unitlength": _always(_step("unit_length", min_length=1e-12)),
    "unitlengths": _always(_step("unit_length", min_length=1e-12)),
}
"""Other names are of tasks that plugins brought: what they do is not known from a bundle."""
