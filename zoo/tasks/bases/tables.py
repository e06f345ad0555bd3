"""Tasks on tables of numbers: data and answers with defaults.  Torch-free; the other half is in `table_tensors`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource, Split, counted
from zoo.api.errors import UsageError
from zoo.api.problem import Input, Json, Problem, TableInput
from zoo.api.task import Case, Control, Progress, Purpose, Shown, generic_controls
from zoo.data.agreement import Verdict, noise_margin, numeric_verdict
from zoo.data.item_cases import EXTREME, item_cases
from zoo.data.table import reading
from zoo.data.table.rows import Row, check_table, detect_table, table_card
from zoo.runs.serialization import to_json
from zoo.tasks.bases.items import ItemAnswers, with_truth
from zoo.tasks.bases.reading import DeviceReader

if TYPE_CHECKING:
    from zoo.api.task import Arrays

ABSENT = {
    "classes": "numbers are answered, no classes",
    "channels": "a row has no channels",
    "resize": "a row is not resized",
}
SYNTHETIC_ROWS = 8
RELATIVE = 1e-6
"""A difference of this share of the largest number is that of rounding to float32."""


class TableData(DeviceReader):
    """CSV and TSV files of numbers; the columns `target` or `target_NAME` are the answer.  Samples are `Row`s.

    Examples:
        >>> class Houses(zoo.TableData):
        ...     embedded = ""
    """

    device = reading
    """What bundles carry."""
    noun, hint = "a table", "give a .csv or .tsv file"

    embedded: ClassVar[str] = ""
    """The name of the data that the task brings along, which `rows` makes; empty where it brings none."""

    def rows(self, split: Split) -> Sequence[Row]:
        """The rows of the embedded data."""
        raise NotImplementedError(f"{type(self).__name__} must say rows, as it names embedded data")

    def names(self) -> tuple[Sequence[str], Sequence[str]]:
        """What the columns and the targets of the embedded data are called."""
        raise NotImplementedError(f"{type(self).__name__} must say names, as it names embedded data")

    def detect(self, request: DataRequest) -> DataSource:
        """A CSV or TSV file, or the embedded data."""
        if self.embedded and request.source == self.embedded:
            return DataSource(request=request, format=self.embedded)
        return detect_table(request)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every row read; DataError names each row and column that is no number."""
        if source.location is not None:
            return check_table(source, progress=progress)
        splits: tuple[Split, ...] = ("train", "validation", "test")
        return table_card(source, *self.names(), {split: self.rows(split) for split in splits})

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The names of columns and targets, and the means and standard deviations of both over train."""
        columns, targets = card.facts["columns"], card.facts["targets"]
        assert isinstance(columns, list)
        assert isinstance(targets, list)
        assert isinstance(input, TableInput)
        if input.features not in (0, len(columns)):
            raise UsageError(
                f"the model takes {counted(input.features, 'number')}, {card.source.request.source} has {len(columns)}"
            )
        train = card.splits["train"]
        facts: dict[str, Json] = {"columns": columns, "targets": targets, "num_targets": len(targets)}
        for name, values in (("feature", [row.features for row in train]), ("target", [row.targets for row in train])):
            facts |= _moments(name, np.array(values, np.float64))
        return Problem(task=task, input=replace(input, features=len(columns)), facts=facts)


class TableAnswers(ItemAnswers):
    """Numbers in, numbers out: cases, agreement, metrics, showing.

    Examples:
        >>> class Answers(zoo.TableAnswers):
        ...     data = zoo.TableData
    """

    data: ClassVar[type[TableData]] = TableData
    """The task's data, whose embedded rows are cases for models that were made for them."""

    def embedded_card(self, problem: Problem) -> DataCard | None:
        """The embedded data, where a model of this problem was made for their columns."""
        data = self.data()
        if not data.embedded or [list(part) for part in data.names()] != [
            problem.facts["columns"],
            problem.facts["targets"],
        ]:
            return None
        source = data.detect(DataRequest(source=data.embedded))
        return data.check(source, progress=lambda _done, _total: None)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Rows of the data, and rows drawn around the means of train; the truth is float64 [targets]."""
        mean, std = moments(problem, "feature")

        def synthetic(number: int) -> tuple[str, Arrays]:
            draw = np.random.default_rng(number).normal(0, 1 + number // 3, (SYNTHETIC_ROWS, len(mean)))
            return ("uniform" if number < 3 else EXTREME), {"features": (mean + std * draw).astype(np.float32)}

        return item_cases(
            card or self.embedded_card(problem),
            purpose,
            limit=limit,
            inputs=lambda row: {"features": np.array([row.features], np.float32)},
            truth=lambda row: np.array(row.targets),
            synthetic=synthetic,
            ready=lambda inputs: {"input": ((inputs["features"] - mean) / std).astype(np.float32)},
        )

    def verdict(self, expected: Arrays, actual: Arrays, case: Case, noise: Mapping[str, float]) -> Verdict:  # noqa: ARG002
        """The same numbers, within ten times the reference's own error."""
        return numeric_verdict(expected, actual, tolerance=noise_margin(noise, "values"), relative=RELATIVE)

    def metrics(self, answers: Sequence[Arrays], cases: Sequence[Case], problem: Problem) -> Mapping[str, float]:  # noqa: ARG002
        """r2, the share of the variance that is explained (mean over the targets), and mae, the mean absolute error."""
        pairs = [(answer["values"][0], case.truth) for answer, case in with_truth(answers, cases)]
        if len(pairs) < 2:
            return {}
        actual, truth = (np.array(rows, np.float64) for rows in zip(*pairs, strict=True))
        error, spread = ((truth - actual) ** 2).sum(0), ((truth - truth.mean(0)) ** 2).sum(0)
        return {"r2": float((1 - error / spread).mean()), "mae": float(np.abs(truth - actual).mean())}

    def controls(self, problem: Problem) -> tuple[Control, ...]:  # noqa: ARG002  the same for all tables
        """The generic mutations that rows of numbers have."""
        return generic_controls(ABSENT)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:  # noqa: ARG002  no ranking
        """Each number that was asked for by its name, and what the data say."""
        names, values = problem.facts["targets"], answer["values"][0].tolist()
        assert isinstance(names, list)
        record: dict[str, Json] = {"values": dict(zip(map(str, names), values, strict=True))}
        record["truth"] = None if case.truth is None else np.asarray(case.truth).tolist()
        return Shown(text=reading.show(answer, to_json(problem)), record=record)


def moments(problem: Problem, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation of "feature" or "target" over train, float64 [n]."""
    mean, std = (np.array(problem.facts[f"{name}_{moment}"], np.float64) for moment in ("mean", "std"))
    return mean, std


def _moments(name: str, values: npt.NDArray[np.float64]) -> dict[str, Json]:
    std = values.std(0)
    std[std == 0] = 1.0  # a column that is the same everywhere
    return {f"{name}_mean": values.mean(0).tolist(), f"{name}_std": std.tolist()}
