"""Files in, readable answers out, whoever answers; one that cannot be read stops nobody."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo import BadFile, Case, ImageInput, Monitor, OutputExists, Port, Problem, Shown, Signature, UsageError
from zoo.api.problem import Json
from zoo.models.answer_files import save_answers
from zoo.models.answer_settings import chosen_settings
from zoo.models.answerer import Answerer, AnswerOptions
from zoo.models.answers import answers
from zoo.models.inputs.source import Source, file_source, text_source
from zoo.registry.api_1 import adapt_task

PROBLEM = Problem(task="measuring", input=ImageInput(size=(8, 8)), classes=("short", "long"))


class Measuring:
    """Answers how long a text file is."""

    name = "measuring"
    monitor = Monitor(metric="length", mode="max")

    def read(self, path: Path, _problem: Problem) -> dict[str, Any]:
        text = path.read_text()
        if not text:
            raise BadFile(f"{path} is empty")
        return {"length": np.array(len(text))}

    def show(self, case: Case, answer: Mapping[str, Any], problem: Problem, *, limit: int = 5) -> Shown:
        length = int(answer["twice"])
        picture = Image.new("L", (length, 1)) if length > 4 else None
        return Shown(
            text=f"{case.name} is {problem.classes[length > 4]}",
            record={"twice": length, "ranked": list(range(limit))},
            picture=picture,
        )


SIGNATURE = Signature(
    inputs=(Port(name="length", dtype="int64", shape=()),), outputs=(Port(name="twice", dtype="int64", shape=()),)
)
ANSWERER = Answerer(
    model="house/tape",
    task=adapt_task(Measuring()),
    problem=PROBLEM,
    answer=lambda inputs: {"twice": inputs["length"] * 2},
    signature=SIGNATURE,
)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    (folder / "more").mkdir(parents=True)
    (folder / "b.txt").write_text("bbb")
    (folder / "a.txt").write_text("a")
    (folder / "more" / "b.txt").write_text("bbbb")
    (folder / ".hidden").write_text("secret")
    return folder


def sources(folder: Path) -> list[Source]:
    """The visible files of a folder, in order."""
    return [file_source(path) for path in sorted(folder.rglob("[!.]*")) if path.is_file()]


def test_every_readable_file_is_answered(files: Path) -> None:
    (files / "empty.txt").write_text("")
    found = list(answers(ANSWERER, sources(files), AnswerOptions(limit=2)))
    assert [answer.record() for answer in found] == [
        {"file": str(files / "a.txt"), "twice": 2, "ranked": [0, 1]},
        {"file": str(files / "b.txt"), "twice": 6, "ranked": [0, 1]},
        {"file": str(files / "empty.txt"), "unreadable": f"{files / 'empty.txt'} is empty"},
        {"file": str(files / "more" / "b.txt"), "twice": 8, "ranked": [0, 1]},
    ]


def test_answers_are_saved_with_pictures_json_and_csv(files: Path, tmp_path: Path) -> None:
    place = tmp_path / "saved"
    found = save_answers(place, answers(ANSWERER, sources(files), AnswerOptions(limit=1)))
    assert sorted(path.name for path in place.iterdir()) == ["b-2.png", "b.png", "predictions.csv", "predictions.json"]
    assert Image.open(place / "b-2.png").size == (8, 1)
    assert json.loads((place / "predictions.json").read_text()) == [answer.record() for answer in found]
    assert (place / "predictions.csv").read_text().splitlines() == [
        "file,twice,ranked.0",
        f"{files / 'a.txt'},2,0",
        f"{files / 'b.txt'},6,0",
        f"{files / 'more' / 'b.txt'},8,0",
    ]


def test_nothing_saved_is_replaced_unasked(files: Path, tmp_path: Path) -> None:
    place = tmp_path / "saved"
    save_answers(place, answers(ANSWERER, [file_source(files / "a.txt")]))
    with pytest.raises(OutputExists):
        save_answers(place, answers(ANSWERER, [file_source(files / "b.txt")]))
    assert "a.txt" in (place / "predictions.json").read_text()
    save_answers(place, answers(ANSWERER, [file_source(files / "b.txt")]), overwrite=True)
    assert "a.txt" not in (place / "predictions.json").read_text()


def test_a_failure_half_way_saves_nothing(files: Path, tmp_path: Path) -> None:
    broken = Answerer(
        model="house/tape",
        task=ANSWERER.task,
        problem=PROBLEM,
        answer=lambda inputs: {"twice": 6 // (3 - inputs["length"])},
        signature=SIGNATURE,
    )
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        save_answers(tmp_path / "saved", answers(broken, sources(files)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts"]


class Growing(Measuring):
    """Answers in as many runs as the text is long, each fed what the one before gave; and reads texts."""

    settings: Mapping[str, float] = {"runs": 0}

    def read_text(self, text: str, _problem: Problem) -> dict[str, Any]:
        return {"length": np.array(len(text))}

    def respond(
        self,
        run: Any,
        inputs: dict[str, Any],
        feedback: Mapping[str, str],
        _problem: Problem,
        settings: Mapping[str, float],
    ) -> Any:
        answer = run(inputs)
        for _ in range(int(settings["runs"] or inputs["length"]) - 1):
            answer = run({**inputs, **{name: answer[output] for name, output in feedback.items()}})
        return answer


def test_a_task_that_answers_in_many_runs_is_given_state_and_feedback(files: Path) -> None:
    state = Port(name="sum", dtype="float32", shape=("batch", 2))
    signature = Signature(
        inputs=(*SIGNATURE.inputs, state),
        outputs=(*SIGNATURE.outputs, Port(name="sum_out", dtype="float32", shape=("batch", 2), feeds="sum")),
    )
    shapes = []

    def step(inputs: Mapping[str, Any]) -> dict[str, Any]:
        shapes.append(inputs["sum"].shape)
        return {"twice": inputs["sum"].sum() + 2, "sum_out": inputs["sum"] + 1}

    growing = Answerer(
        model="house/tape", task=adapt_task(Growing()), problem=PROBLEM, answer=step, signature=signature
    )
    (found,) = answers(growing, [file_source(files / "b.txt")], AnswerOptions(limit=0))
    assert shapes == [(1, 2)] * 3
    assert found.record() == {"file": str(files / "b.txt"), "twice": 2 + 2 * 2, "ranked": []}
    shapes.clear()
    (found,) = answers(growing, [text_source("four words of text")], AnswerOptions(settings={"runs": 4}))
    assert len(shapes) == 4
    assert found.record()["text"] == "four words of text"


def test_settings_of_an_answer_are_the_tasks() -> None:
    reads, does_not = adapt_task(Growing()), adapt_task(Measuring())
    assert chosen_settings(reads, ["runs=3"]) == {"runs": 3.0}
    for task, given, hint in (
        (reads, "walks=3", "it has runs"),
        (reads, "runs=many", "as in runs=0"),
        (does_not, "runs=3", "it has none"),
    ):
        with pytest.raises(UsageError) as caught:
            chosen_settings(task, [given])
        assert caught.value.hint == hint


HOSTILE = ("=HYPERLINK(1)", "cat\n b.txt is a dog\x1b[2J")


def test_a_hostile_name_is_spelled_out_in_the_text_and_kept_in_the_record(files: Path) -> None:
    class Naming(Measuring):
        def show(self, case: Case, answer: Mapping[str, Any], problem: Problem, *, limit: int = 5) -> Shown:
            shown = super().show(case, answer, problem, limit=limit)
            return replace(shown, record={"class": problem.classes[int(answer["twice"]) > 4]})

    hostile = replace(ANSWERER, task=adapt_task(Naming()), problem=replace(PROBLEM, classes=HOSTILE))
    (files / "c\n.txt").write_text("c")
    short, long = answers(hostile, [file_source(files / "c\n.txt"), file_source(files / "b.txt")])
    assert short.shown is not None
    assert long.shown is not None
    assert short.shown.text == r"c\n.txt is =HYPERLINK(1)"
    assert long.shown.text == r"b.txt is cat\n b.txt is a dog\x1b[2J"
    assert long.shown.record == {"class": HOSTILE[1]}


def test_formulas_in_a_saved_table_are_defused(files: Path, tmp_path: Path) -> None:
    class Naming(Measuring):
        def show(self, case: Case, answer: Mapping[str, Any], problem: Problem, *, limit: int = 5) -> Shown:
            shown = super().show(case, answer, problem, limit=limit)
            record: dict[str, Json] = {"class": problem.classes[0], "change": -1.5, "@key": "+1", "note": "a=b"}
            return replace(shown, record=record)

    hostile = replace(ANSWERER, task=adapt_task(Naming()), problem=replace(PROBLEM, classes=HOSTILE))
    save_answers(tmp_path / "out", answers(hostile, [file_source(files / "a.txt")]))
    (row,) = csv.DictReader((tmp_path / "out" / "predictions.csv").open(newline=""))
    assert row["class"] == "'=HYPERLINK(1)"
    assert (row["change"], row["'@key"], row["note"]) == ("-1.5", "'+1", "a=b")
    (record,) = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert (record["class"], record["@key"]) == ("=HYPERLINK(1)", "+1")
