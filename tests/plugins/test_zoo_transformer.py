from __future__ import annotations

import pytest
import torch
from torch import nn

import zoo
import zoo_transformer.plugin
from zoo_transformer import model
from zoo_transformer.model import Classifier, LanguageModel, Size, rotate

TINY = Size(width=8, heads=2, layers=2, feed_forward=16, window=4, dropout=0.1)


def classifier() -> Classifier:
    torch.manual_seed(1)
    return Classifier(size=TINY, vocabulary_size=11, num_classes=3).eval()


def writer() -> LanguageModel:
    torch.manual_seed(1)
    return LanguageModel(size=TINY, vocabulary_size=11).eval()


def zeros(network: LanguageModel, rows: int) -> list[torch.Tensor]:
    return [torch.from_numpy(value) for value in network.signature.initial_state(rows).values()]


def test_what_stands_behind_a_text_means_nothing() -> None:
    network = classifier()
    tokens = torch.tensor([[3, 4, 5, 0, 0], [6, 0, 0, 0, 0], [2, 9, 8, 7, 1]])
    lengths = torch.tensor([3, 1, 5])
    together = network(tokens, lengths)
    for row, length, answer in zip(tokens, lengths, together, strict=True):
        alone = network(row[None, : int(length)], length[None])
        assert torch.allclose(alone[0], answer, atol=1e-6)
    tokens[0, 3:] = 10
    assert torch.allclose(network(tokens, lengths), together, atol=1e-6)


def test_evaluating_has_no_fast_path_that_answers_otherwise() -> None:
    network = classifier()
    assert not any(isinstance(part, nn.MultiheadAttention | nn.TransformerEncoderLayer) for part in network.modules())
    given = torch.tensor([[3, 4, 5, 0, 0]]), torch.tensor([3])
    still = Size(width=8, heads=2, layers=2, feed_forward=16, dropout=0.0)
    learning = Classifier(size=still, vocabulary_size=11, num_classes=3).train()
    learning.load_state_dict(network.state_dict())
    assert torch.allclose(network(*given), learning(*given), atol=1e-6)


def test_the_order_of_a_text_matters() -> None:
    network, length = classifier(), torch.tensor([3])
    one, other = network(torch.tensor([[3, 4, 5]]), length), network(torch.tensor([[5, 4, 3]]), length)
    assert not torch.allclose(one, other, atol=1e-4)


def test_products_of_rotated_vectors_tell_distances_alone() -> None:
    query, key = torch.randn(1, 1, 1, 6), torch.randn(1, 1, 1, 6)

    def product(here: int, there: int) -> float:
        one, other = rotate(query, torch.tensor([here])), rotate(key, torch.tensor([there]))
        return float((one * other).sum())

    assert product(9, 5) == pytest.approx(product(4, 0), abs=1e-5)
    assert product(9, 5) != pytest.approx(product(9, 6), abs=1e-3)
    assert float(rotate(query, torch.tensor([7])).norm()) == pytest.approx(float(query.norm()), abs=1e-5)


@pytest.mark.parametrize("pieces", [[1] * 9, [2, 6, 1], [9], [8, 1]])
def test_a_text_in_pieces_gives_what_the_whole_text_gives(pieces: list[int]) -> None:
    network = writer()
    tokens = torch.randint(11, (2, 9), generator=torch.Generator().manual_seed(5))
    whole, *after = network(tokens, *zeros(network, 2))
    state, found = zeros(network, 2), []
    for piece in torch.split(tokens, pieces, dim=1):
        logits, *state = network(piece, *state)
        found.append(logits)
    assert torch.allclose(torch.cat(found, dim=1), whole, atol=1e-6)
    for one, other in zip(after, state, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_token_sees_its_window_and_nothing_after_it() -> None:
    network = LanguageModel(size=Size(width=8, heads=2, layers=1, feed_forward=16, window=4), vocabulary_size=11).eval()
    tokens = torch.randint(11, (1, 9), generator=torch.Generator().manual_seed(5))
    before, *_ = network(tokens, *zeros(network, 1))
    for changed in range(9):
        other = tokens.clone()
        other[0, changed] = (other[0, changed] + 1) % 11
        after, *_ = network(other, *zeros(network, 1))
        moved = (after - before).abs().amax(dim=2)[0] > 1e-7
        assert moved.nonzero()[:, 0].tolist() == list(range(changed, min(changed + 4, 9)))


def test_what_the_cache_has_not_seen_is_not_looked_at() -> None:
    network = writer()
    tokens = torch.tensor([[3, 4]])
    keys, values, seen = zeros(network, 1)
    clean, *_ = network(tokens, keys, values, seen)
    dirty, *_ = network(tokens, keys + 5, values - 5, seen)
    assert torch.equal(clean, dirty)
    looked, *_ = network(tokens, keys + 5, values - 5, torch.ones_like(seen))
    assert not torch.allclose(clean, looked, atol=1e-3)


def test_the_declared_numbers_of_parameters_are_those_built() -> None:
    known = {"text-classification": {"vocabulary_size": 189, "num_classes": 20}}
    for spec in zoo_transformer.plugin.zoo_models():
        words = 32_000 if "_lm_" in spec.name else 190
        facts = known.get(spec.task, {"vocabulary_size": words})
        with torch.device("meta"):
            built = getattr(model, spec.builder.partition(":")[2])(**facts)
        assert sum(one.numel() for one in built.parameters()) == spec.parameters, spec.name


def test_the_shipped_classifier_knows_the_language_of_names_it_never_saw() -> None:
    assert zoo.evaluate("transformer@names", device="cpu").metrics["accuracy"] == pytest.approx(0.7438, abs=1e-3)
