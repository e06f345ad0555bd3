"""What is told from the user's own data, whatever a task says of its origin; and which cases stand in for it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.builtin import builtin_task
from tests.zoo_export.conftest import subject_of, tiny
from zoo.api.data import DataCard, DataRequest
from zoo.api.problem import TokenInput
from zoo.api.task import Case, Purpose
from zoo_export.subject.golden_cases import OWN_DATA, StandIns, is_own, public_origins, stand_ins, without_own_data

TEXTS = 400


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> DataCard:
    """Texts of somebody's own, two classes."""
    folder = tmp_path_factory.mktemp("letters")
    rows = [f'"dear customer {number}, your balance is {37 * number}",{"ab"[number % 2]}' for number in range(TEXTS)]
    (folder / "letters.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    task = builtin_task("text-classification")
    return task.data.check(task.data.detect(DataRequest(source=str(folder / "letters.csv"))), progress=lambda *_: None)


def test_texts_are_told_from_embedded_ones_by_what_they_hold(letters: DataCard) -> None:
    task = builtin_task("text-classification")
    problem = task.problem(letters, TokenInput(max_length=64))
    subject: Any = SimpleNamespace(task=task, problem=problem)
    cases = tuple(task.answers.cases(letters, problem, Purpose.PIPELINE, limit=6))
    assert {case.origin for case in cases} == {"synthetic"}  # which is true of their form alone
    marked = without_own_data(cases, subject)
    assert [case.kind for case in marked if case.origin == OWN_DATA] == ["padded", "padded", "short", "shortest"]
    assert [case.name for case in marked if case.origin == OWN_DATA] == [f"own case {n}" for n in (1, 2, 3, 4)]
    assert {case.kind for case in marked if case.origin != OWN_DATA} == {"uniform"}
    assert OWN_DATA not in public_origins(subject)
    assert is_own(letters)


def test_nothing_is_marked_where_the_data_are_embedded_in_the_task() -> None:
    subject = subject_of(tiny())
    cases = tuple(subject.task.answers.cases(None, subject.problem, Purpose.PIPELINE, limit=6))
    assert without_own_data(cases, subject) == cases


def chosen(count: int, *, offered: int = 12, scale: float = 1.0) -> StandIns:
    """Stand-ins of a tiny classifier whose task offers pictures of rising contrast; real ones have `scale` times it."""

    def picture(number: int, contrast: float) -> Case:
        levels = np.random.default_rng(number).uniform(-contrast, contrast, (12, 12, 3)) + 128
        image = levels.clip(0, 255).astype(np.uint8)
        kind = ("shrunk", "enlarged")[number % 2]
        return Case(name=f"picture {number}", kind=kind, inputs={"image": image}, origin="synthetic")

    class Answers:
        def cases(self, card: object, _problem: object, purpose: Purpose, *, limit: int) -> list[Case]:
            if card is not None:
                return [picture(100 + number, 100 * scale) for number in range(limit)]
            return [picture(number, 8.0 * number) for number in range(offered)] if purpose is Purpose.GOLDEN else []

    subject = subject_of(tiny())
    answers: Any = Answers()
    task = replace(subject.task, make_answers=lambda: answers)
    card: Any = object()
    return stand_ins(replace(subject, task=task, card=card), subject.torch_pipeline(), count=count)


def test_every_kind_is_there_and_the_others_are_those_that_move_the_answers_most() -> None:
    cases = chosen(4).cases
    assert {case.kind for case in cases[:2]} == {"shrunk", "enlarged"}
    assert len({case.name for case in cases}) == 4
    assert "picture 0" not in {case.name for case in cases}, "one of a single colour moves least"


def test_weak_stand_ins_are_said_to_be_weak() -> None:
    assert chosen(4).note == ""
    assert "--golden mixed packs a few items of your data" in chosen(4, offered=0).note
