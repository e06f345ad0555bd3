"""Batches of a few identities, exactly; pairs beside every batch to verify."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from tests.builtin import builtin_task
from zoo.api.data import DataRequest
from zoo.api.problem import ImageInput
from zoo.data.embedding.identity_sampler import pk_order
from zoo.tasks.image_embedding.dataset import IdentityDataset, VerificationDataset
from zoo.training.loop.data_order import Plan

TASK = builtin_task("image-embedding")
CARD = TASK.data.check(TASK.data.detect(DataRequest(source="digits")), progress=lambda *_: None)
PROBLEM = TASK.problem(CARD, ImageInput(size=(28, 28), channels=1, mean=(0.1,), std=(0.3,), embedding=8))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_a_batch_holds_so_many_pictures_of_each_of_its_identities() -> None:
    groups = [list(range(10 * one, 10 * one + 10)) for one in range(7)]
    order = pk_order(groups, 12, 4, batches=6, generator=generator())
    assert len(order) == 72
    for start in range(0, 72, 12):
        batch = order[start : start + 12]
        identities = [item // 10 for item in batch]
        assert identities == [one for one in dict.fromkeys(identities) for _ in range(4)]
        assert len(set(identities)) == 3 and len(set(batch)) == 12
    assert order == pk_order(groups, 12, 4, batches=6, generator=generator())


def test_identities_and_their_pictures_take_turns() -> None:
    groups = [[0, 1, 2, 3], [4, 5, 6, 7]]
    order = pk_order(groups, 4, 2, batches=4, generator=generator())
    assert Counter(order) == dict.fromkeys(range(8), 2)


def test_few_identities_give_more_pictures_and_few_pictures_come_twice() -> None:
    order = pk_order([[0, 1, 2, 3, 4, 5], [6]], 7, 2, batches=1, generator=generator())
    assert sorted(Counter(item > 5 for item in order).values()) == [3, 4]
    assert pk_order([[0], [1], [2]], 2, 1, batches=1, generator=generator()) != []


def test_the_option_of_the_trainer_reaches_the_batches() -> None:
    train = TASK.tensors.dataset(CARD, "train", PROBLEM)
    assert isinstance(train, IdentityDataset)
    adjusted = train.adjusted({"images_per_identity": 8})
    assert isinstance(adjusted, IdentityDataset)
    first = Plan(dataset=adjusted, ordered=True, batch_size=32, accumulate=1, seed=1).epoch(0)[0]
    assert sorted(Counter(adjusted.batch(first)["label"].tolist()).values()) == [8, 8, 8, 8]


def test_the_pairs_of_held_out_identities_come_with_every_batch() -> None:
    test = TASK.tensors.dataset(CARD, "test", PROBLEM)
    assert isinstance(test, VerificationDataset)
    batch = test.batch([5, 2])
    assert batch["index"].tolist() == [5, 2]
    labels = torch.tensor([sample.label for sample in test.samples])[batch["pairs"][:, :2]]
    assert torch.equal((labels[:, 0] == labels[:, 1]).long(), batch["pairs"][:, 2])
    assert len(batch["pairs"]) == pytest.approx(len(test) * (len(test) - 1) / 2)
