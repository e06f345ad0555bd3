"""The conformance kit on runtimes: those of zoo that need nothing pass, and each promise that is broken is named."""

from __future__ import annotations

import pytest

from tests.bundle.runtime.engines import catalog
from zoo.testing import Result, check_plugin


def results(engine: str, **fields: str) -> dict[str, Result]:
    score = check_plugin("simplenamespace", groups=("runtime",), catalog=catalog(engine, **fields))
    return {result.check: result for result in score.results}


@pytest.mark.parametrize(
    ("engine", "fields"),
    [("Evaluator", {}), ("Converting", {"suffix": ".own"}), ("Half", {"precision": "float16"})],
)
def test_a_runtime_that_keeps_its_promises_passes(engine: str, fields: dict[str, str]) -> None:
    assert {name: result.status for name, result in results(engine, **fields).items()} == {
        "runs": "passed",
        "repeats": "passed",
        "refuses": "passed",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "check", "detail"),
    [
        ("Half", "runs", "of its largest value, 1e-05 is allowed"),
        ("Wrong", "runs", "sums is off by"),
        ("Renaming", "runs", "outputs are ['signs', 'sums'], where ['sums', 'signs'] belong"),
        ("Narrow", "runs", "signs is int32 [1, 2], where int64 [1, 2] belongs"),
        ("Drifting", "repeats", "the same input gives other bits in a second session"),
        ("Dying", "refuses", "a broken file ends its process"),
        ("Credulous", "refuses", "it loads a file that is no graph"),
    ],
)
def test_a_broken_promise_is_named(engine: str, check: str, detail: str) -> None:
    found = results(engine)[check]
    assert (found.status, detail in found.detail) == ("failed", True), found.detail


@pytest.mark.ci
def test_those_of_zoo_pass() -> None:
    """All of them; one whose packages are missing fails here with its name."""
    score = check_plugin("zoo", groups=("runtime",))
    assert [(r.subject, r.check, r.detail) for r in score.results if r.status != "passed"] == []
    assert {result.subject for result in score.results} == {
        *(
            "zoo/mnn",
            "zoo/onnxruntime",
            "zoo/ort",
            "zoo/onnxruntime-web",
            "zoo/onnxruntime-web-chromium",
            "zoo/openvino",
        )
    }
