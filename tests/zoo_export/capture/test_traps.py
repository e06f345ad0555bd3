"""Exports that look right and are wrong: for each, the check that everybody makes passes, and the proof does not."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from zoo.api.errors import NotProved, UsageError
from zoo.api.task import Case, Port, Signature
from zoo.bundle.judge.parity_rule import Status, judge_output
from zoo.bundle.sandbox.runtime import Runtime
from zoo.models.outputs import Array, call
from zoo_export.capture.torch_export import check_opset, export_graph, serialize
from zoo_export.measure.onnx_facts import arithmetic
from zoo_export.measure.outputs import compare_case
from zoo_export.reference.oracle import oracle_of, reference_outputs


def allclose(given: Mapping[str, Array], right: Mapping[str, Array]) -> bool:
    """What exporters' own checks do, with a tolerance that is generous already."""
    return all(np.allclose(given[name], right[name], rtol=1e-3, atol=1e-4) for name in right)


class Export:
    """A module as a loaded graph, its eager self and the oracle."""

    def __init__(self, module: nn.Module, example: dict[str, Array], signature: Signature, runtime: Runtime) -> None:
        self.module, self.signature, self.runtime = module.eval(), signature, runtime
        self.graph = export_graph(self.module, example, signature, opset=18, name="trap")
        self.session = runtime.session(serialize(self.graph.shipped.model))
        self.oracle = oracle_of(self.module, signature, example)

    def naive(self, inputs: dict[str, Array]) -> bool:
        """Allclose on one input."""
        return allclose(self.runtime.run(self.session, inputs), call(self.module, inputs, self.signature))

    def status(self, inputs: dict[str, Array]) -> Status:
        """The rule on one input."""
        expected = reference_outputs(self.oracle.run(inputs))
        case = Case(name="case", kind="realistic", inputs=inputs)
        compared = compare_case(case, self.runtime.run(self.session, inputs), expected, self.signature)
        return max((judge_output(output).status for output in compared.outputs), key=list(Status).index)


class Encoder(nn.Module):
    """PyTorch's own encoder; in eval mode it takes a fast path that zeroes padded positions."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=True)

    def forward(self, tokens: Tensor, padded: Tensor) -> Tensor:
        out: Tensor = self.encoder(tokens, src_key_padding_mask=padded)
        return out.mean(1)


@pytest.mark.slow
def test_the_encoder_s_fast_path_shows_only_where_something_is_padded(runtime: Runtime) -> None:
    signature = Signature(
        inputs=(
            Port(name="tokens", dtype="float32", shape=("batch", "length", 16)),
            Port(name="padded", dtype="bool", shape=("batch", "length")),
        ),
        outputs=(Port(name="out", dtype="float32", shape=("batch", 16)),),
    )
    torch.manual_seed(0)
    tokens = np.random.default_rng(0).normal(size=(2, 6, 16)).astype(np.float32)
    whole, padded = np.zeros((2, 6), bool), np.zeros((2, 6), bool)
    padded[0, 3:] = True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export = Export(Encoder(), {"tokens": tokens, "padded": padded}, signature, runtime)
        assert export.naive({"tokens": tokens, "padded": whole})
        assert export.status({"tokens": tokens, "padded": padded}) == Status.FAIL
    assert len(export.oracle.backends.facts.discrepancies) == 1
    assert "fast path" in export.oracle.backends.facts.discrepancies[0]


class Pooling(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(image, 7)


def test_adaptive_pooling_is_wrong_at_a_second_size_only(runtime: Runtime) -> None:
    signature = Signature(
        inputs=(Port(name="image", dtype="float32", shape=("batch", 2, "height", "width")),),
        outputs=(Port(name="pooled", dtype="float32", shape=("batch", 2, 7, 7)),),
    )

    def image(size: int) -> dict[str, Array]:
        return {"image": np.random.default_rng(size).normal(size=(2, 2, size, size)).astype(np.float32)}

    export = Export(Pooling(), image(28), signature, runtime)
    assert export.naive(image(28))
    assert export.status(image(28)) == Status.PASS
    assert export.status(image(56)) == Status.FAIL
    assert any("//" in sentence for sentence in arithmetic(export.graph.shipped.model, (), export.graph.signature))


class TorchvisionResize(nn.Module):
    """The resize of torchvision's transforms on a picture whose axes were turned, not copied."""

    def forward(self, image: Tensor) -> Tensor:
        from torchvision.transforms.v2 import functional as vision

        turned = image.permute(2, 0, 1)
        resized: Tensor = vision.resize(turned, [8, 8], antialias=True)
        return resized.float()


def test_a_turned_picture_is_resized_wrongly_unless_it_is_grey_and_flat(runtime: Runtime) -> None:
    signature = Signature(
        inputs=(Port(name="image", dtype="uint8", shape=(16, 16, 3)),),
        outputs=(Port(name="small", dtype="float32", shape=(3, 8, 8)),),
    )
    flat = np.full((16, 16, 3), 90, np.uint8)
    real = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    export = Export(TorchvisionResize(), {"image": real}, signature, runtime)
    assert export.naive({"image": flat})
    assert export.status({"image": real}) == Status.FAIL


@pytest.mark.slow
@pytest.mark.parametrize("opset", [13, 17])
def test_the_exporter_raises_an_opset_without_a_word(opset: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            nn.Linear(2, 2).eval(), (torch.ones(1, 2),), dynamo=True, verbose=False, opset_version=opset
        )
    assert program is not None
    onnx.checker.check_model(program.model_proto)  # the naive check
    written = next(entry.version for entry in program.model_proto.opset_import if entry.domain == "")
    assert written in (18, opset)
    with pytest.raises(UsageError):
        check_opset(opset)


def test_training_mode_exports_with_a_warning_only() -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).train()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(module, (torch.ones(1, 2),), dynamo=True, verbose=False)
    assert program is not None
    onnx.checker.check_model(program.model_proto)  # the naive check
    signature = Signature(
        inputs=(Port(name="x", dtype="float32", shape=("batch", 2)),),
        outputs=(Port(name="y", dtype="float32", shape=("batch", 2)),),
    )
    with pytest.raises(NotProved, match="training mode"):
        export_graph(module, {"x": np.ones((1, 2), np.float32)}, signature, opset=18, name="it")
