from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper

from tests.builtin import builtin_task, read_one
from zoo.api.data import DataRequest
from zoo.api.errors import BadFile
from zoo.api.parts import Task
from zoo.api.problem import Problem, TokenInput
from zoo.api.task import Case, Purpose
from zoo.bundle.runtime.task_source import task_source
from zoo.data.text.controls import forget_state, ignore_lengths, shift_vocabulary
from zoo.data.text.metrics import TextClassificationMetrics
from zoo.tasks.bases.sequences import negative_log_likelihood
from zoo.tasks.text_generation import device as writer


def quiet(done: int, total: int) -> None:
    """Nobody looks at the progress."""


LETTERS = ("<pad>", "<unk>", "\n", "a", "b", "c", " ")
CLASSES = Problem(task="text-classification", input=TokenInput(), classes=("x", "y", "z"), vocabulary=LETTERS)
TEXT = Problem(task="text-generation", input=TokenInput(), vocabulary=LETTERS)


def test_both_are_tasks_and_only_one_answers_in_many_runs() -> None:
    tasks: tuple[Task, ...] = (builtin_task("text-classification"), builtin_task("text-generation"))
    assert [task.tags.generative for task in tasks] == [False, True]


def test_the_vocabulary_is_that_of_the_training_texts() -> None:
    task = builtin_task("text-classification")
    card = task.data.check(task.data.detect(DataRequest(source="names")), progress=quiet)
    problem = task.problem(card, TokenInput())
    assert len(problem.vocabulary) == 189
    assert problem.vocabulary[:4] == ("<pad>", "<unk>", "a", "i")
    assert len(card.classes) == 20
    words = task.problem(card, TokenInput(unit="token", vocabulary_limit=50))
    assert len(words.vocabulary) == 50


# --- reading and showing ---


