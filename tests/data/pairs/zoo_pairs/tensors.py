"""Tensors, graphs, the model and its trainer.  [torch]"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

import zoo
from zoo import Batch, Port, Signature
from zoo_pairs.task import Pair, arrays, pair_input


class PairDataset:
    """A split in memory."""

    def __init__(self, samples: Sequence[Pair], problem: zoo.Problem) -> None:
        drawn = [arrays(sample, pair_input(problem)) for sample in samples]
        self.pictures = {
            name: torch.stack([torch.from_numpy(one[name]) for one in drawn]) for name in ("left", "right")
        }
        self.distance = torch.tensor([[sample.distance] for sample in samples])

    def __len__(self) -> int:
        return len(self.distance)

    def batch(self, indices: Sequence[int]) -> Batch:
        """uint8 [n, height, width] twice, distance [n, 1]."""
        index = torch.as_tensor(indices)
        return {name: value[index] for name, value in {**self.pictures, "distance": self.distance}.items()}

    def ready(self, batch: Batch) -> Batch:
        """float32 [n, 1, height, width] in 0..1."""
        return {**batch, **{name: batch[name].float().unsqueeze(1) / 255 for name in ("left", "right")}}


class PairMetrics(zoo.MeanMetrics):
    """error: the mean absolute error, in shares of a side."""

    names = ("error",)

    def values(self, outputs: Batch, batch: Batch) -> Mapping[str, Tensor]:
        """[n, 1]."""
        return {"error": (outputs["distance"] - batch["distance"]).abs()}


class PairTensors:
    """Dots."""

    def dataset(self, card: zoo.DataCard, split: zoo.Split, problem: zoo.Problem) -> PairDataset:
        """One split."""
        return PairDataset(card.splits[split], problem)

    def augment(self, batch: Batch, augment: zoo.Augment, generator: torch.Generator) -> Batch:  # noqa: ARG002
        """As it is."""
        return batch

    def metrics(self, problem: zoo.Problem) -> PairMetrics:  # noqa: ARG002
        """error."""
        return PairMetrics()


class PairGraphs:
    """Two pictures to a distance."""

    def signatures(self, problem: zoo.Problem) -> zoo.Signatures:
        """left and right, uint8 without a batch axis for the pipeline."""
        sizes = {"left": pair_input(problem).left, "right": pair_input(problem).right}
        ready = tuple(Port(name=name, dtype="float32", shape=("batch", 1, *size)) for name, size in sizes.items())
        raw = tuple(Port(name=name, dtype="uint8", shape=size) for name, size in sizes.items())
        model = Signature(inputs=ready, outputs=(Port(name="distance", dtype="float32", shape=("batch", 1)),))
        answer = (Port(name="distance", dtype="float32", shape=(1,)),)
        return zoo.Signatures(model=model, pipeline=Signature(inputs=raw, outputs=answer))

    def preprocess(self, problem: zoo.Problem) -> nn.Module:  # noqa: ARG002
        """Grey levels to 0..1."""
        return Ready()

    def postprocess(self, problem: zoo.Problem) -> nn.Module:  # noqa: ARG002
        """Without the batch axis."""
        return nn.Flatten(0)

    def postprocess_steps(self, problem: zoo.Problem) -> tuple[zoo.PostprocessStep, ...]:  # noqa: ARG002
        """None of the known."""
        return zoo.CUSTOM_POSTPROCESS


class Ready(nn.Module):
    """uint8 [height, width] twice -> float32 [1, 1, height, width] in 0..1."""

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Both."""
        return left.float()[None, None] / 255, right.float()[None, None] / 255


class PairNet(nn.Module):
    """Each picture to where its dot is, and both to a distance."""

    def __init__(self, left: Sequence[int], right: Sequence[int]) -> None:
        super().__init__()
        self.left, self.right = (nn.Sequential(nn.Flatten(), nn.Linear(a * b, 16), nn.Tanh()) for a, b in (left, right))
        self.head = nn.Sequential(nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """[n, 1]."""
        answer: Tensor = self.head(torch.cat([self.left(left), self.right(right)], 1))
        return answer


def pair_net(*, left: Sequence[int], right: Sequence[int]) -> nn.Module:
    """For pictures of these sizes."""
    return PairNet(left, right)


class PairTrainer(zoo.SingleModelTrainer):
    """Mean squared error."""

    def step(self, context: zoo.StepContext, batch: Batch) -> zoo.StepOutput:
        """Learn from one batch."""
        found = context.modules["model"](batch["left"], batch["right"])
        loss = nn.functional.mse_loss(found, batch["distance"])
        context.backward(loss)
        context.update("model")
        return zoo.StepOutput(loss=loss.detach(), count=len(found))

    def predict(self, context: zoo.StepContext, batch: Batch) -> Batch:
        """`distance` [n, 1]."""
        return {"distance": context.modules["model"](batch["left"], batch["right"])}
