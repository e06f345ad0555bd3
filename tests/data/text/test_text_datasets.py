from __future__ import annotations

import math

import pytest
import torch

from zoo.api.problem import Problem, TokenInput
from zoo.api.task import Dataset
from zoo.data.formats.text.rows import TextItem
from zoo.data.text.labelled_dataset import LabelledTexts
from zoo.data.text.metrics import LanguageModelMetrics, TextClassificationMetrics
from zoo.data.text.stream_dataset import IGNORE_INDEX, EvaluationWindows, TokenRow, TrainingChunks

LETTERS = ("<pad>", "<unk>", "\n", *"abcdefgh")
PROBLEM = Problem(task="t", input=TokenInput(chunk=4, max_length=6), classes=("x", "y"), vocabulary=LETTERS)


def labelled() -> LabelledTexts:
    texts = ["a", "bc", "abcdefgh", "?", "cab"]
    return LabelledTexts([TextItem(text, label=number % 2) for number, text in enumerate(texts)], PROBLEM)


def test_a_batch_is_padded_to_its_own_longest_and_cut_at_the_longest_allowed() -> None:
    data: Dataset = labelled()
    batch = data.batch([1, 3, 0])
    assert batch["tokens"].tolist() == [[4, 5], [1, 0], [3, 0]]
    assert batch["lengths"].tolist() == [2, 1, 1]
    assert batch["label"].tolist() == [1, 1, 0]
    assert data.batch([2])["tokens"].tolist() == [[3, 4, 5, 6, 7, 8]]
    assert len(data) == 5


def test_an_epoch_takes_every_text_once_and_neighbours_of_one_length() -> None:
    items = [TextItem("a" * (1 + number % 6), label=0) for number in range(2000)]
    data = LabelledTexts(items, PROBLEM)
    order = data.order(10, torch.Generator().manual_seed(1))
    assert sorted(order) == list(range(2000))
    lengths = data.lengths[torch.tensor(order)].view(-1, 10)
    spread = (lengths.amax(1) - lengths.amin(1)).float().mean()
    assert spread < 1
    assert order != data.order(10, torch.Generator().manual_seed(2))
    assert order == data.order(10, torch.Generator().manual_seed(1))
    # the batches themselves come in no order of length
    assert not torch.equal(lengths.amax(1), lengths.amax(1).sort().values)


def test_full_batches_come_first_so_that_none_is_cut_in_two() -> None:
    order = labelled().order(2, torch.Generator().manual_seed(0))
    assert sorted(order) == [0, 1, 2, 3, 4]


def row(text: str) -> TokenRow:
    return TokenRow([TextItem(text)], PROBLEM)


def test_running_text_begins_after_a_line_break_and_ends_with_one() -> None:
    assert row("ab\n\n").tokens.tolist() == [2, 3, 4, 2]
    assert TokenRow([TextItem("a"), TextItem("b")], PROBLEM).tokens.tolist() == [2, 3, 2, 4, 2]


def test_targets_are_the_tokens_that_follow() -> None:
    chunks = TrainingChunks(row("abcdefgh"))
    assert len(chunks) == 2
    batch = chunks.batch([1, 0])
    assert batch["tokens"].tolist() == [[6, 7, 8, 9], [2, 3, 4, 5]]
    assert batch["targets"].tolist() == [[7, 8, 9, 10], [3, 4, 5, 6]]
    assert batch["at"].tolist() == [4, 0]


@pytest.mark.parametrize(("chunks", "batch_size"), [(12, 3), (13, 3), (7, 7), (9, 2)])
def test_every_lane_goes_on_and_on(chunks: int, batch_size: int) -> None:
    data = TrainingChunks(row("abcd" * chunks))
    order = torch.tensor(data.order(batch_size, torch.Generator().manual_seed(3)))
    assert len(order) == chunks // batch_size * batch_size
    assert len(set(order.tolist())) == len(order)
    streams = order.view(-1, batch_size)
    assert bool(((streams[1:] - streams[:-1]) % len(data) == 1).all())


def test_a_text_of_fewer_chunks_than_lanes_is_still_read() -> None:
    data = TrainingChunks(row("abcd" * 3))
    assert sorted(data.order(8, torch.Generator().manual_seed(0))) == [0, 1, 2]


def test_every_token_is_measured_once_with_what_stands_before_it() -> None:
    text = row("abcdefgh" * 5)  # 41 targets with the line break
    data = EvaluationWindows(text)
    assert len(data) == 3
    batch = data.batch(range(3))
    counted = batch["targets"][batch["targets"] != IGNORE_INDEX]
    assert counted.tolist() == text.tokens[1:].tolist()
    assert batch["characters"].tolist() == [16, 16, 9]
    second_tokens, second_targets = batch["tokens"][1], batch["targets"][1]
    assert second_tokens.tolist() == text.tokens[12:32].tolist()
    assert second_targets[:4].tolist() == [IGNORE_INDEX] * 4
    assert second_targets[4:].tolist() == text.tokens[17:33].tolist()


def test_bits_are_per_character_where_tokens_are_words() -> None:
    facts = TokenInput(chunk=2, unit="token")
    problem = Problem(task="t", input=facts, vocabulary=("<pad>", "<unk>", "\n", "one", " two"))
    batch = EvaluationWindows(TokenRow([TextItem("one two")], problem)).batch([0])
    assert int(batch["characters"][0]) == 8
    metrics = LanguageModelMetrics()
    metrics.update({"nats": torch.tensor([8 * math.log(2)]), "tokens": torch.tensor([3])}, batch)
    assert metrics.compute() == pytest.approx({"bits_per_character": 1.0, "perplexity": 2 ** (8 / 3)})


def test_macro_f1_counts_every_class_alike() -> None:
    metrics = TextClassificationMetrics(("x", "y"))
    logits = torch.tensor([[1.0, 0.0]] * 4)
    metrics.update({"logits": logits}, {"label": torch.tensor([0, 0, 0, 1])})
    found = metrics.compute()
    assert found["accuracy"] == 0.75
    assert found["macro_f1"] == pytest.approx((6 / 7 + 0) / 2)
