"""Which of two epochs is the better one: by the monitor's metric, and where that is equal by the validation loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

from zoo.api.specs import Monitor


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochScore:
    """What an epoch is ranked by."""

    value: float
    """The monitor's metric."""
    loss: float | None = None
    """The validation loss; None where the trainer tells none."""

    def is_better(self, other: EpochScore, monitor: Monitor) -> bool:
        """Whether this epoch is strictly better than an earlier one.

        Of equal metrics the lower loss is better, and a loss that is no number is worse than any other.  Where one of
        both losses is unknown, equal metrics are equally good.
        """
        if self.value != other.value:
            return self.value > other.value if monitor.mode == "max" else self.value < other.value
        if self.loss is None or other.loss is None:
            return False
        return self.loss < other.loss or (math.isnan(other.loss) and not math.isnan(self.loss))
