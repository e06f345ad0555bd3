"""Audio generation: data and answers.  Torch-free; the other half is in `tensors`.

A sound is mu-law codes, predicted one after the other.  Here a graph is codes in, logits out, with the state of the
model beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.errors import BadFile, PluginError
from zoo.api.parts import FileItem
from zoo.api.problem import AudioInput, Input, Problem
from zoo.api.task import Case, Control, Progress, Purpose, Shown
from zoo.data.audio import sources
from zoo.data.audio.read_sound import read_sound, resampled
from zoo.data.formats.detect import FormatReader
from zoo.runs.serialization import to_json
from zoo.tasks.audio_generation import device as sound_device
from zoo.tasks.audio_generation.cases import cases as sound_cases
from zoo.tasks.audio_generation.controls import sound_controls
from zoo.tasks.audio_generation.showing import show
from zoo.tasks.bases.reading import DeviceTextReader
from zoo.tasks.bases.sequences import SequenceAnswers, negative_log_likelihood

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class SoundData(FormatReader, DeviceTextReader):
    """Recordings of one rate; samples are `zoo.data.formats.samples.Sample`."""

    device = sound_device
    noun, hint = "a sound", "give a wav or flac file"

    def detect(self, request: DataRequest) -> DataSource:
        """A folder of wav files, with class folders or without, or the embedded tones."""
        return sources.detect(request, installed=self.installed)

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every file read."""
        return sources.check(source, progress=progress)

    def problem(self, task: str, card: DataCard, input: Input) -> Problem:
        """The classes, and the rate: the model's, or that of most recordings where it takes any."""
        rate = wanted_rate(card, audio_input(input))
        given = replace(audio_input(input), sample_rate=rate, any_rate=False)
        return Problem(task=task, input=given, classes=card.classes)

    def input_notes(self, card: DataCard, input: Input) -> Sequence[str]:
        """A sentence on the recordings that are resampled."""
        return sources.rate_notes(card, wanted_rate(card, audio_input(input)))

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """A wav file as the beginning: samples int64 [1, 1 + length], condition int64 [1] where there are classes."""
        try:
            rate, signal = read_sound(path)
            signal = resampled(signal, rate, audio_input(problem.input).sample_rate)
            return (FileItem(inputs=sound_device.beginning(path, signal, to_json(problem))),)
        except (OSError, ValueError) as error:
            raise BadFile(f"{path} cannot be read as a sound: {error}", hint=self.hint) from error


class SoundAnswers(SequenceAnswers):
    """Sounds like those of the data, sample by sample; the truth of a case is the code after each."""

    device = sound_device
    element = "sample"

    def cases(self, card: DataCard | None, problem: Problem, purpose: Purpose, *, limit: int) -> Iterator[Case]:
        """Sounds for a purpose, without state."""
        return sound_cases(card, problem, purpose, limit=limit)

    def item_sums(self, answer: Arrays, case: Case, problem: Problem) -> Sequence[float]:  # noqa: ARG002
        """Bits and samples."""
        bits = negative_log_likelihood(answer["logits"][0], np.asarray(case.truth))
        return float(bits.sum()), bits.size

    def metrics_of_sums(self, sums: npt.NDArray[np.float64]) -> Mapping[str, float]:
        """bits_per_sample over the cases whose next samples are known."""
        bits, samples = sums.tolist()
        return {"bits_per_sample": bits / samples} if samples else {}

    def controls(self, problem: Problem) -> tuple[Control, ...]:
        """The generic kinds that apply to sounds, other codes, a forgotten state and a forgotten class."""
        return sound_controls(conditioned=bool(problem.classes))

    def prompts(self, problem: Problem) -> Sequence[str]:
        """Every class, or "silence" where there are none."""
        return problem.classes or ("silence",)

    def show(self, case: Case, answer: Arrays, problem: Problem, *, limit: int = 5) -> Shown:
        """The sound that was written; of a single run of the graph, the likeliest next samples."""
        return show(case, answer, problem, limit=limit)


def wanted_rate(card: DataCard, input: AudioInput) -> int:
    """The rate that recordings are brought to."""
    usual = card.facts["sample_rate"]
    return usual if input.any_rate and isinstance(usual, int) else input.sample_rate


def audio_input(input: Input) -> AudioInput:
    """The input, which is sound."""
    if not isinstance(input, AudioInput):
        raise PluginError(f"a model for audio-generation has an AudioInput, not {input}")
    return input
