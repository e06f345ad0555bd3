"""How often would a sound export be rejected, where a model has few outputs?

Small models of 2, 3 and 10 classes are trained for a moment and exported; every digit is one case, with its error in
ONNX Runtime and its noise in three PyTorch backends against fp64.  A proof draws 12 cases; it warns above 4 and fails
above 8.  "alone" takes each case's own noise as the denominator, "usual" not less than the noise over all 12.

    PYTHONPATH=.:plugins:export python benchmarks/few_outputs.py > benchmarks/few_outputs.txt
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

from tests.zoo_export.controls.suite.models import small_mobilenet, small_resnet
from zoo.bundle.judge.evidence import Magnitude, OutputError
from zoo.bundle.judge.parity_rule import WARN_ABOVE, K, judge_output, usual_noise
from zoo.data.embedded.digits import load
from zoo_cnn.model import cnn
from zoo_export.reference.backends import without_onednn
from zoo_export.reference.oracle import magnitude

CASES, PROOFS, DRAWN, SEEDS = 400, 300, 12, 3
Build = Callable[[int], nn.Module]


def resnet(classes: int) -> nn.Module:
    """The mutants' small ResNet."""
    return nn.Sequential(*list(small_resnet().children())[:-1], nn.Linear(32, classes))


def mobilenet(classes: int) -> nn.Module:
    """The mutants' small MobileNet."""
    return nn.Sequential(*list(small_mobilenet().children())[:-1], nn.Linear(48, classes))


def small_cnn(classes: int) -> nn.Module:
    """zoo's own cnn."""
    return cnn(channels=3, image_size=(28, 28), num_classes=classes)


def pictures(images: np.ndarray) -> torch.Tensor:
    """Normalised colour pictures."""
    return (torch.from_numpy(images.copy()).unsqueeze(1).expand(-1, 3, -1, -1).float() / 255 - 0.45) / 0.226


def fitted(build: Build, classes: int, seed: int) -> nn.Module:
    """Forty steps of training."""
    torch.manual_seed(seed)
    module, digits = build(classes), load()
    labels = torch.from_numpy(digits.train_labels.copy()) % classes
    optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3)
    for step in range(40):
        part = slice(step * 48, step * 48 + 48)
        loss = functional.cross_entropy(module(pictures(digits.train_images[part])), labels[part])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return module.eval()


def measured(module: nn.Module) -> list[OutputError]:
    """Every digit as a case: scale, noise and error."""
    inputs = pictures(load().test_images[:CASES])
    program = torch.onnx.export(module, (inputs[:2],), dynamic_shapes=({0: "batch"},), opset_version=18, verbose=False)
    assert program is not None
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    name = session.get_inputs()[0].name
    actual = np.concatenate([session.run(None, {name: part.numpy()})[0] for part in torch.split(inputs, 7)])
    with torch.no_grad():
        expected = copy.deepcopy(module).double()(inputs.double()).numpy()
        noisy = [module(inputs).numpy()]
        with without_onednn():
            noisy.append(module(inputs).numpy())
        last = copy.deepcopy(module).to(memory_format=torch.channels_last)
        noisy.append(last(inputs.contiguous(memory_format=torch.channels_last)).numpy())
    return [_case(expected[index], actual[index], [run[index] for run in noisy]) for index in range(CASES)]


def _case(expected: np.ndarray, actual: np.ndarray, noisy: list[np.ndarray]) -> OutputError:
    noises = [magnitude(run - expected) for run in noisy]
    return OutputError(
        name="logits",
        compare="rule",
        dtype="float32",
        reference_dtype="float32",
        shape=expected.shape,
        reference_shape=expected.shape,
        finite=True,
        reference_finite=True,
        scale=magnitude(expected),
        onnx=magnitude(actual - expected),
        torch=Magnitude(rms=min(n.rms or 0 for n in noises), max=min(n.max or 0 for n in noises)),
    )


def rates(cases: list[OutputError], *, pooled: bool) -> tuple[float, float, float]:
    """Shares of proofs that warn or worse and that fail, and the largest ratio."""
    rng = np.random.default_rng(0)
    worst = []
    for _ in range(PROOFS):
        drawn = [cases[at] for at in rng.choice(CASES, DRAWN, replace=False)]
        usual = usual_noise(drawn) if pooled else None
        worst.append(max(judge_output(case, usual=usual).ratio or 0.0 for case in drawn))
    found = np.array(worst)
    return float((found > WARN_ABOVE).mean()), float((found > K).mean()), float(found.max())


def main() -> None:
    print(f"{'model':<10} classes seed   alone: warn  fail  worst   usual: warn  fail  worst")
    for build in (resnet, mobilenet, small_cnn):
        for classes in (2, 3, 10):
            for seed in range(SEEDS):
                cases = measured(fitted(build, classes, seed))
                cells = [f"{a:11.3f} {b:5.3f} {c:6.1f}" for a, b, c in (rates(cases, pooled=p) for p in (False, True))]
                print(f"{build.__name__:<10} {classes:7} {seed:4} {cells[0]}  {cells[1]}", flush=True)


if __name__ == "__main__":
    main()
