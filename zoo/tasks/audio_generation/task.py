"""Audio generation: data, graphs, metrics, cases, comparison and showing.  Torch-free; torch parts inside.

A sound is mu-law codes, predicted one after the other.  A model's state is its own: it declares the inputs and
outputs that carry it in its signature, and the pipeline hands them through.  Here a graph is codes in, logits out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import BadFile, DataError, PluginError
from zoo.api.postprocess import PostprocessKind, PostprocessStep
from zoo.api.problem import AudioInput, Input, Problem
from zoo.api.recipe import Augment
from zoo.api.task import (
    Agreement,
    Case,
    Control,
    Dataset,
    Metrics,
    Monitor,
    Port,
    Progress,
    Purpose,
    Shown,
    Signature,
)
from zoo.data.audio import sources
from zoo.runs.serialization import to_json
from zoo.tasks.audio_generation import runner
from zoo.tasks.audio_generation.cases import cases as sound_cases
from zoo.tasks.audio_generation.controls import sound_controls
from zoo.tasks.audio_generation.showing import show
from zoo.tasks.text_generation.agreement import agreement

if TYPE_CHECKING:
    import torch
    from torch import nn

    from zoo.api.task import Arrays, Batch

SETTINGS: Final[Mapping[str, float]] = MappingProxyType(runner.SETTINGS)


class AudioGeneration:
    """Sounds like those of the data, sample by sample; of a class, where the data have any."""

    name = "audio-generation"
    monitor = Monitor(metric="bits_per_sample", mode="min")
    runner = "zoo.tasks.audio_generation.runner:read"
    settings = SETTINGS

    def detect(self, request: DataRequest) -> DataSource:
        """A folder of wav files, with class folders or without, or the embedded tones."""
        return sources.detect(request)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every file read; samples are `zoo.data.formats.samples.Sample`."""
        return sources.check(source, progress=progress)

    def problem(self, card: DataCard, input: Input) -> Problem:
        """The classes and the rate of the recordings; DataError where the model has a rate of its own."""
        facts, rate = audio_input(input), card.facts["sample_rate"]
        assert isinstance(rate, int), "the check leaves one rate"
        if rate != facts.sample_rate and not facts.any_rate:
            raise DataError(
                f"{card.source.request.source} has {rate} samples a second, the model was made for {facts.sample_rate}",
                hint=f"convert every file with ffmpeg -i OLD.wav -ar {facts.sample_rate} NEW.wav",
            )
        return Problem(task=self.name, input=replace(facts, sample_rate=rate, any_rate=False), classes=card.classes)

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """[torch] For training, chunks in the order of each recording; for evaluation, windows with context."""
        from zoo.data.audio.stream_dataset import EvaluationWindows, Recordings, TrainingChunks  # noqa: PLC0415  torch

        items = card.splits[split]
        codes = [sources.recording(card, split, index) for index in range(len(items))]
        recordings = Recordings(codes, [item.label for item in items], chunk=audio_input(problem.input).chunk)
        return TrainingChunks(recordings) if split == "train" else EvaluationWindows(recordings)

    def augment(self, batch: Batch, augment: Augment, generator: torch.Generator) -> Batch:  # noqa: ARG002
        """[torch] The batch itself: an Augment is for pictures."""
        return batch

    def model_signature(self, problem: Problem) -> Signature:
        """samples [batch, length], condition [batch] where there are classes -> logits [batch, length, 256]."""
        inputs = [Port(name="samples", dtype="int64", shape=("batch", "length"), doc="mu-law codes, 0 to 255")]
        if problem.classes:
            inputs.append(Port(name="condition", dtype="int64", shape=("batch",), doc="number of the class"))
        shape = ("batch", "length", audio_input(problem.input).levels)
        logits = Port(name="logits", dtype="float32", shape=shape, doc="of the sample after each, before softmax")
        return Signature(inputs=tuple(inputs), outputs=(logits,))

    def pipeline_signature(self, problem: Problem) -> Signature:
        """The same as the model's: the device samples from the logits."""
        return self.model_signature(problem)

    def prepare(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] A passthrough: the model takes codes."""
        from zoo.data.text.graphs import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def postprocess_steps(self, problem: Problem) -> tuple[PostprocessStep, ...]:  # noqa: ARG002
        """None: the answer is the logits."""
        return (PostprocessStep(kind=PostprocessKind.IDENTITY),)

    def finish(self, problem: Problem) -> nn.Module:  # noqa: ARG002
        """[torch] A passthrough: sampling needs the logits."""
        from zoo.data.text.graphs import AsGiven  # noqa: PLC0415  torch

        return AsGiven()

    def metrics(self, problem: Problem) -> Metrics:
        """[torch] bits_per_sample, and a picture of the negative log-likelihood."""
        from zoo.data.audio.metrics import SampleMetrics  # noqa: PLC0415  torch

        return SampleMetrics(audio_input(problem.input).sample_rate)

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Sounds for a purpose, without state; the truth of an item is the code after each."""
        return sound_cases(card, problem, purpose, limit=limit)

    def agreement(
        self,
        reference: Sequence[Arrays],
        candidate: Sequence[Arrays],
        *,
        cases: Sequence[Case],
        noise: Mapping[str, float],
    ) -> Agreement:
        """The same likeliest next sample wherever the reference is decided."""
        return agreement(reference, candidate, cases=cases, noise=noise, element="sample")

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """The generic kinds that apply to sounds, other codes, a forgotten state and a forgotten class."""
        return sound_controls(conditioned=bool(problem.classes))

    def read(self, path: Path, problem: Problem) -> Arrays:
        """A wav file as the beginning: samples int64 [1, 1 + length], condition int64 [1] where there are classes."""
        try:
            return runner.read(path, to_json(problem))
        except (OSError, ValueError) as error:
            raise BadFile(f"{path} cannot be read as a sound: {error}", hint="give a wav file") from error

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The beginning of a sound of a class, by its name; BadFile where the model knows no such class."""
        try:
            return runner.read_text(text, to_json(problem))
        except ValueError as error:
            raise BadFile(f"{text!r} begins no sound: {error}") from error

    def beginnings(self, problem: Problem) -> Sequence[str]:
        """Every class, or "silence" where there are none."""
        return problem.classes or ("silence",)

    def respond(
        self,
        run: Callable[[Arrays], Arrays],
        inputs: Arrays,
        feedback: Mapping[str, str],
        problem: Problem,
        settings: Mapping[str, float],
    ) -> Arrays:
        """The beginning and what the model writes after it: samples int64 [1, length], and the last logits."""
        return runner.respond(
            lambda feeds: dict(run(feeds)),
            dict(inputs),
            feedback,
            to_json(problem),
            settings,
        )

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The sound that was written; of a single run of the graph, the likeliest next samples."""
        return show(case, answer, problem, limit=limit)


def audio_input(input: Input) -> AudioInput:
    """The input, which is sound."""
    if not isinstance(input, AudioInput):
        raise PluginError(f"a model for audio-generation has an AudioInput, not {input}")
    return input
