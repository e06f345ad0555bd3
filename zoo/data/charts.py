"""Charts and walls of pictures for metrics, drawn with matplotlib and written at once.

matplotlib is imported where the first figure is made: whoever measures without drawing needs none of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from zoo.api.untrusted import defused
from zoo.runs.atomic import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_CLASSES_WITH_COUNTS: Final = 20
"""Up to so many classes the cells of a confusion matrix show their counts."""
MAX_CLASSES_DRAWN: Final = 40
"""Of more classes, only those that are confused most often are drawn."""
COLUMNS: Final = 4


def new_figure(width: float, height: float, *, layout: Literal["constrained"] | None = None) -> Figure:
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure  # noqa: PLC0415  only drawing needs it

    return Figure(figsize=(width, height), layout=layout)


def save(figure: Figure, path: Path) -> Path:
    """The figure as a PNG file, which appears whole or not at all."""
    memory = BytesIO()
    figure.savefig(memory, format="png", dpi=110, bbox_inches="tight")
    write_bytes(path, memory.getvalue())
    return path


def confusion_chart(matrix: npt.NDArray[Any], classes: Sequence[str]) -> Figure:
    """A confusion matrix, int [classes, classes]: rows are true classes, columns predictions; shaded by row."""
    title = f"{np.trace(matrix):,} of {matrix.sum():,} right"
    shown = np.arange(len(classes))
    if len(classes) > MAX_CLASSES_DRAWN:
        wrong = matrix.sum(0) + matrix.sum(1) - 2 * np.diag(matrix)
        shown = np.sort(np.argsort(-wrong, kind="stable")[:MAX_CLASSES_DRAWN])
        title += f"; the {MAX_CLASSES_DRAWN} classes confused most"
    cells = matrix[np.ix_(shown, shown)]
    shares = cells / np.maximum(matrix.sum(1)[shown], 1)[:, None]
    side = max(3.5, 0.32 * len(shown) + 1.5)
    figure = new_figure(side, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = [classes[number][:18] for number in shown.tolist()]
    axes.set_xticks(range(len(shown)), names, rotation=90 if max(map(len, names)) > 2 else 0, fontsize=8)
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.set_xlabel("the model says")
    axes.set_ylabel("the data say")
    axes.set_title(title, fontsize=10)
    if len(shown) <= MAX_CLASSES_WITH_COUNTS:
        for row, column in zip(*np.nonzero(cells), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, cells[row, column], ha="center", va="center", color=colour, fontsize=7)
    return figure


def wall(images: Sequence[npt.NDArray[np.uint8]], titles: Sequence[str]) -> Figure:
    """Pictures uint8 [h, w, 1 or 3] in rows of four, each under its title."""
    rows = -(-len(images) // COLUMNS)
    figure = new_figure(2 * COLUMNS, 2.3 * rows, layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        axes.imshow(np.repeat(image, 3, axis=2) if image.shape[-1] == 1 else image)
        axes.set_title(title, fontsize=8)
    return figure


def short_name(name: str, *, width: int = 24) -> str:
    """The end of a long name, which tells files apart."""
    return name if len(name) <= width else f"…{name[1 - width :]}"


def save_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    """A CSV file, which appears whole or not at all; what a spreadsheet would take for a formula is defused."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([[defused(cell) for cell in row] for row in (header, *rows)])
    write_bytes(path, text.getvalue().encode(errors="surrogateescape"))
    return path
