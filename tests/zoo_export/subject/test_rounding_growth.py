"""Deep random networks are made such that rounding stays small in them; others stay as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from zoo.api.task import Port, Signature
from zoo_export.subject.rounding_growth import MAX_GROWTH, growth, keep_rounding_small

WIDTH = 32
SIGNATURE = Signature(
    inputs=(Port(name="input", dtype="float32", shape=("batch", WIDTH)),),
    outputs=(Port(name="output", dtype="float32", shape=("batch", WIDTH)),),
)
INPUTS = {"input": np.random.default_rng(0).standard_normal((1, WIDTH)).astype(np.float32)}
CALIBRATED_ON = torch.from_numpy(np.random.default_rng(1).standard_normal((64, WIDTH)).astype(np.float32))


def network(layers: int, activation: Callable[[], nn.Module], *, norm_last: bool = False) -> nn.Sequential:
    """Layers of a linear map, a norm and an activation, or of a linear map, an activation and a norm."""
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for _ in range(layers):
        behind = [activation(), nn.BatchNorm1d(WIDTH)] if norm_last else [nn.BatchNorm1d(WIDTH), activation()]
        parts += [nn.Linear(WIDTH, WIDTH), *behind]
    return nn.Sequential(*parts).eval()


def calibration(module: nn.Sequential) -> Callable[[], int]:
    def calibrate() -> int:
        norms = [part for part in module if isinstance(part, nn.BatchNorm1d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        with torch.no_grad():
            module(CALIBRATED_ON)
        module.eval()
        return len(norms)

    calibrate()
    return calibrate


def biases(module: nn.Sequential) -> set[float]:
    return {float(part.bias.detach()[0]) for part in module if isinstance(part, nn.BatchNorm1d)}


def error(module: nn.Sequential) -> float:
    """PyTorch's rounding, relative to the outputs."""
    with torch.no_grad():
        single = module(CALIBRATED_ON).double()
        double = module.double()(CALIBRATED_ON.double())
        module.float()
    return float((single - double).norm() / double.norm())


def test_in_a_deep_network_biases_are_raised_and_rounding_falls() -> None:
    module = network(60, nn.ReLU)
    calibrate = calibration(module)
    before = error(module)
    assert growth(module, INPUTS, SIGNATURE) > MAX_GROWTH
    assert keep_rounding_small(module, INPUTS, SIGNATURE, calibrate=calibrate) == 60
    assert growth(module, INPUTS, SIGNATURE) < MAX_GROWTH
    assert error(module) < before / 10
    assert biases(module) == {1.0}


def test_a_shallow_network_stays_as_it_is() -> None:
    module = network(3, nn.ReLU)
    state = {name: value.clone() for name, value in module.state_dict().items()}
    assert keep_rounding_small(module, INPUTS, SIGNATURE, calibrate=lambda: 1 // 0) == 0
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())


def test_what_does_not_help_is_undone() -> None:
    module = network(60, nn.GELU, norm_last=True)
    calibrate = calibration(module)
    before = growth(module, INPUTS, SIGNATURE)
    assert before > MAX_GROWTH
    assert keep_rounding_small(module, INPUTS, SIGNATURE, calibrate=calibrate) == 0
    assert growth(module, INPUTS, SIGNATURE) == before
    assert biases(module) == {0.0}


def test_tokens_do_not_grow() -> None:
    assert growth(network(2, nn.ReLU), {"tokens": np.ones((1, 4), np.int64)}, SIGNATURE) == 0.0
