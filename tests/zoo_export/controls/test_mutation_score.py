"""Mutants must be killed for what they change, and not survive because a unit is zero or because cases are few."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.healthy import healthy_evidence
from zoo.api.problem import Problem, TableInput
from zoo.api.task import Case, Control, Port, Signature
from zoo.bundle.judge.evidence import LiveOutput, Magnitude
from zoo.bundle.judge.verdict import killing_gates
from zoo.bundle.sandbox.runtime import Runtime
from zoo_export.capture.capture import MODEL, Exported, GraphFile
from zoo_export.capture.compose import Pipeline
from zoo_export.capture.stored_model import StoredModel
from zoo_export.capture.torch_export import Graph
from zoo_export.controls.graph_edits import scale, training, weight
from zoo_export.controls.mutants import (
    Mutant,
    NotApplied,
    alike_cases,
    model_mutant,
    pipeline_mutant,
    run_unmutated,
)
from zoo_export.controls.mutation_score import SAME, Unmutated, mutation_score, planned, score
from zoo_export.measure.graph import measure_graph
from zoo_export.measure.graph_run import Declared, GraphRun
from zoo_export.proof.prove import Proof
from zoo_export.reference.oracle import ReferenceOutputs
from zoo_export.subject.results import Failed, RuntimeOutputs, RuntimeResult

SIGNATURE = Signature(
    inputs=(Port(name="input", dtype="float32", shape=("batch", 2)),),
    outputs=(Port(name="logits", dtype="float32", shape=("batch", 2)),),
)
CASES = [
    Case(name=f"case {seed}", kind="uniform", inputs={"input": np.full((1, 2), 0.25 * (seed + 1), np.float32)})
    for seed in range(3)
]


def file_of(model: onnx.ModelProto, *, cases: list[Case] = CASES, signature: Signature = SIGNATURE) -> GraphFile:
    """The graph as the model of an export."""
    return GraphFile(
        name=MODEL,
        role="model",
        stored=StoredModel.of(model),
        sha256="0" * 64,
        signature=signature,
        cases=tuple(cases),
        example={},
        guard_violations=(),
    )


def mutant_of(name: str, model: onnx.ModelProto, runtime: Runtime) -> Mutant:
    """One mutant of the model, beside the unmutated one."""
    file = file_of(model)
    indices = alike_cases(file.cases)
    unmutated = run_unmutated(runtime, runtime.session(file.data), file, indices)
    mutant = model_mutant(runtime, name, file, indices, unmutated=unmutated)
    assert isinstance(mutant, Mutant)
    return mutant


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
    ("bias", "mutated"), [((0.0, 0.0), "first.weight[0, 0]"), ((-100.0, 0.0), "second.weight[0, 1]")]
)
def test_the_weight_of_a_unit_that_is_always_zero_is_passed_over(bias: tuple[float, float], mutated: str) -> None:
    model = two_layers(bias=bias)
    with Runtime() as runtime:
        found = mutant_of("weight", model, runtime)
        unmutated = runtime.run(runtime.session(model.SerializeToString()), CASES[0].inputs)["logits"]
    assert found.detail.startswith(f"the sign of {mutated} changed")
    outputs = found.result.outputs[0]
    assert not isinstance(outputs, Failed)
    assert not np.array_equal(outputs["logits"], unmutated)


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
        found = mutant_of("scale", model, runtime)
    assert found.detail == "first.weight times 1.001 (the same in other layers changes no case)"


def test_a_scale_that_changes_the_outputs_stays_at_the_last_layer() -> None:
    model = two_layers(bias=(0.5, 2.0))
    with Runtime() as runtime:
        found = mutant_of("scale", model, runtime)
    assert found.detail == "second.weight times 1.001"


def test_a_bias_that_a_softmax_undoes_is_passed_over() -> None:
    model = two_layers(bias=(0.5, 2.0))
    last = next(tensor for tensor in model.graph.initializer if tensor.name == "second.bias")
    last.CopyFrom(numpy_helper.from_array(np.full(2, 3.0, np.float32), last.name))
    model.graph.node[-1].output[0] = "raw"
    model.graph.node.append(helper.make_node("Softmax", ["raw"], ["logits"], axis=1))
    with Runtime() as runtime:
        found = mutant_of("bias", model, runtime)
    assert found.detail == "first.bias set to zero (the same in other layers changes no case)"


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
        found = mutant_of("classes", model, runtime)
    assert found.detail == "rows 0 and 2 of logits exchanged (the same in other layers changes no case)"


def test_the_tables_of_a_model_without_layers_are_mutated() -> None:
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "tokens"], ["vectors"])],
        "an embedding alone",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch"])],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(np.array([[1.0, 2.0], [5.0, 3.0]], np.float32), "table")],
    )
    model = helper.make_model(graph)
    mutated = [weight(model), scale(model)]
    assert [one.detail for one in mutated if one is not None] == [
        "the sign of table[1, 0] changed",
        "table times 1.001",
    ]


def mutant(name: str, *, model: onnx.ModelProto | None = None, outputs: tuple[RuntimeOutputs, ...] = ()) -> Mutant:
    """A mutant that only says what it is."""
    result = RuntimeResult(outputs=outputs)
    model = onnx.ModelProto() if model is None else model
    return Mutant(name=name, role="model", detail="changed", model=model, indices=(), result=result)


def test_a_copy_that_is_the_same_graph_is_called_equivalent() -> None:
    model = two_layers(bias=(0.5, 2.0))
    for tensor in model.graph.initializer:
        if tensor.name == "second.weight":
            tensor.CopyFrom(numpy_helper.from_array(np.zeros((2, 2), np.float32), tensor.name))
    mutated, proof = scale(model), healthy_evidence()
    assert mutated is not None
    unmutated = proof.graphs[0]
    same = score(mutant("scale", model=mutated.model), proof, unmutated, original=lambda: model)
    assert (same.killed_by, same.equivalence) == ((), SAME)
    other = score(mutant("scale"), proof, unmutated, original=lambda: model)
    assert (other.killed_by, other.equivalence) == ((), "")


def test_a_gate_that_fails_on_the_unmutated_graph_as_well_has_killed_nothing() -> None:
    proof = healthy_evidence()
    unmutated = proof.graphs[0]
    dead = (LiveOutput(name="y", inputs=2, spread=0.0, noise=0.0, onnx_spread=0.0),)  # two cases that are alike
    few = replace(unmutated, liveness=dead)
    weak = mutant("weight")
    assert killing_gates(replace(proof, graphs=(few, proof.graphs[1]))) == ("liveness",)
    assert score(weak, proof, few).killed_by == ("liveness",)  # the naive count: a catch
    assert score(weak, proof, few, baseline=few).killed_by == ()
    random = replace(
        few, determinism=None if few.determinism is None else replace(few.determinism, runtime_equal=False)
    )
    assert score(weak, proof, random, baseline=few).killed_by == ("determinism",)


@pytest.mark.parametrize(("name", "caught"), [("twisted", ()), ("batch", ("parity",))])
def test_a_copy_that_does_not_run_has_put_no_check_to_the_test(name: str, caught: tuple[str, ...]) -> None:
    proof = healthy_evidence()
    unmutated = proof.graphs[0]
    cases = tuple(replace(case, error="invalid graph", outputs=()) for case in unmutated.cases)
    broken = replace(unmutated, cases=cases)
    refused = mutant(name, outputs=(Failed("invalid graph"),) * 2)
    assert killing_gates(replace(proof, graphs=(broken, proof.graphs[1]))) == ("parity",)  # the naive count: a catch
    found = score(refused, proof, broken, baseline=unmutated)
    assert (found.applied, found.killed_by) == (True, caught)
    assert ("it does not run, which proves nothing: invalid graph" in found.detail) == (not caught)


def test_a_result_on_few_cases_is_that_of_all_cut_down() -> None:
    a, b, c = ({"y": np.array([float(number)])} for number in range(3))
    whole = RuntimeResult(outputs=(a, b, c), by_batch={1: ((0, a),), 3: ((0, a), (1, b), (2, c))}, repeats_equal=True)
    few = whole.on((2, 0))
    assert few.outputs == (c, a)
    assert few.by_batch == {1: ((1, a),), 3: ((1, a), (0, c))}
    assert few.repeats_equal


def test_of_a_model_alone_only_its_own_mutants_are_planned() -> None:
    whole = {control.name: control.applies for control in planned((), SIGNATURE)}
    alone = {control.name: control.applies for control in planned((), SIGNATURE, whole=False)}
    assert all(whole.values())
    assert {name for name, applies in alone.items() if not applies} == {"normalisation", "channels", "resize"}


@pytest.mark.slow
def test_the_layer_in_training_mode_is_killed_by_its_answers(proof: Proof) -> None:
    mutated = training(proof.exported.file(MODEL).model)
    assert mutated is not None
    onnx.checker.check_model(mutated.model)
    (control,) = [control for control in proof.evidence.mutants if control.name == "training"]
    assert {"eval mode", "determinism", "parity"} <= set(control.killed_by)


def test_the_layer_in_training_mode_draws_anew_each_time_and_the_same_in_every_proof() -> None:
    mutated = training(two_layers(bias=(2.0, 0.5)))
    assert mutated is not None
    assert mutated.detail == "a live dropout behind hidden"
    wide = {"input": np.ones((64, 2), np.float32)}
    with Runtime() as runtime:
        sessions = [runtime.session(mutated.model.SerializeToString()) for _ in range(2)]
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
    signature = Signature(inputs=tuple(sides[:1]), outputs=tuple(sides[1:]))
    with Runtime() as runtime:
        found = pipeline_mutant(runtime, control, model, file_of(model, cases=cases, signature=signature))
    assert {cases[index].kind for index in found.indices} == {*kinds} - {"extreme"}
    assert not any(isinstance(outputs, Failed) for outputs in found.result.outputs)


def test_a_graph_without_anything_to_mutate_has_no_mutant() -> None:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["input"], ["logits"])],
        "nothing to learn",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 2])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
    )
    file = file_of(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10))
    with Runtime() as runtime:
        found = model_mutant(runtime, "bias", file, (0, 1))
    assert found == NotApplied(name="bias", reason="this graph has nothing that bias could change")


def test_a_mutant_s_few_cases_are_judged_by_the_noise_of_all() -> None:
    """Of three cases PyTorch is exact by luck in the one that the mutant runs on, and the sound file is not."""
    rounding = (1e-7, 4e-7, 4e-7)
    references = tuple(
        ReferenceOutputs(
            reference={"logits": np.array([[1.0 + index, 2.0]])},
            single={"logits": np.array([[1.0 + index, 2.0]], np.float32)},
            noise={"logits": Magnitude(rms=noise, max=noise)},
        )
        for index, noise in enumerate(rounding)
    )
    right = tuple({"logits": (expected.reference["logits"] + 1.6e-6).astype(np.float32)} for expected in references)
    wrong = ({"logits": np.array([[1.2, 2.0]], np.float32)},)
    run = GraphRun(
        file=replace(file_of(two_layers(bias=(0.5, 2.0))), example={"input": (1, 2)}),
        references=references,
        result=RuntimeResult(outputs=right, by_batch={1: tuple(enumerate(right))}, repeats_equal=True),
    )
    declared = Declared(opset=18)
    proof = replace(healthy_evidence(), graphs=(measure_graph(run, declared=declared), healthy_evidence().graphs[1]))
    assert "parity" not in killing_gates(proof)
    alone = replace(proof, graphs=(measure_graph(run.on((0,)), declared=declared), proof.graphs[1]))
    assert "parity" in killing_gates(alone)  # the one case without the others' noise
    wrong_mutant = replace(mutant("weight", outputs=wrong), indices=(0,))
    unmutated = Unmutated(
        evidence=proof,
        exported=Exported(
            graph=Graph(shipped=run.file.stored, plain=run.file.stored, signature=SIGNATURE, modules={}),
            composed=Pipeline(shipped=run.file.stored, preprocess=run.file.model, outer=run.file.model),
            graphs=(run.file,),
        ),
        runs={MODEL: run},
        declared=declared,
        problem=Problem(task="two logits", input=TableInput(features=2), classes=("no", "yes")),
        preprocessed=(),
        answers=None,
    )
    (found,) = mutation_score([Control(name="weight")], {"weight": wrong_mutant}, unmutated)
    assert "parity" in found.killed_by
