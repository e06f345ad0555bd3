"""Between a module's outputs and the names of its ports."""

from __future__ import annotations

import torch

from zoo.api.task import Port
from zoo_export.subject.module_io import output_order

PORTS = tuple(Port(name=name, dtype="float32", shape=(2,)) for name in ("a", "b"))
ONE, TWO = torch.zeros(2), torch.ones(2)


def test_a_dictionary_may_have_its_outputs_in_any_order() -> None:
    assert output_order({"b": ONE, "a": TWO}, PORTS) == ["b", "a"]
    assert output_order((ONE, TWO), PORTS) == ["a", "b"]


def test_one_tensor_may_go_out_under_two_names() -> None:
    assert output_order((ONE, ONE), PORTS) == ["a", "b"]
