"""A perceptron with two hidden layers.  [torch]"""

from torch import Tensor, nn


class TableMlp(nn.Module):
    """float32 [n, features] -> [n, targets], both normalised."""

    def __init__(self, features: int, targets: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, targets)

    def forward(self, rows: Tensor) -> Tensor:
        """The answers to rows."""
        answer: Tensor = self.head(self.body(rows))
        return answer


def table_mlp(*, features: int, num_targets: int) -> nn.Module:
    """Two hidden layers of 64."""
    return TableMlp(features, num_targets, width=64)
