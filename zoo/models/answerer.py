"""Something that answers: a bundle without torch, or anything else that gives arrays for arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zoo.api.errors import BadFile, UsageError
from zoo.api.parts import FileItem, Task
from zoo.api.problem import Json, LatentInput, Problem
from zoo.api.task import Signature
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.predict import bundle_pipeline
from zoo.data.formats.text_files import check_encoding
from zoo.models.inputs.opened import named
from zoo.models.inputs.source import Source, text_source
from zoo.models.variant_port import VariantPort, variant_port
from zoo.registry.catalog import Catalog

if TYPE_CHECKING:
    from zoo.api.task import Arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOptions:
    """How answers are made and shown."""

    limit: int = 5
    """How many ranked answers each shows."""
    settings: Mapping[str, float] = field(default_factory=dict)
    """What the task lets choose, by name: temperature, threshold."""
    text_column: str = ""
    """The column of a table that holds the texts, where its name does not say so."""
    encoding: str = ""
    """What tables and files of text are in, where that is not UTF-8."""
    strict: bool = False
    """Refuse inputs that are larger than any that a bundle was proved with."""


DEFAULT_OPTIONS: Final = AnswerOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Something that answers one raw input at a time, with all that reading and showing need."""

    model: str
    """Full name."""
    task: Task
    problem: Problem
    answer: Callable[[Arrays], Arrays]
    """Inputs of pipeline.onnx by name to its outputs by name."""
    signature: Signature
    """Of that function, with the state that a sequence model carries from step to step."""
    notes: tuple[str, ...] = ()
    """Sentences for the user: checkpoints passed over, another version of the plugin."""
    proved: Mapping[str, int] = field(default_factory=dict)
    """The largest size at which a bundle was proved, by axis name; empty for what is no bundle."""
    variant: VariantPort | None = None
    """Where `answer` is that of a variant for one size or for batches."""
    explain: Callable[[Arrays], bytes] | None = None
    """Inputs of pipeline.onnx to a PNG of where the model looks; None where nobody asked for it."""

    def chosen(self, options: AnswerOptions) -> Answerer:
        """The same with the options that reading and showing look up among the problem's facts."""
        if (options.text_column or options.encoding) and not self.task.tags.reads_text:
            option = "--text-column" if options.text_column else "--encoding"
            raise UsageError(f"{option} is for texts, and {self.model} reads none", hint=f"leave {option} out")
        check_encoding(options.encoding)
        facts: dict[str, Json] = {} if self.task.tags.generative else dict(options.settings)
        columns = {"text_column": options.text_column, "encoding": options.encoding}
        facts |= {name: value for name, value in columns.items() if value}
        return replace(self, problem=replace(self.problem, facts={**self.problem.facts, **facts})) if facts else self

    def read(self, source: Source) -> Sequence[FileItem]:
        """The items of a source; a ZooError where it cannot be read."""
        if source.failure is not None:
            raise source.failure
        if source.arrays is not None:
            return (FileItem(inputs=source.arrays),)
        if source.path is None:
            return (FileItem(inputs=self.task.data.read_text(source.text or "", self.problem)),)
        try:
            return self.task.data.read(source.path, self.problem)
        except BadFile as error:
            raise named(error, source.path, source.name) from error

    def default_sources(self) -> list[Source]:
        """What is answered where nothing is given, by the task's own choice."""
        texts = self.task.answers.prompts(self.problem) if self.task.tags.unconditional else ()
        return [text_source(text) for text in texts]

    def respond(self, inputs: Arrays, settings: Mapping[str, float] = MappingProxyType({})) -> Arrays:
        """The task's answer to one item, in one run or, where the task says so, in many."""
        arrays = {**inputs, **self.signature.initial_state()}
        if self.task.tags.generative:
            chosen = {**self.task.tags.settings, **settings}
            return self.task.answers.generate(self.answer, arrays, self.signature.feedback, self.problem, chosen)
        if isinstance(self.problem.input, LatentInput):
            return in_chunks(self.answer, arrays)
        return self.answer(arrays)

    def beyond_proof(self, inputs: Arrays) -> str:
        """How an input is larger than any that the bundle was proved with, in a sentence; empty where it is not."""
        ports = [port for port in self.signature.inputs if port.name in inputs]
        axes = {axis for port in ports for axis in zip(port.shape, inputs[port.name].shape, strict=False)}
        larger = sorted((str(name), size) for name, size in axes if size > self.proved.get(str(name), size))
        sizes = [
            f"its {name} is {size:,}, and this bundle was proved up to {self.proved[name]:,}" for name, size in larger
        ]
        return "; ".join(sizes)


def in_chunks(answer: Callable[[Arrays], Arrays], inputs: Arrays, *, size: int = 64) -> Arrays:
    """The answer to rows, so many at a time: a thousand latents need no more memory than a few."""
    import numpy as np  # noqa: PLC0415  listing needs none

    rows = max(len(value) for value in inputs.values())
    if rows <= size:
        return answer(inputs)
    starts = range(0, rows, size)
    parts = [answer({name: value[start : start + size] for name, value in inputs.items()}) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@contextmanager
def bundle_answerer(
    bundle: Path, catalog: Catalog, *, variant: str | None = None, batch_size: int | None = None
) -> Iterator[Answerer]:
    """A bundle's pipeline.onnx in a sandboxed process, read and shown by the installed task; needs no torch.

    `variant` names one of the bundle's.  With `batch_size` up to so many items of equal shapes go through its variant
    for batches together; UsageError where it has none.
    """
    opened = Bundle.open(bundle)
    manifest = opened.manifest
    port = variant_port(manifest, variant, batch_size)
    variant = variant if port is None else port.record["name"]
    task = catalog.make_task(manifest.task)
    with bundle_pipeline(opened, variant=variant) as answer:
        yield Answerer(
            model=manifest.model,
            task=task,
            problem=manifest.problem,
            answer=answer,
            signature=manifest.pipeline_signature,
            proved=manifest.proved,
            variant=port,
            notes=tuple(filter(None, [opened.unproved(variant)])),
        )
