"""Answers from a trained model in PyTorch: preparing, model and finishing, as pipeline.onnx does them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from zoo.api.errors import UsageError
from zoo.models.adapter import adapted
from zoo.models.answer_html import answers_html
from zoo.models.answer_settings import check_strict, check_variant, named_settings
from zoo.models.answerer import Answerer, AnswerOptions, bundle_answerer
from zoo.models.answers import Answer, answers, opened_sources
from zoo.models.device import choose_device
from zoo.models.explain import explainer
from zoo.models.inputs.in_memory import is_value
from zoo.models.inputs.resolve import InputKind, resolve_inputs
from zoo.models.inputs.source import GivenValue, NamedInput, ResolvedInputs
from zoo.models.load import Trained, load_trained
from zoo.models.pipeline import torch_pipeline
from zoo.models.target import BundleTarget, TargetRequest, resolve_target, target_text
from zoo.registry.catalog import Catalog


class Answers(list[Answer]):
    """The answers of one call, in order; a notebook shows them as a table with pictures.

    Examples:
        >>> answers = zoo.predict("gru@names", ["Ada Lovelace", "Grace Hopper"])
        >>> [answer.title for answer in answers]
        ['Ada Lovelace', 'Grace Hopper']
    """

    notes: tuple[str, ...] = ()
    """Sentences for the user: what was left out of a folder, checkpoints passed over."""

    def _repr_html_(self) -> str:
        return answers_html([(answer.title, answer.shown, answer.unreadable) for answer in self])


def predict(
    target: str | Path,
    inputs: object = (),
    *,
    limit: int = 5,
    threshold: float | None = None,
    samples: int | None = None,
    seed: int | None = None,
    settings: Mapping[str, float] = MappingProxyType({}),
    text_column: str = "",
    encoding: str = "",
    every: int = 1,
    strict: bool = False,
    variant: str | None = None,
    batch_size: int | None = None,
    device: str = "auto",
    explain: bool = False,
) -> Answers:
    """The answers of a run, of weights or of a bundle; BadFile for what cannot be read.

    `inputs` is a path (str or Path), a picture of Pillow, an array, or, for tasks that read texts, a text; or a
    sequence of those.  A path may be a folder, a glob, an http(s) address, a .zip or a video, of which every frame
    that `every` divides is answered.  An array of a picture is uint8 [height, width, 3], of several [n, height, width,
    3].  No inputs at all are enough for models that draw their answers: `samples` of them from `seed`.

    `limit` is how many ranked answers each shows, `threshold` the score from which on detections are shown, `settings`
    what else the task lets choose (temperature), `text_column` which column of a table holds the texts, `encoding` what
    files of text are in.  A bundle is always run on the CPU; of inputs larger than any that it was proved with it
    warns, or with `strict` refuses them.

    With `explain` each answer of a classifier of pictures has one more picture in `shown.files`, "-explained.png":
    where it looks (Grad-CAM, with the extra `explain`).

    Args:
        target: A run, weights as in "cnn@digits", or a bundle.
        inputs: What is answered.
        limit: How many ranked answers each shows.
        threshold: The least score of a detection, 0 to 1.
        samples: How many answers are drawn, where the model draws them.
        seed: Of what is drawn.
        settings: By name: {"temperature": 0.5}.
        text_column: The column of a table that holds the texts.
        encoding: Of files of text that are not UTF-8.
        every: Of a video, every so manieth frame.
        strict: Refuse inputs that are larger than proved.
        variant: Of a bundle, the variant that answers: "int8".
        batch_size: So many pictures of equal size go through a bundle's variant for batches together.
        device: "cpu", "cuda", "mps" or "auto".
        explain: Add a picture of where a classifier looks.

    Returns:
        A list of answers, one for each item, with `shown` for people and `record()` for programs.

    Raises:
        BadFile: A single input cannot be read; of several, the answer holds the reason.
        UsageError: The target or an option cannot be used.

    Examples:
        >>> (answer,) = zoo.predict("cnn@digits", "seven.png")
        >>> answer.shown.record["classes"][0]["name"]
        '7'
    """
    _check_numbers(limit=(limit, 1), samples=(samples, 1), seed=(seed, 0), every=(every, 1), batch_size=(batch_size, 1))
    if not isinstance(device, str):
        raise UsageError(f"device is {device!r}; it must be cpu, cuda, mps or auto")
    request = resolve_target(target_text(target), device=device)
    check_strict(request, strict=strict)
    check_variant(request, variant, batch_size, explain=explain)
    task = request.make_task()
    kind = InputKind(task=task, input=request.input)
    chosen = named_settings(task, settings, threshold=threshold, seed=seed)
    resolved = _resolved(inputs, kind, samples=samples, seed=seed)
    options = AnswerOptions(limit=limit, settings=chosen, text_column=text_column, encoding=encoding, strict=strict)
    notes = list(resolved.notes)
    with (
        target_answerer(request, explain=explain, variant=variant, batch_size=batch_size) as answerer,
        opened_sources(answerer, resolved, samples=samples, every=every, note=notes.append) as sources,
    ):
        found = Answers(answers(answerer, sources, options))
        warnings = [f"{answer.title}: {answer.warning}" for answer in found if answer.warning]
        found.notes = (*answerer.notes, *notes, *warnings)
    for answer in found:
        if answer.failure is not None:
            raise answer.failure
    return found


def _resolved(inputs: object, kind: InputKind, *, samples: int | None, seed: int | None) -> ResolvedInputs:
    """Everything that was handed over, in order; UsageError names what is nothing that a model is fed."""
    if isinstance(inputs, str | Path) or is_value(inputs):
        inputs = (inputs,)
    if not isinstance(inputs, Sequence) or isinstance(inputs, bytes | bytearray):
        raise UsageError(
            f"a {type(inputs).__name__} is no input",
            hint="give a path, a picture, an array, a text, or a list of those",
        )
    if not inputs:
        return resolve_inputs((), kind, samples=samples, seed=seed)
    given: list[NamedInput] = []
    notes: list[str] = []
    for index, entry in enumerate(inputs):
        if isinstance(entry, str | Path):
            resolved = resolve_inputs((str(entry),), kind, samples=samples, seed=seed)
            given += resolved.given
            notes += resolved.notes
        elif is_value(entry):
            given.append(GivenValue(value=entry, name=f"input {index + 1}"))
        else:
            raise UsageError(
                f"input {index + 1} is a {type(entry).__name__}", hint="give a path, a picture, an array or a text"
            )
    return ResolvedInputs(given=tuple(given), notes=tuple(notes))


def _check_numbers(**numbers: tuple[object, int]) -> None:
    """UsageError for what is no whole number, or too small a one; None is one that nobody gave."""
    for name, (value, least) in numbers.items():
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise UsageError(f"{name} is {value!r}; it must be a whole number from {least} on")


@contextmanager
def target_answerer(
    request: TargetRequest, *, explain: bool = False, variant: str | None = None, batch_size: int | None = None
) -> Iterator[Answerer]:
    """What answers for a target: a bundle's pipeline.onnx, or the trained model in PyTorch on the request's device.

    `variant` and `batch_size` are those of `bundle_answerer`.  With `explain` it also tells where a classifier looks;
    UsageError for a bundle, whose graph has no gradients.
    """
    target, catalog = request.target, request.catalog
    if isinstance(target, BundleTarget):
        if explain:
            raise UsageError("--explain needs gradients, which a bundle has not", hint="name the run or the weights")
        with bundle_answerer(target.path, catalog, variant=variant, batch_size=batch_size) as answerer:
            yield answerer
    else:
        device = choose_device(request.device)
        yield trained_answerer(load_trained(target, catalog), catalog, device=device, explain=explain)


def trained_answerer(trained: Trained, catalog: Catalog, *, device: str = "cpu", explain: bool = False) -> Answerer:
    """A trained model between its task's preparing and finishing."""
    module = adapted(trained.model, catalog, trained.entry, trained.problem)
    pipeline = torch_pipeline(trained.task, trained.problem, module.to(device), device=device)
    return Answerer(
        model=trained.entry.full_name,
        task=trained.task,
        problem=trained.problem,
        answer=pipeline,
        signature=pipeline.signature,
        notes=trained.notes,
        explain=explainer(pipeline, trained.problem, name=trained.entry.full_name) if explain else None,
    )
