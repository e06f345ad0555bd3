from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

import zoo
import zoo_rnn.plugin
from zoo_rnn import model
from zoo_rnn.model import Cell, Classifier, LanguageModel, Size

CELLS: tuple[Cell, ...] = ("rnn", "gru", "lstm")
TINY = Size(embedding=5, hidden=7, layers=2)


def classifier(cell: Cell, *, size: Size = TINY) -> Classifier:
    torch.manual_seed(1)
    return Classifier(cell=cell, size=size, vocabulary_size=11, num_classes=3).eval()


def writer(cell: Cell) -> LanguageModel:
    torch.manual_seed(1)
    return LanguageModel(cell=cell, size=TINY, vocabulary_size=11).eval()


def padded(*texts: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(text) for text in texts)
    tokens = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
    return tokens, torch.tensor([len(text) for text in texts])


@pytest.mark.parametrize("cell", CELLS)
def test_what_stands_behind_a_text_means_nothing(cell: Cell) -> None:
    network = classifier(cell)
    texts = [[3, 4, 5], [6], [2, 2, 2, 9, 8, 7, 1]]
    together = network(*padded(*texts))
    for text, answer in zip(texts, together, strict=True):
        assert torch.allclose(network(*padded(text))[0], answer, atol=1e-6)
    tokens, lengths = padded(*texts)
    tokens[0, 3:] = 10
    assert torch.allclose(network(tokens, lengths), together, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_packed_sequences_are_what_a_bidirectional_layer_of_torch_reads(cell: Cell) -> None:
    network = classifier(cell, size=Size(embedding=5, hidden=7)).recurrent
    library = model.CELLS[cell](5, 7, batch_first=True, bidirectional=True)
    backward = {f"{name}_reverse": value for name, value in network.backwards[0].named_parameters()}
    library.load_state_dict({**dict(network.forwards[0].named_parameters()), **backward})
    values, lengths = torch.randn(3, 6, 5), torch.tensor([6, 1, 4])
    packed = nn.utils.rnn.pack_padded_sequence(values, lengths, batch_first=True, enforce_sorted=False)
    expected = nn.utils.rnn.pad_packed_sequence(library(packed)[0], batch_first=True)[0]
    inside = (torch.arange(6)[None] < lengths[:, None])[:, :, None]
    assert torch.allclose(network(values, lengths) * inside, expected, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_captured_graph_computes_the_same_without_packing(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    network = classifier(cell)
    tokens, lengths = padded([3, 4, 5], [6], [2, 2, 2, 9, 8, 7, 1])
    packed = network(tokens, lengths)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    assert torch.allclose(network(tokens, lengths), packed, atol=1e-6)


def test_the_order_of_a_text_matters() -> None:
    network = classifier("gru")
    one, other = network(*padded([3, 4, 5])), network(*padded([5, 4, 3]))
    assert not torch.allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("cell", CELLS)
def test_a_text_in_pieces_gives_what_the_whole_text_gives(cell: Cell) -> None:
    network = writer(cell)
    tokens = torch.randint(11, (2, 9))
    zeros = [torch.from_numpy(value) for value in network.signature.initial_state(2).values()]
    whole, *after = network(tokens, *zeros)
    pieces, state = [], zeros
    for piece in torch.split(tokens, [1, 5, 3], dim=1):
        logits, *state = network(piece, *state)
        pieces.append(logits)
    assert torch.allclose(torch.cat(pieces, dim=1), whole, atol=1e-6)
    for one, other in zip(after, state, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_the_signature_is_what_the_model_takes_and_gives(cell: Cell) -> None:
    network = writer(cell)
    signature = network.signature
    state = signature.initial_state(2)
    assert set(signature.feedback) == ({"state", "cell"} if cell == "lstm" else {"state"})
    outputs = network(torch.zeros(2, 3, dtype=torch.int64), *map(torch.from_numpy, state.values()))
    shapes = {"batch": 2, "length": 3}
    for port, value in zip(signature.outputs, outputs, strict=True):
        assert value.shape == tuple(shapes.get(str(size), size) for size in port.shape)


def test_the_declared_numbers_of_parameters_are_those_built() -> None:
    known = {"text-classification": {"vocabulary_size": 189, "num_classes": 20}}
    for spec in zoo_rnn.plugin.zoo_models():
        words = 10_000 if "_lm_" in spec.name else 190
        facts = known.get(spec.task, {"vocabulary_size": words})
        with torch.device("meta"):
            built = getattr(model, spec.builder.partition(":")[2])(**facts)
        assert sum(one.numel() for one in built.parameters()) == spec.parameters, spec.name


def test_names_are_unique_and_recipes_suit_their_data() -> None:
    specs = list(zoo_rnn.plugin.zoo_models())
    assert not [pair for pair in itertools.combinations(specs, 2) if pair[0].name == pair[1].name]
    assert all({"names", "default"} <= set(spec.recipes) for spec in specs)


def test_the_shipped_writer_is_less_surprised_than_a_4_gram_and_writes_names() -> None:
    found = zoo.evaluate("gru_lm@names", device="cpu").metrics
    assert found["bits_per_character"] == pytest.approx(2.5397, abs=1e-3)
    assert found["bits_per_character"] < 2.7676  # benchmarks/ngram.json
    [answer] = zoo.predict("gru_lm@names", ["Norw"], settings={"length": 20, "temperature": 0.0})
    assert answer.shown is not None
    assert answer.shown.text.startswith("Norweg")
    assert answer.record()["text"] == answer.shown.text


def test_the_shipped_classifier_knows_the_language_of_names_it_never_saw() -> None:
    found = zoo.evaluate("gru@names", device="cpu").metrics
    assert found["accuracy"] == pytest.approx(0.8058, abs=1e-3)
    [answer] = zoo.predict("gru@names", ["korona norweska"], limit=2)
    assert answer.record()["classes"][0]["name"] == "pl"  # type: ignore[index, call-overload]
