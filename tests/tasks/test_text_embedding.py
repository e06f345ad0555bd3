"""Texts as unit vectors: data, batches, loss, retrieval, comparing, agreement."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.builtin import builtin_task
from zoo.api.data import DataRequest
from zoo.api.errors import DataError
from zoo.api.parts import Task
from zoo.api.problem import Problem, TokenInput
from zoo.api.task import Case, Purpose
from zoo.data.embedding.retrieval import ROWS_AT_A_TIME, nearest, retrieval
from zoo.data.formats.text.rows import TextItem
from zoo.data.text.graphs import UnitLengths
from zoo.data.text.labelled_dataset import TEXTS_PER_LABEL, GroupedTexts
from zoo.data.text.metrics import RetrievalMetrics
from zoo.tasks.text_embedding import device
from zoo.training.trainers.contrastive import contrastive_loss

LETTERS = ("<pad>", "<unk>", "a", "b", "c", " ")
PROBLEM = Problem(task="text-embedding", input=TokenInput(embedding=2), vocabulary=LETTERS)


def quiet(done: int, total: int) -> None:
    """Nobody looks at the progress."""


def turned(degrees: float) -> list[float]:
    angle = math.radians(degrees)
    return [math.cos(angle), math.sin(angle)]


def test_it_is_a_task_that_reads_words_and_compares() -> None:
    task: Task = builtin_task("text-embedding")
    assert (task.tags.reads_text, task.tags.pairwise) == (True, True)
    assert [port.shape for port in task.graphs.signatures(PROBLEM).pipeline.outputs] == [("batch", 2)]


def test_an_item_is_found_when_its_nearest_other_has_its_label() -> None:
    embeddings = np.array([turned(0), turned(10), turned(90), turned(82), turned(45)])
    found = retrieval(embeddings, np.array(["x", "x", "y", "z", "x"]))
    # y and z are alone with their label; of x the one at 45 degrees has 10 degrees for its nearest
    assert nearest(embeddings).tolist() == [1, 0, 3, 2, 1]
    assert found["retrieval_accuracy"] == 1.0
    same = np.mean([math.cos(math.radians(apart)) for apart in (10, 45, 35)])
    other = np.mean([math.cos(math.radians(apart)) for apart in (90, 80, 45, 82, 72, 37, 8)])
    assert found["cosine_same"] == pytest.approx(same)
    assert found["cosine_other"] == pytest.approx(other)
    assert retrieval(embeddings, np.array(["x", "y", "y", "x", "y"]))["retrieval_accuracy"] == pytest.approx(1 / 5)
    assert set(retrieval(embeddings, np.arange(5))) == {"cosine_other"}


def test_the_nearest_of_many_are_those_of_one_product() -> None:
    random = np.random.default_rng(5)
    many = random.normal(size=(2 * ROWS_AT_A_TIME + 7, 3))
    many /= np.linalg.norm(many, axis=1, keepdims=True)
    similar = many @ many.T
    np.fill_diagonal(similar, -np.inf)
    assert nearest(many).tolist() == similar.argmax(1).tolist()


def test_the_metrics_put_batches_in_the_order_of_their_places() -> None:
    metrics = RetrievalMetrics()
    embeddings = torch.tensor([turned(0), turned(90), turned(10), turned(80)])
    labels = torch.tensor([7, 300_000, 7, 300_000])
    for index in ([2, 0], [1, 3]):
        metrics.update({"embedding": embeddings[index]}, {"index": torch.tensor(index), "label": labels[index]})
    found = metrics.compute()
    assert found["retrieval_accuracy"] == 1.0
    assert found["cosine_same"] == pytest.approx(math.cos(math.radians(10)))


def test_the_loss_is_the_surprise_at_the_others_of_ones_label() -> None:
    embeddings = torch.tensor([turned(0), turned(60), turned(180)], requires_grad=True)
    loss = contrastive_loss(embeddings, torch.tensor([0, 0, 1]), temperature=0.5)
    # cosines: 0.5 with each other, -1 and -0.5 with the third, which is alone with its label and does not count
    first = math.log(math.exp(1) + math.exp(-2)) - 1
    second = math.log(math.exp(1) + math.exp(-1)) - 1
    assert float(loss.detach()) == pytest.approx((first + second) / 2)
    torch.autograd.backward(loss)
    assert embeddings.grad is not None
    assert bool(torch.isfinite(embeddings.grad).all())
    assert float(contrastive_loss(embeddings, torch.tensor([0, 1, 2]), temperature=0.5).detach()) == 0
    perfect = torch.tensor([turned(0)] * 3 + [turned(180)] * 2)
    assert float(contrastive_loss(perfect, torch.tensor([1, 1, 1, 2, 2]), temperature=0.05)) == pytest.approx(
        0, abs=1e-6
    )


def test_batches_hold_several_texts_of_each_of_a_few_labels() -> None:
    items = [TextItem("abc"[at % 3] * (1 + at % 7), label=at % 10) for at in range(200)]
    data = GroupedTexts(items, PROBLEM)
    order = torch.tensor(data.order(16, torch.Generator().manual_seed(1)))
    assert len(order) == 200 // 16 * 16
    for batch in data.labels[order].view(-1, 16):
        assert sorted(batch.unique(return_counts=True)[1].tolist()) == [TEXTS_PER_LABEL] * 4


def test_data_in_which_nothing_can_be_found_are_refused(tmp_path: Path) -> None:
    rows = [f"text {at},label {at}" for at in range(40)]
    (tmp_path / "lone.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    task = builtin_task("text-embedding")
    with pytest.raises(DataError, match="too few texts to hold any out"):
        task.data.check(task.data.detect(DataRequest(source=str(tmp_path / "lone.csv"))), progress=quiet)
    twice = [f"text {at},{at // 2},{'train' if at % 4 else 'val'}" for at in range(40)]
    (tmp_path / "some.csv").write_text("text,label,split\n" + "\n".join(twice) + "\n")
    with pytest.raises(DataError, match="no two validation texts have the same label"):
        task.data.check(task.data.detect(DataRequest(source=str(tmp_path / "some.csv"))), progress=quiet)


def test_labels_of_few_texts_are_held_out_whole_and_may_be_new_to_a_split(tmp_path: Path) -> None:
    rows = [f"text {at},meaning {at // 3},{'test' if at >= 90 else 'train'}" for at in range(96)]
    (tmp_path / "pairs.csv").write_text("text,label,split\n" + "\n".join(rows) + "\n")
    task = builtin_task("text-embedding")
    card = task.data.check(task.data.detect(DataRequest(source=str(tmp_path / "pairs.csv"))), progress=quiet)
    labels = {split: {item.label for item in items} for split, items in card.splits.items()}
    assert card.counts() == {"train": 81, "validation": 9, "test": 6}
    assert not labels["train"] & labels["validation"] | labels["train"] & labels["test"]
    assert any("by the hash of the label" in note for note in card.notes)


def test_embedded_names_are_known_by_their_language() -> None:
    cases = list(builtin_task("text-embedding").answers.cases(None, PROBLEM, Purpose.EVALUATION, limit=40))
    assert len({case.truth for case in cases}) > 5
    assert all(isinstance(case.truth, str) and len(case.truth) == 2 for case in cases)
    shapes = {
        case.inputs["tokens"].shape
        for case in builtin_task("text-embedding").answers.cases(None, PROBLEM, Purpose.PIPELINE, limit=9)
    }
    assert {(1, 33), (1, 5), (1, 1)} <= shapes


def test_two_texts_have_a_similarity_and_more_have_matches() -> None:
    task = builtin_task("text-embedding")
    answers = [{"embedding": np.array([turned(angle)], np.float32)} for angle in (0, 60, 50)]
    pair = task.answers.compare(["a", "b"], answers[:2], PROBLEM)
    assert pair.text == " 0.5000  a  b"
    assert device.compare(["a", "b"], answers[:2], {"facts": {}}) == pair.text
    more = task.answers.compare(["a", "b", "c"], answers, PROBLEM, limit=1).record["pairs"]
    assert isinstance(more, list)
    assert [(one["a"], one["b"]) for one in more if isinstance(one, dict)] == [("a", "c"), ("b", "c"), ("c", "b")]
    shown = task.answers.show(
        Case(name="ab", kind="file", inputs=task.data.read_text("ab", PROBLEM)), answers[1], PROBLEM
    )
    assert shown.text == "2 numbers of length 1.0000: 0.5000 0.8660 …"
    assert shown.record["text"] == "ab"
    assert set(shown.files) == {".npy"}


def test_an_embedding_that_turns_is_no_agreement() -> None:
    task = builtin_task("text-embedding")
    cases = [Case(name=str(at), kind="realistic", inputs={}, truth=at % 2) for at in range(6)]
    reference = [{"embedding": np.array([turned(90 * (at % 2) + at)])} for at in range(6)]
    near = [{"embedding": one["embedding"] + 1e-9} for one in reference]
    assert task.answers.agreement(reference, near, cases=cases, noise={"embedding": 1e-8}).holds
    far = [*near[:5], {"embedding": np.array([turned(99)])}]
    told = task.answers.agreement(reference, far, cases=cases, noise={"embedding": 1e-8})
    assert (told.agreeing, told.holds) == (5, False)
    assert "has turned" in told.disagreements[0]
    assert task.answers.metrics(reference, cases, PROBLEM)["retrieval_accuracy"] == 1.0


def test_the_answer_has_unit_length_even_for_nothing() -> None:
    made = UnitLengths()(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    assert made.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
