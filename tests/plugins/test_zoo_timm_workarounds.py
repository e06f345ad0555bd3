"""What of timm's networks cannot be captured as it is; each test fails once upstream needs no workaround."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from timm.layers.cond_conv2d import CondConv2d
from timm.models import (
    convit,
    efficientformer,
    efficientformer_v2,
    efficientvit_msra,
    levit,
    tiny_vit,
)
from torch import Tensor, nn

from zoo_timm.workarounds import apply_workarounds


def attention() -> levit.Attention:
    """One layer of 4 x 4 positions, in eval mode."""
    torch.manual_seed(0)
    layer = levit.Attention(dim=16, key_dim=8, num_heads=2, resolution=(4, 4))
    layer.eval()  # which gives nothing back
    for parameter in layer.parameters():
        nn.init.normal_(parameter)  # the last scale starts at zero
    return layer


def constants(layer: nn.Module, inputs: Tensor) -> list[str]:
    """The names of tensors in the capture that are neither parameters nor buffers."""
    layer(inputs)
    program = torch.export.export(layer, (inputs,), strict=False)
    return [name for name in program.constants if "lifted_tensor" in name]


def test_levits_attention_still_loses_its_parameter_in_a_capture() -> None:
    inputs = torch.rand(2, 16, 16)
    assert constants(attention(), inputs) != []
    assert constants(apply_workarounds(attention()), inputs) == []


def test_the_answers_stay_and_new_parameters_are_heard() -> None:
    inputs = torch.rand(2, 16, 16)
    layer = attention()
    expected = layer(inputs)
    assert torch.equal(apply_workarounds(layer)(inputs), expected)
    with torch.no_grad():
        layer.attention_biases.add_(torch.rand_like(layer.attention_biases))
    assert not torch.allclose(layer(inputs), expected)


def test_convit_still_begins_with_the_distances_of_a_single_patch() -> None:
    model = convit.ConVit(img_size=32, patch_size=16, embed_dim=8, depth=2, num_heads=2, local_up_to_layer=1)
    layer = model.get_submodule("blocks.0.attn")
    assert layer.get_buffer("rel_indices").shape == (1, 1, 1, 3)
    expected = copy.deepcopy(model).eval()(torch.zeros(1, 3, 32, 32))
    filled = apply_workarounds(model).eval()
    assert layer.get_buffer("rel_indices").shape == (1, 4, 4, 3)
    assert torch.equal(filled(torch.zeros(1, 3, 32, 32)), expected)
    program = torch.export.export(filled, (torch.rand(2, 3, 32, 32),), strict=False)
    assert "blocks.0.attn.rel_indices" in program.graph_signature.inputs_to_buffers.values()


def test_every_module_that_keeps_biases_is_one_of_those_with_the_same_method() -> None:
    """timm has the method five times over; all of them are replaced by the same function."""
    for module in (levit, tiny_vit, efficientvit_msra, efficientformer, efficientformer_v2):
        classes = [kind for kind in vars(module).values() if hasattr(kind, "get_attention_biases")]
        assert classes
    plain = timm.create_model("test_vit").eval()
    before = set(vars(plain))
    assert set(vars(apply_workarounds(plain))) == before


@pytest.mark.parametrize("padding", ["", "same"])
@pytest.mark.parametrize("groups", [1, 4])
def test_a_conditional_convolution_mixes_outputs_where_it_is_captured(padding: str, groups: int) -> None:
    torch.manual_seed(0)
    layer = CondConv2d(4, 8, 3, stride=2, padding=padding, groups=groups, bias=True, num_experts=3).eval()
    inputs = (torch.rand(2, 4, 7, 9), torch.rand(2, 3))
    expected = layer(*inputs)
    assert group_counts(layer, inputs) != {groups}, "timm's own has as many groups as pictures"
    assert group_counts(apply_workarounds(layer), inputs) == {groups}
    assert torch.equal(layer(*inputs), expected)
    torch.testing.assert_close(captured(layer, inputs).module()(*inputs), expected, rtol=1e-5, atol=1e-6)
    three = (torch.rand(3, 4, 7, 9), torch.rand(3, 3))
    torch.testing.assert_close(captured(layer, inputs).module()(*three), layer(*three), rtol=1e-5, atol=1e-6)


def captured(layer: nn.Module, inputs: tuple[Tensor, Tensor]) -> torch.export.ExportedProgram:
    """A capture whose first axis is open."""
    axis = torch.export.Dim.DYNAMIC
    return torch.export.export(layer, inputs, dynamic_shapes=({0: axis}, {0: axis}), strict=False)


def group_counts(layer: nn.Module, inputs: tuple[Tensor, Tensor]) -> set[object]:
    """The groups of every convolution in the capture."""
    nodes = captured(layer, inputs).graph.nodes
    return {node.args[6] if len(node.args) > 6 else 1 for node in nodes if "conv2d" in str(node.target)}
