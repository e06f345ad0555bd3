"""Regression of numbers from a CSV; for those who have none, a function that is known to be hard for lines.

y = 10 sin(pi x1 x2) + 20 (x3 - 0.5)^2 + 10 x4 + 5 x5 + noise; x6 to x10 say nothing about y (Friedman, Multivariate
adaptive regression splines, Annals of Statistics 1991).
"""

import numpy as np

from zoo import Row, Split, TableAnswers, TableData

COUNTS: dict[Split, int] = {"train": 2000, "validation": 500, "test": 500}


class FriedmanData(TableData):
    """CSV and TSV files with columns `target` or `target_NAME`, or `friedman`."""

    embedded = "friedman"

    def names(self) -> tuple[list[str], list[str]]:
        """Ten columns, one target."""
        return [f"x{number}" for number in range(1, 11)], ["target"]

    def rows(self, split: Split) -> list[Row]:
        """Drawn rows, the same ones every time."""
        chance = np.random.default_rng([1991, list(COUNTS).index(split)])
        x = chance.uniform(size=(COUNTS[split], 10)).round(4)
        y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
        y = (y + chance.normal(size=len(y))).round(4)
        return [Row(f"{split}/{at}", tuple(map(float, row)), (float(y[at]),)) for at, row in enumerate(x)]


class FriedmanAnswers(TableAnswers):
    """Numbers by name."""

    data = FriedmanData
