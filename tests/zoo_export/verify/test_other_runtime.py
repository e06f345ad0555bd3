"""`zoo export --for`: runtimes of third parties on a tiny proof, and the built-in ones on digits from end to end."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bundle.runtime.engines import catalog, runtime
from tests.conftest import Said
from zoo.api.errors import OutputExists, UsageError
from zoo.bundle.runtime.bundle import Bundle, verify_bundle
from zoo.registry.catalog import Catalog
from zoo_export.bundle.write import write
from zoo_export.export import export
from zoo_export.proof.prove import Proof
from zoo_export.verify.other_runtime import check_runtimes, judge_runtimes

DIGITS = "conv_autoencoder@digits"


def test_names_are_looked_up_before_anything_is_loaded() -> None:
    assert [found.name for found in check_runtimes(("acme", "acme"), catalog("Evaluator"))] == ["acme"]
    with pytest.raises(UsageError, match="every bundle is for onnxruntime"):
        check_runtimes(("onnxruntime",), Catalog.discover())


def test_a_runtime_that_takes_no_softmax_is_refused_and_left_out(proof: Proof, tmp_path: Path) -> None:
    judged = judge_runtimes(proof, (runtime("Limited"),), evaluate=0)
    assert (judged[0].verdict.status, judged[0].published(keep_anyway=True)) == ("FAIL", False)
    assert "Acme does not take the operator Softmax" in judged[0].verdict.sentence
    written = write(proof, tmp_path / "b", reproduce=("zoo export",), runtimes=judged, allow_unproved=True)
    assert [report.published for report in written.report.runtimes] == [False]
    assert Bundle.open(tmp_path / "b").manifest.runtimes == ()


def test_less_precision_without_evaluation_items_cannot_be_told(proof: Proof) -> None:
    judged = judge_runtimes(proof, (runtime("Half", precision="float16"),), evaluate=0)[0]
    assert judged.verdict.status == "INCONCLUSIVE"
    gates = {gate.name: gate for gate in judged.verdict.gates}
    assert "no evaluation items with a known truth" in gates["metric"].detail
    assert (gates["fidelity"].status, gates["sizes"].status, gates["determinism"].status) == ("PASS",) * 3


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that was put to every built-in runtime; a missing one fails with its name.

    Far below the limit in each: on some processors MNN is off by 8.8 times PyTorch's noise for `cnn`, and refused.
    """
    folder = tmp_path_factory.mktemp("digits") / "b"
    written = export(DIGITS, output=folder, runtimes=("ort", "openvino", "onnxruntime-web", "mnn"), evaluate=20)
    assert [report.sentence for report in written.report.runtimes if not report.published] == []
    return folder


@pytest.mark.ci
def test_every_built_in_runtime_is_proved_and_recorded(digits: Path) -> None:
    records = {record.name: record for record in Bundle.open(digits).manifest.runtimes}
    assert list(records) == ["ort", "openvino", "onnxruntime-web", "mnn"]
    assert {record.verdict for record in records.values()} == {"PASS"}
    assert records["onnxruntime-web"].provider.startswith("ONNX Runtime Web 1.30.0, wasm in Node ")
    assert records["openvino"].files == {} and len(records["mnn"].files["pipeline.onnx"]) == 2
    assert verify_bundle(digits, engine="mnn").holds
    assert verify_bundle(digits, engine="onnxruntime-web").holds
    in_browser = verify_bundle(digits, engine="onnxruntime-web-chromium")
    assert in_browser.holds
    assert re.search("wasm in Chromium [0-9]+, float32: it reproduces all 5 golden", in_browser.gates[-1].detail)


@pytest.mark.ci
def test_a_bundle_that_was_not_put_to_a_runtime_is_not_up_to_date_for_it(digits: Path) -> None:
    assert export(DIGITS, output=digits, runtimes=("mnn",), evaluate=20).up_to_date
    shutil.copytree(digits, digits.with_name("copy"))
    copy = digits.with_name("copy")
    told = json.loads((copy / "manifest.json").read_text())
    told["runtimes"] = told["runtimes"][:2]
    (copy / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(OutputExists, match="was not put to the runtime mnn"):
        export(DIGITS, output=copy, runtimes=("openvino", "mnn"), evaluate=20)


@pytest.mark.ci
def test_less_precision_is_judged_on_the_evaluation_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zoo_command: Callable[..., Said]
) -> None:
    """Half precision keeps the digits; with --against it is judged likewise."""
    whole = Catalog(plugins=(*Catalog.discover().plugins, *catalog("Half", precision="float16").plugins))
    monkeypatch.setattr(Catalog, "discover", lambda *_: whole)
    said = zoo_command(
        *("export", "cnn@digits", "--for", "acme", "--for", "openvin", "-o", str(tmp_path / "b"), "--json")
    )
    assert (said.code, "no runtime named 'openvin'" in said.err + said.out) == (2, True)
    said = zoo_command(
        "export", "cnn@digits", "--for", "acme", "-o", str(tmp_path / "b"), "--evaluate", "100", "--json"
    )
    assert (said.code, said.json["runtimes"][0]["precision"]) == (0, "float16"), said.json["runtimes"][0]["sentence"]
    assert said.json["runtimes"][0]["sentence"].startswith("within its budget in float16 in Acme 1.")
    assert said.json["runtimes"][0]["files"] == []
