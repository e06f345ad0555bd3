"""Audio generation: tensors and graphs.  [torch]"""

from __future__ import annotations

from zoo.api.data import DataCard, Split
from zoo.api.problem import Problem
from zoo.api.task import Dataset, Metrics, Port, Signature
from zoo.data.audio import sources
from zoo.data.audio.stream_dataset import EvaluationWindows, Recordings, TrainingChunks
from zoo.tasks.audio_generation.task import audio_input
from zoo.tasks.bases.sequence_tensors import SequenceGraphs
from zoo.tasks.bases.text_tensors import Unchanged


class SoundTensors(Unchanged):
    """Codes in the order of each recording."""

    def dataset(self, card: DataCard, split: Split, problem: Problem) -> Dataset:
        """For training, chunks in the order of each recording; for evaluation, windows with context."""
        items = card.splits[split]
        given = audio_input(problem.input)
        codes = [sources.recording(card, split, index, rate=given.sample_rate) for index in range(len(items))]
        recordings = Recordings(codes, [item.label for item in items], chunk=given.chunk)
        return TrainingChunks(recordings) if split == "train" else EvaluationWindows(recordings)

    def metrics(self, problem: Problem) -> Metrics:
        """bits_per_sample, and a spectrogram of the likeliest mistakes."""
        from zoo.data.audio.metrics import SampleMetrics  # noqa: PLC0415  answers need no metrics

        return SampleMetrics(audio_input(problem.input).sample_rate)


class SampleModelGraphs(SequenceGraphs):
    """Codes to the logits of the code after each."""

    def signature(self, problem: Problem) -> Signature:
        """samples [batch, length], condition [batch] where there are classes -> logits [batch, length, 256]."""
        inputs = [Port(name="samples", dtype="int64", shape=("batch", "length"), doc="mu-law codes, 0 to 255")]
        if problem.classes:
            inputs.append(Port(name="condition", dtype="int64", shape=("batch",), doc="number of the class"))
        shape = ("batch", "length", audio_input(problem.input).levels)
        logits = Port(name="logits", dtype="float32", shape=shape, doc="of the sample after each, before softmax")
        return Signature(inputs=tuple(inputs), outputs=(logits,))
