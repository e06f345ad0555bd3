"""Tasks on tables of numbers: tensors and graphs with defaults.  [torch]"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo.api.data import DataCard, Split
from zoo.api.errors import DataError
from zoo.api.parts import Signatures
from zoo.api.postprocess import CUSTOM_POSTPROCESS, PostprocessStep
from zoo.api.problem import Problem
from zoo.api.task import Batch, Dataset, Metrics, Port, Signature
from zoo.data.charts import new_figure, save
from zoo.data.split_sums import SplitSums
from zoo.tasks.bases.tables import moments
from zoo.tasks.bases.text_tensors import Unchanged

MAX_POINTS = 2000
"""Of the scatter chart."""


class RowDataset:
    """A split in memory: batches of `features` and `targets`, and ready for the model, `input` and `target`."""

    def __init__(self, card: DataCard, split: Split, problem: Problem) -> None:
        rows = card.splits.get(split)
        if not rows:
            raise DataError(f"{card.source.request.source} has no {split} split")
        self.features = torch.tensor([row.features for row in rows], dtype=torch.float32)
        self.targets = torch.tensor([row.targets for row in rows], dtype=torch.float32)
        self.moments = [torch.tensor(one, dtype=torch.float32) for name in NAMES for one in moments(problem, name)]

    def __len__(self) -> int:
        return len(self.features)

    def batch(self, indices: Sequence[int]) -> Batch:
        """features float32 [n, features], targets float32 [n, targets], index int64 [n]."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        return {"features": self.features[index], "targets": self.targets[index], "index": index}

    def ready(self, batch: Batch) -> Batch:
        """The batch with `input` and `target`, both with mean 0 and standard deviation 1."""
        mean, std, target_mean, target_std = (one.to(batch["features"].device) for one in self.moments)
        normalised = {
            "input": (batch["features"] - mean) / std,
            "target": (batch["targets"] - target_mean) / target_std,
        }
        return {**batch, **normalised}


NAMES = ("feature", "target")


class TableTensors(Unchanged):
    """Rows in memory, R2 and mean absolute error.

    Examples:
        >>> monitor = zoo.Monitor(metric="r2", mode="max")
        >>> parts = {"data": "my:Data", "graphs": "zoo:TableGraphs", "answers": "my:Answers", "device": "zoo:read_rows"}
        >>> zoo.TaskSpec(name="houses", tensors="zoo:TableTensors", monitor=monitor, **parts).tensors
        'zoo:TableTensors'
    """

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """One split."""
        return RowDataset(card, split, problem)

    def metrics(self, problem: Problem) -> Metrics:
        """r2 and mae."""
        return RegressionMetrics(problem)


class RegressionMetrics:
    """`outputs["output"]` [n, targets], as the model gives it, against `batch["targets"]`: r2 and mae."""

    def __init__(self, problem: Problem) -> None:
        self.mean, self.std = (torch.tensor(one, dtype=torch.float32) for one in moments(problem, "target"))
        self.sums = SplitSums()
        self.pairs: list[Tensor] = []

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Count one batch."""
        answer, truth = outputs["output"].float(), batch["targets"]
        answer = answer * self.std.to(answer.device) + self.mean.to(answer.device)
        exact, error = truth.double(), (truth - answer).double()
        self.sums.add(rows=len(truth), value=exact.sum(0), square=(exact**2).sum(0))
        self.sums.add(error=error.abs().sum(0), squared_error=(error**2).sum(0))
        self.pairs.append(torch.stack([truth, answer]).cpu())

    def compute(self) -> dict[str, float]:
        """r2, at most 1, and mae in the unit of the targets."""
        rows, value, square = (self.sums.total(name) for name in ("rows", "value", "square"))
        error, squared = (self.sums.total(name) for name in ("error", "squared_error"))
        spread = (square - value**2 / rows).clamp(min=0)  # of a target that is always the same, nothing is explained
        r2 = torch.where(spread > 0, 1 - squared / spread, (squared == 0).double())
        return {"r2": float(r2.mean()), "mae": float((error / rows).mean())}

    def pictures(self, folder: Path) -> list[Path]:
        """answers.png: answer over truth, of each target."""
        if not self.pairs:
            return []
        truth, answer = torch.cat(self.pairs, dim=1)[:, :MAX_POINTS]
        figure = new_figure(5, 5)
        axes = figure.subplots()
        axes.scatter(truth.flatten(), answer.flatten(), s=6)
        ends = [float(truth.min()), float(truth.max())]
        axes.plot(ends, ends, color="grey", linewidth=1)
        axes.set_xlabel("the data say")
        axes.set_ylabel("the model says")
        return [save(figure, folder / "answers.png")]


class Moments(nn.Module):
    """The mean and standard deviation of "feature" or "target" over train, float32 [n]."""

    mean: Tensor
    std: Tensor

    def __init__(self, problem: Problem, name: str) -> None:
        super().__init__()
        for moment, values in zip(("mean", "std"), moments(problem, name), strict=True):
            self.register_buffer(moment, torch.tensor(values, dtype=torch.float32))


class Normalise(Moments):
    """Rows as the model takes them: (value - mean) / std."""

    def forward(self, features: Tensor) -> Tensor:
        """float32 [batch, features] -> the same shape."""
        return (features - self.mean) / self.std


class Denormalise(Moments):
    """What the model answers in the units of the targets: value * std + mean."""

    def forward(self, output: Tensor) -> Tensor:
        """float32 [batch, targets] -> the same shape."""
        return output * self.std + self.mean


class TableGraphs:
    """`features` float32 [batch, features] to `values` float32 [batch, targets].

    Examples:
        >>> means = {"feature_mean": [0.0], "feature_std": [1.0], "target_mean": [0.0], "target_std": [1.0]}
        >>> facts = {"columns": ["area"], "targets": ["price"], **means}
        >>> problem = zoo.Problem(task="table-regression", input=zoo.TableInput(features=1), facts=facts)
        >>> zoo.TableGraphs().signatures(problem).pipeline.outputs[0].name
        'values'
    """

    def signatures(self, problem: Problem) -> Signatures:
        """Normalised rows go through the model: input [batch, features] to output [batch, targets]."""
        features, targets = (len(moments(problem, name)[0]) for name in NAMES)

        def port(name: str, *shape: int | str, doc: str) -> Port:
            return Port(name=name, dtype="float32", shape=shape, doc=doc)

        return Signatures(
            model=Signature(
                inputs=(port("input", "batch", features, doc="normalised"),),
                outputs=(port("output", "batch", targets, doc="normalised"),),
            ),
            pipeline=Signature(
                inputs=(port("features", "batch", features, doc="in the order of the columns"),),
                outputs=(port("values", "batch", targets, doc="in the order of the targets"),),
            ),
        )

    def preprocess(self, problem: Problem) -> nn.Module:
        """Each feature with mean 0 and standard deviation 1."""
        return Normalise(problem, "feature")

    def postprocess(self, problem: Problem) -> nn.Module:
        """Back to the units of the targets."""
        return Denormalise(problem, "target")

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """Scaling is none of the known steps."""
        return CUSTOM_POSTPROCESS