def test_a_text_becomes_tokens_and_their_length(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("ab?\n")
    given = read_one(builtin_task("text-classification"), file, CLASSES)
    assert given["tokens"].tolist() == [[3, 4, 1]]
    assert given["lengths"].tolist() == [3]
    assert builtin_task("text-classification").data.read_text(" ab?", CLASSES)["tokens"].tolist() == [[3, 4, 1]]


def test_a_text_that_is_too_long_is_cut() -> None:
    short = Problem(task="t", input=TokenInput(max_length=2), classes=CLASSES.classes, vocabulary=LETTERS)
    assert builtin_task("text-classification").data.read_text("abc", short)["lengths"].tolist() == [2]


@pytest.mark.parametrize("content", [b"  \n", b"\xff\xfe"])
def test_a_file_that_is_empty_or_no_text_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    with pytest.raises(BadFile, match=r"a\.txt cannot be read as text"):
        read_one(builtin_task("text-classification"), file, CLASSES)


def test_the_likeliest_classes_are_shown_first() -> None:
    case = Case(
        name="a", kind="file", inputs=builtin_task("text-classification").data.read_text("abc", CLASSES), truth=1
    )
    answer = {"probabilities": np.array([[0.2, 0.7, 0.1]], np.float32)}
    shown = builtin_task("text-classification").answers.show(case, answer, CLASSES, limit=2)
    assert [line.split()[-1] for line in shown.text.splitlines()] == ["y", "x"]
    assert (shown.record["text"], shown.record["truth"]) == ("abc", "y")


def test_writing_goes_on_from_the_prompt_with_the_state_fed_back() -> None:
    received = []

    def run(feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        received.append((feeds["tokens"].tolist(), float(feeds["state"][0])))
        logits = np.full((1, feeds["tokens"].shape[1], len(LETTERS)), -9.0)
        logits[0, -1, 3 + len(received) % 3] = 9.0  # b, c, a, b …
        logits[0, -1, 1] = 99.0  # a special token is never written
        return {"logits": logits, "state_out": feeds["state"] + 1}

    inputs = {**builtin_task("text-generation").data.read_text("ab", TEXT), "state": np.zeros(1)}
    answer = writer.generate(run, inputs, {"state": "state_out"}, {}, {"length": 4, "temperature": 0, "seed": 0})
    assert writer.show(answer, {"vocabulary": LETTERS}) == "abbcab"
    assert received == [([[2, 3, 4]], 0.0), ([[4]], 1.0), ([[5]], 2.0), ([[3]], 3.0), ([[4]], 4.0)]


def test_a_higher_temperature_is_more_various() -> None:
    logits = np.array([0, 0, 5.0, 4.0, 3.0, 2.0, 1.0])

    def drawn(temperature: float) -> list[int]:
        generator = np.random.default_rng(0)
        return [writer.sample(logits, temperature=temperature, generator=generator) for _ in range(300)]

    assert set(drawn(0)) == {2}
    assert len(set(drawn(0.05))) == 1
    assert set(drawn(5.0)) == {2, 3, 4, 5, 6}
    share = drawn(1.0).count(2) / 300
    assert abs(share - 0.636) < 0.06  # e^5 / (e^5 + e^4 + e^3 + e^2 + e^1)


def test_the_runners_stand_alone(tmp_path: Path) -> None:
    for task, name in ((builtin_task("text-classification"), "one"), (builtin_task("text-generation"), "two")):
        source = task_source(task.device(CLASSES))
        assert "zoo" not in [line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith("from")]
        space: dict[str, object] = {}
        exec(compile(source, name, "exec"), space)
        assert callable(space["read"])
        assert callable(space["read_text"])
        assert callable(space["show"])


# --- measuring ---


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize(
    "task", [builtin_task("text-classification"), builtin_task("text-generation")], ids=lambda task: task.name
)
def test_cases_fit_the_signature_and_repeat(task: Task, purpose: Purpose) -> None:
    problem = CLASSES if task.name == "text-classification" else TEXT
    cases = list(task.answers.cases(None, problem, purpose, limit=6))
    again = list(task.answers.cases(None, problem, purpose, limit=6))
    assert cases
    for case, other in zip(cases, again, strict=True):
        assert set(case.inputs) == {port.name for port in task.graphs.signatures(problem).pipeline.inputs}
        assert all(np.array_equal(case.inputs[name], other.inputs[name]) for name in case.inputs)
        tokens = case.inputs["tokens"]
        assert tokens.dtype == np.int64
        assert tokens.min() >= 0
        assert tokens.max() < len(LETTERS)
        if "lengths" in case.inputs:
            assert 1 <= int(case.inputs["lengths"][0]) <= tokens.shape[1]


def test_the_lengths_1_5_and_33_and_padding_are_among_the_first_cases() -> None:
    cases = list(builtin_task("text-classification").answers.cases(None, CLASSES, Purpose.PIPELINE, limit=6))
    assert {1, 5, 33} <= {case.inputs["tokens"].shape[1] for case in cases}
    padded = [case for case in cases if case.inputs["lengths"][0] < case.inputs["tokens"].shape[1]]
    assert len(padded) >= 2
    lengths = [
        case.inputs["tokens"].shape[1]
        for case in builtin_task("text-generation").answers.cases(None, TEXT, Purpose.PIPELINE, limit=6)
    ]
    assert {1, 5, 33} <= set(lengths)


def test_the_truth_of_a_name_is_its_language_where_the_classes_are_the_languages() -> None:
    task = builtin_task("text-classification")
    card = task.data.check(task.data.detect(DataRequest(source="names")), progress=quiet)
    problem = task.problem(card, TokenInput())
    case = next(task.answers.cases(None, problem, Purpose.GOLDEN, limit=5))
    assert case.origin.split(", ")[1].startswith(problem.classes[case.truth] + ":")


def test_classifiers_agree_unless_a_clear_answer_changes() -> None:
    expected = [{"probabilities": np.array([row])} for row in ([0.6, 0.4], [0.5001, 0.4999], [0.2, 0.8])]
    candidate = [{"probabilities": np.array([row])} for row in ([0.61, 0.39], [0.4, 0.6], [0.7, 0.3])]
    cases = [Case(name=str(number), kind="realistic", inputs={}, truth=number % 2) for number in range(3)]
    found = builtin_task("text-classification").answers.agreement(
        expected, candidate, cases=cases, noise={"probabilities": 1e-4}
    )
    assert (found.items, found.agreeing, found.undecided) == (3, 1, 1)
    assert found.disagreements == ("2: class 1 (0.8000) became 0 (0.7000), with a margin of 0.6",)
    answers = builtin_task("text-classification").answers
    assert answers.metrics(expected, cases, CLASSES) == {"accuracy": pytest.approx(1 / 3), "macro_f1": 0.25}
    assert answers.metrics(candidate, cases, CLASSES) == {"accuracy": 1.0, "macro_f1": 1.0}


def test_writers_agree_unless_a_clear_next_token_changes() -> None:
    logits = np.zeros((1, 3, 4))
    logits[0, :, 1] = (1.0, 2.0, 1e-9)
    moved = logits.copy()
    moved[0, 1, 2] = 3.0
    moved[0, 2, 3] = 1.0  # where the reference has no clear answer
    cases = [Case(name="a", kind="realistic", inputs={}, truth=np.array([1, 1, 1]))]

    def agree(other: np.ndarray) -> tuple[int, int, tuple[str, ...]]:
        found = builtin_task("text-generation").answers.agreement(
            [{"logits": logits}], [{"logits": other}], cases=cases, noise={"logits": 1e-6}
        )
        return found.agreeing, found.undecided, found.disagreements

    assert agree(logits) == (1, 0, ())
    assert agree(moved) == (0, 0, ("a: 1 of 3 next tokens differ, the first after 2",))


def test_the_negative_log_likelihood_is_in_bits() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]))
    assert negative_log_likelihood(logits, np.array([0, 1])) == pytest.approx([1.0, 3.0])


