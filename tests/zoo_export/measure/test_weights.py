"""The numbers in the file are the module's own, bit for bit; what is not is named."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from tests.zoo_export.conftest import tiny
from zoo.api.task import Port, Signature
from zoo_export.capture.onnx_graph import copy_of
from zoo_export.capture.torch_export import Graph, export_graph
from zoo_export.measure.weights import differing, measure_lineage, trace
from zoo_export.proof.prove import Proof
from zoo_export.subject.state_dict import state_sha256

X = Port(name="x", dtype="float32", shape=("batch", 4))
SIGNATURE = Signature(inputs=(X,), outputs=(Port(name="y", dtype="float32", shape=("batch", 4)),))
INPUTS = {"x": np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)}


def captured(module: nn.Module) -> Graph:
    return export_graph(module.eval(), INPUTS, SIGNATURE, opset=18, name="it")


def test_every_tensor_of_a_batch_norm_net_is_found_and_its_counter_is_unused(proof: Proof) -> None:
    lineage = proof.evidence.lineage
    assert lineage is not None
    assert (lineage.total, lineage.equal, lineage.unused) == (9, 8, ("bn.num_batches_tracked",))
    assert (lineage.different, lineage.missing, lineage.extra) == ((), (), ())


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4, bias=False)
        self.second = nn.Linear(4, 4, bias=False)
        self.second.weight = self.first.weight
        self.spare = nn.Linear(4, 4)
        self.register_buffer("shift", torch.ones(4) / 3, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(torch.relu(self.first(x))) + self.get_buffer("shift")
        return y


def test_tied_tensors_count_once_and_unused_ones_are_proved_unused() -> None:
    module = Tied()
    found = measure_lineage(module, captured(module).plain.model, INPUTS, SIGNATURE)
    assert found.tied == ("second.weight = first.weight",)
    assert found.unused == ("spare.weight", "spare.bias")
    assert (found.total, found.equal, found.missing, found.extra) == (4, 2, (), ())


def test_a_tied_tensor_that_the_file_holds_twice_is_equal_both_times() -> None:
    module = Tied()
    plain = copy_of(captured(module).plain.model)
    values = module.first.weight.detach().numpy()
    (other,) = {"first.weight", "second.weight"} - {one.name for one in plain.graph.initializer}
    plain.graph.initializer.append(numpy_helper.from_array(values + np.float32(1), other))
    assert measure_lineage(module, plain, INPUTS, SIGNATURE).different == (other,)


class Masked(nn.Module):
    """A mask of ones that the code needs."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.mask: Tensor
        self.register_buffer("mask", torch.ones(4, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x) * self.mask
        return y


def test_whole_numbers_that_are_all_one_are_not_taken_for_unused() -> None:
    module = Masked()
    plain = copy_of(captured(module).plain.model)
    kept = [one for one in plain.graph.initializer if one.name != "mask"]
    del plain.graph.initializer[:]
    plain.graph.initializer.extend(kept)
    found = measure_lineage(module, plain, INPUTS, SIGNATURE)
    assert (found.missing, found.unused) == (("mask",), ())


class Hidden(nn.Module):
    """Weights that are no part of its state."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.secret = torch.arange(400.0).reshape(4, 100)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x) + (x @ self.secret)[:, :4]
        return y


def test_a_large_constant_that_no_module_holds_is_extra_and_told_the_way_out() -> None:
    module = Hidden()
    graph = captured(module)
    held = [name for name, value in vars(module).items() if isinstance(value, torch.Tensor)]
    for name in held:
        setattr(module, name, getattr(module, name) + 1)
    found = measure_lineage(module, graph.plain.model, INPUTS, SIGNATURE)
    assert len(found.extra) == 1
    assert "[4, 100]" in found.extra[0]
    assert "register_buffer" in found.extra[0]


def test_a_large_constant_is_explained_by_the_module_that_holds_it() -> None:
    module = Hidden()
    assert measure_lineage(module, captured(module).plain.model, INPUTS, SIGNATURE).extra == ()


def test_a_tensor_that_is_used_but_not_in_the_graph_is_missing_and_a_changed_one_differs() -> None:
    module = nn.Linear(4, 4)
    graph = captured(module)
    without = copy_of(graph.plain.model)
    del without.graph.initializer[:]
    assert measure_lineage(module, without, INPUTS, SIGNATURE).missing == ("weight", "bias")
    with torch.no_grad():
        module.weight[0, 0] *= 1.01
    changed = measure_lineage(module, graph.plain.model, INPUTS, SIGNATURE)
    assert (changed.different, changed.equal) == (("weight",), 1)


def test_one_weight_changed_in_the_shipped_file_is_named(proof: Proof) -> None:
    derived = proof.exported.graph.shipped.model
    file = copy_of(derived)
    tensor = next(one for one in file.graph.initializer if one.name == "head.weight")
    values = numpy_helper.to_array(tensor).copy()
    values[2, 3] *= np.float32(1.01)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    assert differing(derived, derived) == ()
    (sentence,) = differing(file, derived)
    assert sentence.startswith("head.weight: ")
    assert "of 96 bytes differ" in sentence


def test_tensors_of_a_file_made_elsewhere_are_told_by_their_numbers(proof: Proof) -> None:
    module, derived = tiny(), proof.exported.graph.shipped.model
    renamed = copy_of(derived)
    for number, tensor in enumerate(renamed.graph.initializer):
        values = numpy_helper.to_array(tensor)
        turned = values.T if tensor.name == "head.weight" else values
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(turned), f"t{number}"))
    found = trace(module, derived, renamed)
    assert found is not None
    assert (found.equal, found.different) == (found.total, ())
    _scale(renamed, 1.01)
    changed = trace(module, derived, renamed)
    assert changed is not None
    assert len(changed.different) == 1
    _scale(renamed, 100.0)
    assert trace(module, derived, renamed) is None


def _scale(model: onnx.ModelProto, factor: float) -> None:
    tensor = max(model.graph.initializer, key=lambda one: len(one.dims))
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(factor), tensor.name))


def test_the_digest_of_a_state_sees_one_bit_and_one_name() -> None:
    first, second = tiny(), tiny()
    assert state_sha256(first) == state_sha256(second)
    with torch.no_grad():
        second.head.bias[0] = torch.nextafter(second.head.bias[0], torch.tensor(9.0))
    assert state_sha256(first) != state_sha256(second)
