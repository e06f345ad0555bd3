"""Controls must be noticed for what they spoil: not because a silent unit hides them, nor because cases are few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.healthy import healthy_evidence
from zoo.api.task import Case, Control, Port, Signature
from zoo.bundle.judge.evidence import LiveOutput
from zoo.bundle.judge.verdict import killing_gates
from zoo.bundle.runtime.sandbox import Runtime
from zoo_export.capture.capture import MODEL
from zoo_export.controls.mutants import Spoilt, spoil_model, spoil_pipeline
from zoo_export.controls.mutations import scale, training, weight
from zoo_export.controls.verdicts import SAME, judge_spoilt
from zoo_export.proof.prove import Proof
from zoo_export.runtime.runs import Trial, chosen

SIGNATURE = Signature(
    inputs=(Port(name="input", dtype="float32", shape=("batch", 2)),),
    outputs=(Port(name="logits", dtype="float32", shape=("batch", 2)),),
)
CASES = [
    Case(name=f"case {seed}", kind="uniform", inputs={"input": np.full((1, 2), 0.25 * (seed + 1), np.float32)})
    for seed in range(3)
]


def two_layers(*, bias: tuple[float, float]) -> onnx.ModelProto:
    """A hidden layer of two units, of which the first has the largest weight; then two logits."""
    values = {
        "first.weight": np.array([[9.0, 1.0], [1.0, 1.0]], np.float32),
        "first.bias": np.array(bias, np.float32),
        "second.weight": np.array([[1.0, 3.0], [1.0, 2.0]], np.float32),
        "second.bias": np.zeros(2, np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["input", "first.weight", "first.bias"], ["hidden"]),
            helper.make_node("Relu", ["hidden"], ["live"]),
            helper.make_node("Gemm", ["live", "second.weight", "second.bias"], ["logits"], transB=1),
        ],
        "two layers",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


@pytest.mark.parametrize(
    ("bias", "spoilt"), [((0.0, 0.0), "first.weight[0, 0]"), ((-100.0, 0.0), "second.weight[0, 1]")]
)
def test_the_weight_of_a_silent_unit_is_passed_over(bias: tuple[float, float], spoilt: str) -> None:
    model = two_layers(bias=bias)
    with Runtime() as runtime:
        loaded = runtime.session(model.SerializeToString())
        found = spoil_model(Control(name="weight"), model, CASES, SIGNATURE, runtime=runtime, loaded=loaded)
        sound = runtime.run(loaded, CASES[0].inputs)["logits"]
    assert found.detail.startswith(f"the sign of {spoilt} changed")
    assert found.trial is not None
    given = found.trial.given[0]
    assert not isinstance(given, str)
    assert not np.array_equal(given["logits"], sound)


def normalised_layers() -> onnx.ModelProto:
    """Two layers and a norm behind them, which undoes any scale of the second, but not of the biased first."""
    model = two_layers(bias=(0.5, 2.0))
    graph = model.graph
    graph.node[-1].output[0] = "raw"
    del graph.node[-1].input[2]
    graph.node.append(helper.make_node("LpNormalization", ["raw"], ["logits"], axis=1, p=2))
    return model


def test_a_scale_that_a_norm_undoes_is_passed_over() -> None:
    model = normalised_layers()
    with Runtime() as runtime:
        loaded = runtime.session(model.SerializeToString())
        found = spoil_model(Control(name="scale"), model, CASES, SIGNATURE, runtime=runtime, loaded=loaded)
    assert found.detail == "first.weight times 1.001 (no case hears the same done elsewhere)"


def test_a_scale_that_is_heard_stays_at_the_last_layer() -> None:
    model = two_layers(bias=(0.5, 2.0))
    with Runtime() as runtime:
        loaded = runtime.session(model.SerializeToString())
        found = spoil_model(Control(name="scale"), model, CASES, SIGNATURE, runtime=runtime, loaded=loaded)
    assert found.detail == "second.weight times 1.001"


def test_a_bias_that_a_softmax_undoes_is_passed_over() -> None:
    model = two_layers(bias=(0.5, 2.0))
    last = next(tensor for tensor in model.graph.initializer if tensor.name == "second.bias")
    last.CopyFrom(numpy_helper.from_array(np.full(2, 3.0, np.float32), last.name))
    model.graph.node[-1].output[0] = "raw"
    model.graph.node.append(helper.make_node("Softmax", ["raw"], ["logits"], axis=1))
    with Runtime() as runtime:
        loaded = runtime.session(model.SerializeToString())
        found = spoil_model(Control(name="bias"), model, CASES, SIGNATURE, runtime=runtime, loaded=loaded)
    assert found.detail == "first.bias set to zero (no case hears the same done elsewhere)"


def test_of_classes_that_are_one_twice_another_pair_is_exchanged() -> None:
    rows = np.array([[1.0, 2.0], [1.0, 2.0], [3.0, 1.0]], np.float32)
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["input", "rows"], ["logits"], transB=1)],
        "three classes, two of them alike",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(rows, "rows")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    with Runtime() as runtime:
        loaded = runtime.session(model.SerializeToString())
        found = spoil_model(Control(name="classes"), model, CASES, SIGNATURE, runtime=runtime, loaded=loaded)
    assert found.detail == "rows 0 and 2 of logits exchanged (no case hears the same done elsewhere)"


def test_the_tables_of_a_model_without_layers_are_spoilt() -> None:
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "tokens"], ["vectors"])],
        "an embedding alone",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch"])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(np.array([[1.0, 2.0], [5.0, 3.0]], np.float32), "table")],
    )
    model = helper.make_model(graph)
    made = [weight(model), scale(model)]
    assert [one[1] for one in made if one is not None] == ["the sign of table[1, 0] changed", "table times 1.001"]


def test_a_copy_that_is_the_same_graph_is_called_equivalent() -> None:
    model = two_layers(bias=(0.5, 2.0))
    for tensor in model.graph.initializer:
        if tensor.name == "second.weight":
            tensor.CopyFrom(numpy_helper.from_array(np.zeros((2, 2), np.float32), tensor.name))
    made, proof = scale(model), healthy_evidence()
    assert made is not None
    sound = proof.graphs[0]
    same = judge_spoilt(Spoilt(name="scale", detail="changed", model=made[0]), proof, sound, original=model)
    assert (same.killed_by, same.equivalence) == ((), SAME)
    other = judge_spoilt(Spoilt(name="scale", detail="changed", model=onnx.ModelProto()), proof, sound, original=model)
    assert (other.killed_by, other.equivalence) == ((), "")


def test_a_gate_that_the_sound_graph_fails_as_well_has_noticed_nothing() -> None:
    proof = healthy_evidence()
    sound = proof.graphs[0]
    dead = (LiveOutput(name="y", inputs=2, spread=0.0, noise=0.0, onnx_spread=0.0),)  # two cases that are alike
    few = replace(sound, liveness=dead)
    spoilt = Spoilt(name="weight", detail="changed", model=onnx.ModelProto())
    assert killing_gates(replace(proof, graphs=(few, proof.graphs[1]))) == ("liveness",)
    assert judge_spoilt(spoilt, proof, few).killed_by == ("liveness",)  # the naive count: a catch
    assert judge_spoilt(spoilt, proof, few, sham=few).killed_by == ()
    random = replace(
        few, determinism=None if few.determinism is None else replace(few.determinism, runtime_equal=False)
    )
    assert judge_spoilt(spoilt, proof, random, sham=few).killed_by == ("determinism",)


@pytest.mark.parametrize(("name", "caught"), [("twisted", ()), ("batch", ("parity",))])
def test_a_copy_that_does_not_run_has_put_no_check_to_the_test(name: str, caught: tuple[str, ...]) -> None:
    proof = healthy_evidence()
    sound = proof.graphs[0]
    broken = replace(sound, cases=tuple(replace(case, error="invalid graph", outputs=()) for case in sound.cases))
    trial = Trial(given=("invalid graph",) * 2)
    spoilt = Spoilt(name=name, detail="changed", model=onnx.ModelProto(), trial=trial)
    assert killing_gates(replace(proof, graphs=(broken, proof.graphs[1]))) == ("parity",)  # the naive count: a catch
    found = judge_spoilt(spoilt, proof, broken, sham=sound)
    assert (found.applied, found.killed_by) == (True, caught)
    assert ("it does not run, which proves nothing: invalid graph" in found.detail) == (not caught)


def test_a_trial_of_few_cases_is_that_of_all_cut_down() -> None:
    whole = Trial(given=("a", "b", "c"), by_batch={1: ((0, "a"),), 3: ((0, "a"), (1, "b"), (2, "c"))}, equal=True)
    found = chosen(whole, (2, 0))
    assert found.given == ("c", "a")
    assert found.by_batch == {1: ((1, "a"),), 3: ((1, "a"), (0, "c"))}


@pytest.mark.slow
def test_the_layer_in_training_mode_is_noticed_by_its_answers(proof: Proof) -> None:
    made = training(proof.exported.models[MODEL])
    assert made is not None
    onnx.checker.check_model(made[0])
    (control,) = [control for control in proof.evidence.mutants if control.name == "training"]
    assert {"eval mode", "determinism", "parity"} <= set(control.killed_by)


def test_the_layer_in_training_mode_draws_anew_each_time_and_the_same_in_every_proof() -> None:
    made = training(two_layers(bias=(2.0, 0.5)))
    assert made is not None
    spoilt, detail = made
    assert detail == "a live dropout behind hidden"
    wide = {"input": np.ones((64, 2), np.float32)}
    with Runtime() as runtime:
        sessions = [runtime.session(spoilt.SerializeToString()) for _ in range(2)]
        one, other = ([runtime.run(session, wide)["logits"].tobytes() for _ in range(2)] for session in sessions)
    assert one[0] != one[1]
    assert one == other


def negated(model: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """The other sign."""
    model.graph.node[0].op_type = "Neg"
    return model


def test_a_tasks_own_control_is_put_to_every_kind_of_case_however_long_the_data_s_texts_are() -> None:
    port = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "length"]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", port[:1], port[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    sides = [Port(name=name, dtype="float32", shape=("batch", "length")) for name in ("x", "y")]
    kinds = {"realistic": 500, "short": 5, "shortest": 1, "padded": 33, "uniform": 33, "extreme": 900}
    cases = [
        Case(name=kind, kind=kind, inputs={"x": np.ones((1, size), np.float32)}, gates=kind != "extreme")
        for kind, size in kinds.items()
    ]
    control = Control(name="own", edit=f"{__name__}:negated")
    with Runtime() as runtime:
        found = spoil_pipeline(
            control, model, cases, Signature(inputs=tuple(sides[:1]), outputs=tuple(sides[1:])), runtime
        )
    assert {cases[place].kind for place in found.places} == {*kinds} - {"extreme"}
    assert found.trial is not None and all(not isinstance(one, str) for one in found.trial.given)
