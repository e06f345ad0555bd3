"""A third party's runtime in the sandbox, put to a bundle: its answers, its refusals, its crashes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.bundle.conftest import MakeBundle
from tests.bundle.runtime import graphs
from tests.bundle.runtime.engines import HERE, catalog, runtime
from tests.conftest import Said
from zoo import MissingExtra, PluginError, RuntimeSpec, SandboxError, UnknownName
from zoo.bundle.judge.gates import Gate
from zoo.bundle.runtime.bundle import verify_bundle
from zoo.bundle.sandbox.installed_runtime import ONNXRUNTIME, InstalledRuntime, find_runtime
from zoo.bundle.sandbox.limits import Limits
from zoo.bundle.sandbox.operator_sites import operator_sites
from zoo.bundle.sandbox.refusals import OperatorRefused
from zoo.bundle.sandbox.runtime import Runtime
from zoo.registry.catalog import Catalog


def gate(bundle: Path, installed: InstalledRuntime) -> Gate:
    """What a runtime makes of a bundle."""
    return next(gate for gate in verify_bundle(bundle, engine=installed).gates if gate.name == "acme")


def test_golden_cases_are_put_to_it(make_bundle: MakeBundle) -> None:
    found = gate(make_bundle(), runtime("Evaluator"))
    assert found.status == "PASS"
    assert found.detail.startswith("Acme 1.") and "numpy, float32: it reproduces all 2 golden cases" in found.detail


def test_wrong_answers_are_said_with_the_case_and_the_ratio(make_bundle: MakeBundle) -> None:
    found = gate(make_bundle(), runtime("Wrong"))
    assert found.status == "FAIL"
    assert "it answers otherwise, at worst " in found.detail and " times what the bundle allows: " in found.detail
    assert "case-0: probabilities is off by up to" in found.detail


def test_less_precision_is_named_and_not_judged_by_golden_cases(make_bundle: MakeBundle) -> None:
    found = gate(make_bundle(), runtime("Half", precision="float16"))
    assert found.status == "INCONCLUSIVE"
    assert "Acme computes in float16, and the golden cases are for single precision" in found.detail


def test_an_operator_that_it_does_not_take_is_named_with_its_node(make_bundle: MakeBundle) -> None:
    found = gate(make_bundle(), runtime("Limited"))
    assert found.status == "FAIL"
    assert "loading pipeline.onnx failed: Acme does not take the operator Softmax (node " in found.detail


def test_the_module_of_an_operator_is_that_of_the_nearest_weight() -> None:
    model = graphs.linear()
    model.graph.initializer[0].name = "head.fc.weight"
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            if name == graphs.linear().graph.initializer[0].name:
                node.input[index] = "head.fc.weight"
    last = model.graph.node[-1]
    last.name = "last"
    said = operator_sites(model.SerializeToString(), last.op_type)
    assert said == f"{last.op_type} (node last, in or beside the module head.fc)"
    assert operator_sites(model.SerializeToString(), "Foo") == "Foo"


def test_the_own_format_of_onnx_runtime_brings_the_operators_that_a_build_needs() -> None:
    x = np.ones((2, 4), np.float32)
    with Runtime(engine=find_runtime("ort")) as sandbox:
        files = sandbox.convert(graphs.linear().SerializeToString(), title="model.onnx")
        assert sandbox.run(sandbox.own_session(files), {"x": x})["y"].tolist() == [[13, 15], [13, 15]]
    config = "model.required_operators_and_types.config"
    assert list(files) == ["model.ort", config]
    assert files["model.ort"][4:8] == b"ORTM"
    lines = files[config].decode().splitlines()
    assert lines[1] == "# - model.ort"
    assert lines[2].startswith(("ai.onnx;", "com.microsoft;"))


def test_its_own_file_is_made_and_loaded_again() -> None:
    x = np.ones((2, 4), np.float32)
    with Runtime(engine=runtime("Converting", suffix=".own")) as sandbox:
        data = graphs.linear().SerializeToString()
        assert sandbox.run(sandbox.session(data, title="model.onnx"), {"x": x})["y"].tolist() == [[13, 15], [13, 15]]
        files = sandbox.convert(data, title="model.onnx")
        assert list(files) == ["model.own", "model.json"] and files["model.own"] == data
        assert sandbox.run(sandbox.own_session(files), {"x": x})["y"].tolist() == [[13, 15], [13, 15]]


def test_a_crash_is_one_sentence() -> None:
    with Runtime(engine=runtime("Dying")) as sandbox, pytest.raises(SandboxError, match="crashed Acme"):
        sandbox.session(graphs.linear().SerializeToString())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits processor time")
def test_the_limit_of_processor_time_is_of_one_call_in_processes_of_the_engine_too() -> None:
    """Three runs of a second each, where a call may take two: Node did the work of a whole proof under one limit."""
    limits = Limits(cpu_seconds=2, wall_seconds=60)
    with Runtime(engine=runtime("Outsourcing"), limits=limits) as sandbox:
        session = sandbox.session(graphs.linear().SerializeToString())
        for _ in range(4):
            assert sandbox.run(session, {"x": np.ones((2, 4), np.float32)})["y"].tolist() == [[13, 15], [13, 15]]


def test_a_refusal_keeps_the_process() -> None:
    with Runtime(engine=runtime("Limited")) as sandbox:
        with pytest.raises(OperatorRefused) as refused:
            sandbox.session(graphs.softmax().SerializeToString())
        assert refused.value.operator == "Softmax"
        assert sandbox.session(graphs.linear().SerializeToString()).outputs[0].name == "y"


def test_an_engine_that_does_not_exist_is_said() -> None:
    with Runtime(engine=runtime("Missing")) as sandbox, pytest.raises(SandboxError, match="has no attribute 'Missing'"):
        sandbox.session(graphs.linear().SerializeToString())


def test_names() -> None:
    assert find_runtime("onnxruntime") is ONNXRUNTIME
    assert find_runtime("zoo/onnxruntime") is ONNXRUNTIME
    with pytest.raises(UnknownName) as unknown:
        find_runtime("openvin")
    assert "openvino" in unknown.value.hint
    assert runtime("Evaluator").name == "acme"


def test_what_it_needs_is_looked_for_before_it_is_started() -> None:
    with pytest.raises(PluginError, match=r"could not set up simplenamespace/acme: KeyError: 'HOUSE'"):
        runtime("Evaluator", setup=f"{HERE}_setup:homeless")
    with pytest.raises(MissingExtra, match="a board is needed"):
        runtime("Evaluator", setup=f"{HERE}_setup:boardless")
    assert runtime("Evaluator", setup=f"{HERE}_setup:here").setup == "/tmp"


def test_a_missing_extra_is_named_with_the_line_of_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Catalog, "missing", lambda *_: ("openvino>=2026.1,<2027",))
    with pytest.raises(MissingExtra) as missing:
        find_runtime("openvino")
    assert "zoo/openvino needs openvino>=2026.1,<2027, not installed here" in missing.value.message
    assert missing.value.hint == "pip install 'edgezoo[openvino]'"


@pytest.mark.parametrize("field", [{"suffix": "mnn"}, {"memory_mb": 0}, {"engine": "no reference"}, {"name": "A"}])
def test_a_wrong_declaration_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        RuntimeSpec(**{"name": "acme", "title": "Acme", "engine": "a:b", **field})  # type: ignore[arg-type]


def test_an_unknown_runtime_is_one_sentence(make_bundle: MakeBundle, zoo_command: Callable[..., Said]) -> None:
    said = zoo_command("verify", str(make_bundle()), "--runtime", "openvinno")
    assert (said.code, "no runtime named 'openvinno'" in said.err, "did you mean openvino?" in said.err) == (
        2,
        True,
        True,
    )
    said = zoo_command("list", "--runtimes", "--json")
    assert [row["name"] for row in said.json] == [
        *(
            "zoo/mnn",
            "zoo/onnxruntime",
            "zoo/onnxruntime-web",
            "zoo/onnxruntime-web-chromium",
            "zoo/openvino",
            "zoo/ort",
        )
    ]
    assert zoo_command("info", "onnxruntime-web").code == 0
    assert zoo_command("list", "--runtimes", "--callbacks").code == 2


def test_a_plugin_of_a_runtime_is_called_by_its_full_name_where_zoo_has_one_of_that_name() -> None:
    both = Catalog(plugins=(*Catalog.discover().plugins, *catalog("Evaluator", name="openvino").plugins))
    assert both.runtime("openvino").plugin.name == "zoo"
    assert both.runtime("simplenamespace/openvino").spec.title == "Acme"
