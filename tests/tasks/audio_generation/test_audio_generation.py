from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from tests.builtin import builtin_task, read_one
from zoo.api.data import DataRequest
from zoo.api.errors import BadFile, UsageError
from zoo.api.parts import NotesInput, Task
from zoo.api.problem import AudioInput, ImageInput, Problem
from zoo.api.task import Case, Purpose
from zoo.bundle.runtime.task_source import task_source
from zoo.data.audio.mu_law import SILENCE, to_codes, wave_bytes
from zoo.data.text.controls import forget_state
from zoo.models.answer_files import save_answers
from zoo.models.answers import Answer
from zoo.models.inputs.resolve import InputKind, resolve_inputs
from zoo.tasks.audio_generation import device
from zoo.tasks.audio_generation.controls import forget_condition, other_companding

INPUT = AudioInput(sample_rate=8000)
PLAIN = Problem(task="audio-generation", input=INPUT)
CLASSES = Problem(task="audio-generation", input=INPUT, classes=("high", "low"))


def quiet(done: int, total: int) -> None:
    """Nobody looks at the progress."""


def counting(feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A graph whose likeliest next code is one more than its state, which counts the samples."""
    seen = feeds["queues"] + feeds["samples"].shape[1]
    logits = np.zeros((1, feeds["samples"].shape[1], 256), np.float32)
    logits[0, -1, int(seen[0]) % 256] = 50.0
    return {"logits": logits, "queues_out": seen}


def test_it_is_a_task_that_answers_in_many_runs_and_to_nothing() -> None:
    task: Task = builtin_task("audio-generation")
    assert (task.tags.generative, task.tags.reads_text, task.tags.unconditional) == (True, True, True)
    assert (list(task.answers.prompts(CLASSES)), list(task.answers.prompts(PLAIN))) == (["high", "low"], ["silence"])
    assert resolve_inputs([], InputKind(task=task, input=AudioInput())).given == ()
    pictures = InputKind(task=builtin_task("image-classification"), input=ImageInput(size=(8, 8)))
    with pytest.raises(UsageError, match="image-classification needs a file"):
        resolve_inputs([], pictures)


def test_the_problem_has_the_rate_and_the_classes_of_the_data() -> None:
    task = builtin_task("audio-generation")
    card = task.data.check(task.data.detect(DataRequest(source="tones")), progress=quiet)
    problem = task.problem(card, AudioInput(sample_rate=44_100, any_rate=True))
    assert problem.input == AudioInput(sample_rate=8000)
    assert problem.classes == ("bright", "hollow", "pure")
    assert task.problem(card, AudioInput(sample_rate=16_000)).input == AudioInput(sample_rate=16_000)
    assert isinstance(task.data, NotesInput)
    notes = task.data.input_notes(card, AudioInput(sample_rate=16_000))
    assert notes == ["96 of 96 recordings are resampled to 16000 Hz: 96 of 8000 Hz"]


# --- reading, writing, showing ---


def test_a_sound_begins_with_silence_and_has_the_class_of_its_folder_or_its_name(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    for name in ("low/a.wav", "high-7.wav", "other.wav"):
        (tmp_path / name).write_bytes(wave_bytes(np.array([0.5, -1.0]), 8000))
    task, wanted = builtin_task("audio-generation"), [SILENCE, *to_codes(np.array([0.5, -1.0]))]
    for name, label in (("low/a.wav", 1), ("high-7.wav", 0)):
        given = read_one(task, tmp_path / name, CLASSES)
        assert (given["samples"].tolist(), given["condition"].tolist()) == ([wanted], [label])
    assert set(read_one(task, tmp_path / "other.wav", PLAIN)) == {"samples"}
    with pytest.raises(BadFile, match="a folder called after its class: high, low"):
        read_one(task, tmp_path / "other.wav", CLASSES)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "fast.wav").write_bytes(wave_bytes(np.zeros(4410), 44_100))
    (tmp_path / "no.wav").write_bytes(b"no")
    given = read_one(builtin_task("audio-generation"), tmp_path / "fast.wav", PLAIN)
    assert given["samples"].shape == (1, 1 + 800)  # silence, and a tenth of a second at 8,000 Hz
    with pytest.raises(ValueError, match=r"it has 44100 samples a second: ffmpeg .* -ar 8000"):
        device.read(tmp_path / "fast.wav", {"input": {"sample_rate": 8000}, "classes": []})
    with pytest.raises(BadFile, match=r"no\.wav cannot be read as a sound"):
        read_one(builtin_task("audio-generation"), tmp_path / "no.wav", PLAIN)
    with pytest.raises(BadFile, match="it is no wav file, and none of high, low"):
        builtin_task("audio-generation").data.read_text("medium", CLASSES)


def test_writing_goes_on_with_the_state_fed_back() -> None:
    task = builtin_task("audio-generation")
    inputs = {"samples": np.array([[SILENCE, 7, 9]]), "queues": np.zeros(1)}
    settings = {"seconds": 4 / 8000, "temperature": 0.0, "seed": 0}
    answer = task.answers.generate(counting, inputs, {"queues": "queues_out"}, PLAIN, settings)
    assert answer["samples"].tolist() == [[SILENCE, 7, 9, 3, 4, 5, 6]]
    assert answer["logits"].shape == (1, 1, 256)


def test_what_is_drawn_depends_on_the_seed_and_follows_the_probabilities() -> None:
    logits = np.full((1, 1, 256), -30.0, np.float32)
    logits[0, 0, :2] = np.log([0.8, 0.2])

    def drawn(seed: int) -> list[int]:
        inputs = {"samples": np.array([[SILENCE]])}
        settings = {"seconds": 0.25, "temperature": 1.0, "seed": seed}
        codes = builtin_task("audio-generation").answers.generate(
            lambda _: {"logits": logits}, inputs, {}, PLAIN, settings
        )["samples"]
        return codes[0, 1:].tolist()  # type: ignore[no-any-return]

    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(1)) == {0, 1}
    assert drawn(1).count(0) / 2000 == pytest.approx(0.8, abs=0.03)


def test_a_sound_is_shown_with_its_picture_and_kept_as_a_wav_file(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 400 * np.arange(800) / 8000)
    answer = {"samples": np.array([[SILENCE, *to_codes(tone)]]), "logits": np.zeros((1, 1, 256))}
    case = Case(name="low", kind="file", inputs=builtin_task("audio-generation").data.read_text("low", CLASSES))
    shown = builtin_task("audio-generation").answers.show(case, answer, CLASSES)
    assert shown.text == "0.10 s at 8000 Hz, peak 0.50, loudest at 400 Hz"
    assert shown.record == {"samples": 800, "sample_rate": 8000, "given": 0, "class": "low", "loudest_hertz": 400.0}
    save_answers(tmp_path / "out", [Answer(file="low", shown=shown)])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("low.png", "low.wav", "predictions.csv", "predictions.json")
    ]
    with wave.open(io.BytesIO((tmp_path / "out/low.wav").read_bytes())) as file:
        assert (file.getnframes(), file.getframerate()) == (800, 8000)


def test_of_a_single_run_the_likeliest_next_samples_are_shown() -> None:
    logits = np.full((1, 2, 256), -50.0)
    logits[0, -1, [128, 255]] = np.log([0.75, 0.25])
    case = Case(name="a", kind="realistic", inputs={"samples": np.zeros((1, 2), np.int64)})
    shown = builtin_task("audio-generation").answers.show(case, {"logits": logits}, PLAIN, limit=2)
    assert shown.text == "after 2 samples → +0.000 75.0%  +1.000 25.0%"


def test_the_runner_stands_alone_and_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space: dict[str, object] = {}
    exec(compile(task_source(builtin_task("audio-generation").device(PLAIN)), "task", "exec"), space)
    assert {"read", "read_text", "generate", "show", "keep"} <= set(space)
    monkeypatch.chdir(tmp_path)
    answer = {"samples": np.array([[SILENCE, *[SILENCE] * 80]])}
    problem = json.loads('{"input": {"sample_rate": 8000}, "classes": []}')
    assert device.keep(answer, problem) == "sound-1.wav, 0.01 s at 8000 Hz, peak 0.00"
    assert device.keep(answer, problem).startswith("sound-2.wav")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sound-1.wav", "sound-2.wav"]


# --- measuring ---


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("problem", [PLAIN, CLASSES], ids=["plain", "classes"])
def test_cases_fit_the_signature_and_repeat(problem: Problem, purpose: Purpose) -> None:
    task = builtin_task("audio-generation")
    cases = list(task.answers.cases(None, problem, purpose, limit=6))
    again = list(task.answers.cases(None, problem, purpose, limit=6))
    assert cases
    for case, other in zip(cases, again, strict=True):
        assert set(case.inputs) == {port.name for port in task.graphs.signatures(problem).pipeline.inputs}
        assert all(np.array_equal(case.inputs[name], other.inputs[name]) for name in case.inputs)
        samples = case.inputs["samples"]
        assert samples.dtype == np.int64
        assert 0 <= samples.min() <= samples.max() <= 255
        if problem.classes:
            assert case.inputs["condition"].shape == samples.shape[:1]
            assert set(case.inputs["condition"].tolist()) <= {0, 1}


def test_the_lengths_1_5_and_33_and_the_batches_1_and_7_are_among_the_first_cases() -> None:
    cases = list(builtin_task("audio-generation").answers.cases(None, CLASSES, Purpose.PIPELINE, limit=6))
    shapes = [case.inputs["samples"].shape for case in cases]
    assert {length for _, length in shapes} >= {1, 5, 33}
    assert {rows for rows, _ in shapes} == {1, 7}
    # a case goes on from the one before it, which must have as many rows
    assert all(shapes[place][0] == shapes[place + 1][0] for place in (0, 2, 4))


def test_the_truth_of_a_stretch_is_what_follows_each_sample() -> None:
    one, other = list(builtin_task("audio-generation").answers.cases(None, PLAIN, Purpose.EVALUATION, limit=2))
    assert one.truth[:-1].tolist() == one.inputs["samples"][0, 1:].tolist()
    assert int(one.truth[-1]) == int(other.inputs["samples"][0, 0])


def test_models_agree_unless_a_clear_next_sample_changes() -> None:
    logits = np.zeros((1, 3, 4))
    logits[0, :, 1] = (1.0, 2.0, 1e-9)
    moved = logits.copy()
    moved[0, 1, 2] = 3.0
    cases = [Case(name="a", kind="realistic", inputs={}, truth=np.array([1, 1, 1]))]
    found = builtin_task("audio-generation").answers.agreement(
        [{"logits": logits}], [{"logits": moved}], cases=cases, noise={"logits": 1e-6}
    )
    assert found.disagreements == ("a: 1 of 3 next samples differ, the first after 2",)
    metrics = builtin_task("audio-generation").answers.metrics([{"logits": logits}], cases, PLAIN)
    assert list(metrics) == ["bits_per_sample"]


# --- mutants ---


def ran(edit: Callable[[onnx.ModelProto, int], onnx.ModelProto], name: str) -> list[float]:
    """What a graph that gives one of its inputs makes of it after an edit."""
    kinds = {"samples": TensorProto.INT64, "condition": TensorProto.INT64, "queues": TensorProto.FLOAT}
    inputs = [helper.make_tensor_value_info(one, kind, [3]) for one, kind in kinds.items()]
    output = helper.make_tensor_value_info("out", kinds[name], [3])
    made = helper.make_graph([helper.make_node("Identity", [name], ["out"])], "g", inputs, [output])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    mutant = edit(model, 0)
    feeds = {"samples": np.array([0, 7, 255]), "condition": np.array([0, 1, 2]), "queues": np.ones(3, np.float32)}
    result: list[float] = onnxruntime.InferenceSession(mutant.SerializeToString()).run(None, feeds)[0].tolist()
    return result


def test_the_mutants_do_what_they_say() -> None:
    assert ran(other_companding, "samples") == [255, 248, 0]
    assert ran(forget_condition, "condition") == [0, 0, 0]
    assert ran(forget_state, "queues") == [0, 0, 0]
    assert ran(forget_state, "condition") == [0, 1, 2]
    named = {control.name: control.applies for control in builtin_task("audio-generation").answers.controls(CLASSES)}
    assert {name for name, applies in named.items() if applies} == {
        *("weight", "scale", "bias", "batch", "training", "codes", "state", "condition")
    }
    assert "condition" not in {control.name for control in builtin_task("audio-generation").answers.controls(PLAIN)}
