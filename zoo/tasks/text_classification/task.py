"""Text classification: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zoo.data.names import LANGUAGES, names
from zoo.data_card import DataCard, DataRequest, DataSource, Split
from zoo.errors import BadFile
from zoo.formats.class_folders import list_class_folders
from zoo.formats.text_checking import check_labelled
from zoo.formats.text_layouts import detect_text, split_files
from zoo.formats.text_rows import TABLES, TEXT_FILES, Found, TextRow, read_classes, read_table
from zoo.formats.vocabulary import build_vocabulary
from zoo.problem import Input, Problem
from zoo.recipe import Augment
from zoo.records import to_json
from zoo.task import Agreement, Case, Control, Dataset, Metrics, Monitor, Port, Progress, Purpose, Shown, Signature
from zoo.tasks.text_cases import LENGTHS, LONG, Tokens, chance, encoded, measured_items, row, stretches, token_input
from zoo.tasks.text_classification import runner
from zoo.tasks.text_classification.agreement import agreement
from zoo.tasks.text_controls import LENGTHS as LENGTHS_CONTROL
from zoo.tasks.text_controls import VOCABULARY, text_controls
from zoo.tasks.vocabulary import decode

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.task import Arrays, Batch

EMBEDDED: Final = "names"
LAYOUTS: Final = ("text-table", "text-tables", "text-classes")
SPLITS: Final[tuple[Split, ...]] = ("train", "validation", "test")
GOLDEN_ITEMS: Final = 3

TOKENS: Final = Port(name="tokens", dtype="int64", shape=("batch", "length"), doc="token numbers, padded behind")
LENGTH: Final = Port(name="lengths", dtype="int64", shape=("batch",), doc="how many of them are text; at least 1")


class TextClassification:
    """Which of a list of classes a text belongs to."""

    name = "text-classification"
    monitor = Monitor(metric="accuracy", mode="max")
    runner = "zoo.tasks.text_classification.runner:read"

    def detect(self, request: DataRequest) -> DataSource:
        """A CSV, TSV or JSON Lines file, a folder with one per split or with text files by class, or embedded names."""
        return detect_text(request, embedded=(EMBEDDED,), accepted=LAYOUTS)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every row or file read; samples are `zoo.formats.text_rows.TextItem`."""
        if source.format == "text-classes" and source.location:
            listing = list_class_folders(source.location, TEXT_FILES)
            return check_labelled(source, read_classes(listing), progress=progress, left_out=listing.notes)
        return check_labelled(source, _rows(source), progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The classes, and the vocabulary of the training texts in the unit that the model reads."""
        problem = Problem(task=self.name, input=input, classes=card.classes)
        facts = token_input(problem)
        texts = (item.text for item in card.splits["train"])
        vocabulary = build_vocabulary(texts, unit=facts.unit, limit=facts.vocabulary_limit)
        return Problem(task=self.name, input=input, classes=card.classes, vocabulary=vocabulary)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] Token numbers in memory; batches of texts of about one length."""
        from zoo.text.labelled import LabelledTexts  # noqa: PLC0415  torch

        return LabelledTexts(card.splits[split], problem)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:  # noqa: ARG002
        """[torch] The batch as it is: an Augment moves pictures."""
        return batch

    def model_signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length], lengths int64 [batch] -> logits float32 [batch, classes]."""
        logits = Port(name="logits", dtype="float32", shape=("batch", len(problem.classes)), doc="before softmax")
        return Signature(inputs=(TOKENS, LENGTH), outputs=(logits,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """tokens int64 [batch, length], lengths int64 [batch] -> probabilities float32 [batch, classes]."""
        answer = Port(name="probabilities", dtype="float32", shape=("batch", len(problem.classes)), doc="sum to one")
        return Signature(inputs=(TOKENS, LENGTH), outputs=(answer,))

    def prepare(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] Nothing: tokens are what the model takes."""
        from zoo.text.ends import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] Softmax."""
        from zoo.text.ends import Probabilities  # noqa: PLC0415  torch

        return Probabilities()

    def metrics(self, problem: Problem) -> Metrics:
        """[torch] accuracy and macro_f1; the confusion matrix as a picture."""
        from zoo.text.metrics import TextClassificationMetrics  # noqa: PLC0415  torch

        return TextClassificationMetrics(problem.classes)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Texts for a purpose; the truth is the index of the class."""
        made = {
            Purpose.PIPELINE: _raw,
            Purpose.MODEL: _ready,
            Purpose.EVALUATION: _items,
            Purpose.GOLDEN: _golden,
        }
        return islice(made[purpose](card, problem), limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same first answer wherever the reference is decided."""
        return agreement(reference, candidate, cases=cases, noise=noise)

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """The generic ones that text has, a vocabulary off by one, and padding read as text."""
        few = {"classes": "there is only one class"} if len(problem.classes) < 2 else None
        return text_controls(VOCABULARY, LENGTHS_CONTROL, absent=few)

    def read(self, path: Path, problem: Problem) -> Arrays:
        """tokens int64 [1, length] and lengths int64 [1] of a text file; BadFile when it is empty or no text."""
        try:
            return runner.read(path, to_json(problem))
        except (OSError, ValueError) as error:
            raise BadFile(f"{path} cannot be read as text: {error}", hint="give a UTF-8 text file") from error

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The same of a text given in words; BadFile when it is empty."""
        try:
            return runner.read_text(text, to_json(problem))
        except ValueError as error:
            raise BadFile(f"{text!r} cannot be classified: {error}") from error

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The likeliest classes with their probabilities."""
        best = runner.ranked(answer, problem.classes, limit)
        length = int(case.inputs["lengths"][0])
        return Shown(
            text=runner.show(answer, to_json(problem), limit),
            record={
                "text": decode(case.inputs["tokens"][0, :length].tolist(), problem.vocabulary),
                "classes": [{"name": name, "probability": share} for name, share in best],
                "truth": problem.classes[case.truth] if isinstance(case.truth, int) and case.truth >= 0 else None,
            },
        )


def _rows(source: DataSource) -> Iterator[Found]:
    if source.format == EMBEDDED:
        for split in SPLITS:
            yield from (TextRow(f"{split} {at}", text, label, split) for at, (text, label) in enumerate(names(split)))
        return
    assert source.location is not None, "detect gives every source of files a location"
    if source.format == "text-table":
        yield from read_table(source.location, labelled=True)
        return
    for file, split in split_files(source.location, TABLES):
        yield from read_table(file, labelled=True, split=split)


# --- cases ---


def _case(name: str, kind: str, tokens: Tokens, *, padded_to: int = 0, gates: bool = True) -> Case:
    inputs = {"tokens": row(tokens, padded_to=padded_to), "lengths": row([len(tokens)])[0]}
    return Case(name=name, kind=kind, inputs=inputs, gates=gates, origin="synthetic")


def _raw(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """First a padded text, so that reading the padding is noticed; then every length, and chance.

    Real texts are often so clear that all probabilities are 0 or 1, where rounding errors have no way to show.
    """
    long, short, least = LENGTHS
    half = long // 2
    yield _case(f"{short} of {long}", "padded", next(stretches(card, problem, short)), padded_to=long)
    yield _case(f"length {long}", "uniform", chance(problem, long, seed=1))
    yield _case(f"{least} of {long}", "padded", next(stretches(card, problem, least)), padded_to=long)
    yield _case(f"length {short}", "short", next(stretches(card, problem, short)))
    yield _case(f"length {least}", "shortest", next(stretches(card, problem, least)))
    yield _case(f"{half} of {long}", "uniform", chance(problem, half, seed=2), padded_to=long)


def _ready(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Real texts and monotony gate; unknown tokens, and what is far longer than any name, inform."""
    long, short, _ = LENGTHS
    yield _case(f"text of {long}", "realistic", next(stretches(card, problem, long)))
    yield _case("one token", "smooth", [next(stretches(card, problem, 1))[0]] * long)
    yield _case("unknown tokens", "unknown", [1] * short, gates=False)
    yield _case("long", "extreme", next(stretches(card, problem, LONG)), gates=False)


def _items(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    split, items = measured_items(card)
    for item in items:
        tokens = encoded(item.text, problem)
        if tokens:
            truth = item.label if card is not None else _language(item.name, problem)
            inputs = {"tokens": row(tokens), "lengths": row([len(tokens)])[0]}
            yield Case(name=item.text, kind="realistic", inputs=inputs, truth=truth, origin=f"{split}, {item.name}")


def _language(name: str, problem: Problem) -> int | None:
    """The class of an embedded name, where the classes are the embedded languages."""
    code = name.partition(":")[0]
    return problem.classes.index(code) if set(problem.classes) == set(LANGUAGES) else None


def _golden(card: DataCard | None, problem: Problem) -> Iterator[Case]:
    """Two embedded names, one of them padded, and up to three of the data's own."""
    long, _, _ = LENGTHS
    first, second = islice(_items(None, problem), 2)
    yield first
    tokens = second.inputs["tokens"][0].tolist()[:long]
    padded = _case(f"{second.name}, padded", "padded", tokens, padded_to=long)
    yield padded
    if card is not None and card.source.format != EMBEDDED:
        yield from islice(_items(card, problem), GOLDEN_ITEMS)
