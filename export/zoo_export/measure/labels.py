"""Do the class names in the files stand for what they stood for in training?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from zoo.api.problem import Problem
from zoo.api.task import Case, Signature
from zoo.bundle.judge.evidence import Labels
from zoo.bundle.runtime.consistency import classes_sha256
from zoo_export.capture.onnx_graph import PREFIX
from zoo_export.reference.oracle import Answer
from zoo_export.subject.results import Given

CLEAR = 10.0
"""How many times its own noise an answer must lead by for its class to be beyond doubt."""


def classes_of(model: onnx.ModelProto) -> list[str] | None:
    """The class names that a graph carries, in index order."""
    text = next((entry.value for entry in model.metadata_props if entry.key == f"{PREFIX}classes"), None)
    found = None if text is None else json.loads(text)
    return found if isinstance(found, list) and all(isinstance(name, str) for name in found) else None


def measure_labels(
    problem: Problem,
    files: Mapping[str, onnx.ModelProto],
    *,
    signature: Signature,
    cases: Sequence[Case],
    answers: Sequence[Answer | str],
    given: Sequence[Given],
) -> Labels:
    """The names in every file, and whether items of a known class keep the name of their class."""
    names = {name: classes_of(model) for name, model in files.items()}
    carried = names.get("pipeline.onnx") or list(problem.classes)
    known = right = 0
    for port in signature.outputs:
        if len(problem.classes) < 2 or port.shape[-1:] != (len(problem.classes),) or not port.dtype.startswith("float"):
            continue
        for case, answer, one in zip(cases, answers, given, strict=True):
            if case.truth is None or isinstance(answer, str) or isinstance(one, str) or port.name not in one:
                continue
            if not _clear(answer, port.name):
                continue
            known += 1
            there, here = int(one[port.name].argmax()), int(answer.reference[port.name].argmax())
            right += there < len(carried) and carried[there] == problem.classes[here]
    return Labels(
        classes=len(problem.classes),
        expected_sha256=classes_sha256(problem.classes),
        files={name: None if found is None else classes_sha256(found) for name, found in names.items()},
        known=known,
        known_right=right,
    )


def _clear(answer: Answer, name: str) -> bool:
    values = np.sort(answer.reference[name].ravel())
    noise = answer.noise[name].max
    return values.size > 1 and noise is not None and bool(values[-1] - values[-2] > CLEAR * noise)