# --- mutants ---


KINDS = {"tokens": (TensorProto.INT64, [1, 4]), "lengths": (TensorProto.INT64, [1]), "state": (TensorProto.FLOAT, [1])}


def graph(names: list[str], nodes: list[onnx.NodeProto], kind: int = TensorProto.INT64) -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info(name, *KINDS[name]) for name in names]
    made = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("out", kind, None)])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def ran(model: onnx.ModelProto, **feeds: np.ndarray) -> list[float]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    given = {port.name: feeds[port.name] for port in session.get_inputs()}
    result: list[float] = session.run(None, given)[0].ravel().tolist()
    return result


TOKENS = np.array([[0, 3, 4, 1]])


def test_a_shifted_vocabulary_takes_every_token_for_the_one_before() -> None:
    model = graph(["tokens"], [helper.make_node("Identity", ["tokens"], ["out"])])
    assert ran(shift_vocabulary(model, 0), tokens=TOKENS) == [0, 2, 3, 0]


def test_ignored_lengths_are_the_padded_length() -> None:
    nodes = [helper.make_node("Add", ["lengths", "tokens"], ["out"])]
    model = graph(["tokens", "lengths"], nodes)
    assert ran(ignore_lengths(model, 0), tokens=TOKENS, lengths=np.array([2])) == [4, 7, 8, 5]


def test_a_forgotten_state_is_zero() -> None:
    cast = helper.make_node("Cast", ["tokens"], ["floats"], to=TensorProto.FLOAT)
    add = helper.make_node("Add", ["floats", "state"], ["out"])
    model = graph(["tokens", "state"], [cast, add], TensorProto.FLOAT)
    state = np.array([5.0], np.float32)
    assert ran(model, tokens=TOKENS, state=state) == [5, 8, 9, 6]
    assert ran(forget_state(model, 0), tokens=TOKENS, state=state) == [0, 3, 4, 1]


def test_every_control_of_text_is_said_to_apply_or_why_not() -> None:
    for task in (builtin_task("text-classification"), builtin_task("text-generation")):
        controls = {control.name: control for control in task.answers.controls(CLASSES)}
        assert {"weight", "scale", "bias", "batch", "training", "vocabulary"} <= {
            name for name, control in controls.items() if control.applies
        }
        assert all(control.reason for control in controls.values() if not control.applies)
    assert controls["classes"].reason == "a language model has no classes"


def test_a_device_reads_no_table_as_one_text(tmp_path: Path) -> None:
    from zoo.data.text.reading import read
    from zoo.tasks.text_generation import device

    (tmp_path / "names.csv").write_text("text\nAda\n")
    for reads in (read, device.read):
        with pytest.raises(ValueError, match="it is a table"):
            reads(tmp_path / "names.csv", {})


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("names.csv", 'id,text\n1,ab\n2,"b\na"\n'),
        ("names.tsv", 'text\tid\nab\t1\n"b\na"\t2\n'),
        ("names.jsonl", '{"text": "ab"}\n\n{"id": 3, "text": "b\\na"}\n'),
    ],
)
def test_a_classifiers_device_reads_every_row_of_a_table(name: str, table: str, tmp_path: Path) -> None:
    from zoo.tasks.text_classification import device

    problem = {"vocabulary": ["<pad>", "<unk>", "a", "b", "\n"], "input": {"unit": "character", "max_length": 9}}
    (tmp_path / name).write_text(table)
    items = device.read(tmp_path / name, problem)
    assert isinstance(items, list)
    assert [(item, inputs["tokens"].tolist()) for item, inputs in items] == [
        ("row 1", [[2, 3]]),
        ("row 2", [[3, 4, 2]]),
    ]
    (tmp_path / name).write_text(table.replace("text", "words"))
    with pytest.raises(ValueError, match="a table without a column text, sentence"):
        device.read(tmp_path / name, problem)


def test_the_scores_of_answers_are_those_of_training() -> None:
    random = np.random.default_rng(0)
    classes = tuple("abcde")  # of which e never occurs
    problem = Problem(task="text-classification", input=TokenInput(), classes=classes)
    logits = random.normal(size=(40, 5)).astype(np.float32) - np.array([0, 0, 0, 0, 50], np.float32)
    truth = random.integers(0, 4, 40)
    metrics = TextClassificationMetrics(classes)
    metrics.update({"logits": torch.from_numpy(logits)}, {"label": torch.from_numpy(truth)})
    cases = [Case(name=str(n), kind="realistic", inputs={}, truth=int(label)) for n, label in enumerate(truth)]
    answers = [{"probabilities": row[None]} for row in logits]
    found = builtin_task("text-classification").answers.metrics(answers, cases, problem)
    assert found == pytest.approx(metrics.compute(), rel=1e-6)
