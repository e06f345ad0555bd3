"""Parameters from elsewhere under a model's own names."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from zoo.api.errors import BadFile
from zoo.models.weights.fit_names import fit_names


def network(classes: int = 3) -> nn.Module:
    parts = {
        "stem": nn.Linear(2, 4),
        "norm": nn.BatchNorm1d(4),
        "head": nn.Sequential(nn.Linear(4, 4), nn.Linear(4, classes)),
    }
    return nn.Sequential(OrderedDict(parts))


HEAD = ("head.1.",)


def saved(prefix: str = "", classes: int = 3) -> dict[str, Tensor]:
    torch.manual_seed(classes)
    return {f"{prefix}{name}": tensor for name, tensor in network(classes).state_dict().items()}


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "_orig_mod.", "backbone.", "module.model.", "net.0.body."])
def test_prefixes_are_taken_off(prefix: str) -> None:
    fitted = fit_names("w.pth", saved(prefix), network(), head=HEAD)
    assert fitted.fresh == ()
    assert all(torch.equal(fitted.state[name], tensor) for name, tensor in saved().items())
    said = f", the prefix {prefix} taken off" if prefix else ""
    assert fitted.sentence == f"11 of 11 tensors from w.pth{said}"


def test_prefixes_are_put_on() -> None:
    wrapped = nn.Sequential(OrderedDict(network=network()))
    fitted = fit_names("w.pth", saved("module."), wrapped, head=("network.head.1.",))
    assert len(fitted.state) == 11 and "network.stem.weight" in fitted.state


def test_a_head_of_another_size_is_new() -> None:
    fitted = fit_names("w.pth", saved("module.", classes=5), network(), head=HEAD)
    assert fitted.fresh == HEAD and "head.1.weight" not in fitted.state and "head.0.weight" in fitted.state
    assert fitted.sentence == (
        "9 of 11 tensors from w.pth, the prefix module. taken off, left out module.head.1.weight, module.head.1.bias"
    )


def test_a_backbone_without_a_head_gets_a_whole_one() -> None:
    state = {name: tensor for name, tensor in saved().items() if not name.startswith("head")}
    fitted = fit_names("w.pth", state, network(), head=HEAD)
    assert fitted.fresh == ("head.",) and len(fitted.state) == 7


def test_old_files_without_counters_and_what_lies_beside_the_model_are_fine() -> None:
    state = {name: tensor for name, tensor in saved("model.").items() if not name.endswith("num_batches_tracked")}
    fitted = fit_names("w.pth", {**state, "criterion.scale": torch.ones(1)}, network(), head=HEAD)
    assert fitted.fresh == ()
    assert fitted.sentence == "11 of 11 tensors from w.pth, the prefix model. taken off, left out criterion.scale"


def test_a_deeper_network_of_the_same_kind_is_refused() -> None:
    with pytest.raises(BadFile, match=r"this Sequential: stem\.2\.bias is not in the model \(11 of 11 tensors match\)"):
        fit_names("w.pth", {**saved(), "stem.2.bias": torch.ones(3)}, network(), head=HEAD)


def test_another_architecture_is_refused_with_what_it_holds() -> None:
    with pytest.raises(BadFile, match=r"this Sequential: stem\.weight is missing, stem\.bias is missing") as error:
        fit_names("w.pth", {"conv.weight": torch.ones(3)}, network(), head=HEAD)
    assert error.value.hint == "it holds conv.weight: name the architecture that it was trained as"
    wide = {**saved(), "stem.weight": torch.ones(9, 2)}
    with pytest.raises(BadFile, match=r"stem.weight is \[9, 2\] where \[4, 2\] belongs"):
        fit_names("w.pth", wide, network(), head=HEAD)


def test_a_tied_parameter_may_have_one_name() -> None:
    model = network()
    model.add_module("twin", model.get_submodule("stem"))
    assert fit_names("w.pth", saved(), model, head=HEAD).fresh == ()
