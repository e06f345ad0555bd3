from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import zoo
import zoo_wavenet.plugin
from zoo_wavenet import model
from zoo_wavenet.model import ConditionedWaveNet, Layer, Size, WaveNet

TINY = Size(residual=4, skip=6, stacks=2, doublings=3)


def network() -> WaveNet:
    torch.manual_seed(1)
    return WaveNet(size=TINY).eval()


def conditioned() -> ConditionedWaveNet:
    torch.manual_seed(1)
    return ConditionedWaveNet(size=TINY, num_classes=3).eval()


def zeros(net: WaveNet, rows: int) -> Tensor:
    return torch.from_numpy(net.signature.initial_state(rows)["queues"])


def codes(rows: int, length: int) -> Tensor:
    return torch.randint(256, (rows, length), generator=torch.Generator().manual_seed(5))


def padded(net: WaveNet, samples: Tensor) -> Tensor:
    """The network of the paper: every convolution padded with zeros before, no queues."""
    stream = net.embedding(samples).transpose(1, 2)
    stream = F.conv1d(F.pad(stream, (1, 0)), net.front.conv.weight, net.front.conv.bias)
    total = torch.zeros(())
    layers = cast("list[Layer]", list(net.layers))
    for layer, dilation in zip(layers, (1, 2, 4, 1, 2, 4), strict=True):
        conv = layer.dilated.conv
        signal, gate = F.conv1d(F.pad(stream, (dilation, 0)), conv.weight, conv.bias, dilation=dilation).chunk(2, dim=1)
        gated = signal.tanh() * gate.sigmoid()
        total = total + layer.skip(gated)
        stream = stream if layer.residual is None else stream + layer.residual(gated)
    return net.head(net.hidden(total.relu()).relu()).transpose(1, 2)  # type: ignore[no-any-return]


def test_queues_of_zeros_are_the_padding_of_the_paper() -> None:
    net = network()
    logits, _ = net(codes(2, 40), zeros(net, 2))
    assert torch.allclose(logits, padded(net, codes(2, 40)), atol=1e-6)


@pytest.mark.parametrize("pieces", [[1] * 40, [33, 5, 2], [1, 39], [40]])
def test_a_sound_in_pieces_gives_what_the_whole_sound_gives(pieces: list[int]) -> None:
    net = network()
    whole, after = net(codes(2, 40), zeros(net, 2))
    queues, found = zeros(net, 2), []
    for piece in torch.split(codes(2, 40), pieces, dim=1):
        logits, queues = net(piece, queues)
        found.append(logits)
    assert torch.allclose(torch.cat(found, dim=1), whole, atol=1e-6)
    assert torch.allclose(queues, after, atol=1e-6)


def test_a_sample_is_heard_for_the_receptive_field_and_never_before() -> None:
    net = network()
    assert TINY.receptive_field == 16
    before, _ = net(codes(1, 40), zeros(net, 1))
    for changed in (0, 7, 30):
        other = codes(1, 40)
        other[0, changed] = (other[0, changed] + 100) % 256
        after, _ = net(other, zeros(net, 1))
        moved = (after != before).any(dim=2)[0].nonzero()[:, 0].tolist()
        assert moved == list(range(changed, min(changed + 16, 40)))


def test_every_row_is_of_its_own_class() -> None:
    net = conditioned()
    same = codes(1, 20).expand(3, -1)
    logits, _ = net(same, torch.tensor([0, 1, 1]), zeros(net, 3))
    assert torch.equal(logits[1], logits[2])
    assert not torch.allclose(logits[0], logits[1], atol=1e-3)
    alone, _ = net(same[:1], torch.tensor([1]), zeros(net, 1))
    assert torch.allclose(alone[0], logits[1], atol=1e-6)


def test_the_state_is_one_value_for_each_step_that_a_layer_looks_back() -> None:
    inputs, outputs = conditioned().signature.state
    assert [port.shape for port in inputs] == [("batch", 4, 1 + 2 * (1 + 2 + 4))]
    assert [(port.name, port.feeds) for port in outputs] == [("queues_out", "queues")]
    assert [port.name for port in conditioned().signature.inputs] == ["samples", "condition", "queues"]
    assert [port.name for port in network().signature.inputs] == ["samples", "queues"]


def test_every_parameter_learns() -> None:
    net = conditioned()
    logits, _ = net(codes(3, 20), torch.tensor([0, 1, 2]), zeros(net, 3))
    torch.autograd.backward(F.cross_entropy(logits.flatten(0, 1), codes(3, 20).flatten()))
    assert [name for name, one in net.named_parameters() if one.grad is None or not one.grad.any()] == []


def test_the_published_size_is_the_papers() -> None:
    assert model.FULL.dilations == (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) * 3
    assert (model.FULL.receptive_field, model.TINY.receptive_field) == (3071, 256)


def test_the_declared_numbers_of_parameters_are_those_built() -> None:
    for spec in zoo_wavenet.plugin.zoo_models():
        with torch.device("meta"):
            built = getattr(model, spec.builder.partition(":")[2])(num_classes=3)
        assert sum(one.numel() for one in built.parameters()) == spec.parameters, spec.name


@pytest.mark.slow
def test_the_shipped_network_goes_on_with_tunes_it_never_heard() -> None:
    found = zoo.evaluate("wavenet_tiny@tones", split="test", device="cpu")
    assert found.metrics["bits_per_sample"] == pytest.approx(2.2702, abs=1e-3)


def test_the_shipped_network_writes_a_wav_file_of_a_class() -> None:
    (answer,) = zoo.predict("wavenet_tiny@tones", ["pure"], settings={"seconds": 0.05, "seed": 1})
    assert answer.shown is not None
    assert answer.shown.record["class"] == "pure"
    assert answer.shown.files[".wav"].startswith(b"RIFF")
