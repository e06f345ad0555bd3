"""The negative log-likelihood of recordings, sample by sample.  [torch]"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zoo.data.audio.mu_law import to_signal
from zoo.data.audio.spectrogram import spectrogram
from zoo.data.charts import new_figure, save
from zoo.data.split_sums import SplitSums

if TYPE_CHECKING:
    from zoo.api.task import Batch


class SampleMetrics:
    """`outputs["nats"]` and `outputs["tokens"]` [n] of `batch["samples"]`: bits_per_sample."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.sums = SplitSums()
        self.first: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
        """The signal of the first window, and the negative log-likelihood of each sample in bits."""

    def update(self, outputs: Batch, batch: Batch) -> None:
        """Add one batch."""
        self.sums.add(nats=outputs["nats"].double().sum(), tokens=outputs["tokens"].double().sum())
        if self.first is None:
            count = int((batch["targets"][0] >= 0).nonzero().max()) + 1
            signal = to_signal(batch["targets"][0, :count].clamp(min=0).cpu().numpy())
            bits = outputs["nll"][0, :count].double().cpu().numpy() / math.log(2)
            self.first = signal, bits

    def compute(self) -> dict[str, float]:
        """bits_per_sample, over all processes together."""
        return {"bits_per_sample": self.sums.ratio("nats", "tokens") / math.log(2)}

    def pictures(self, folder: Path) -> list[Path]:
        """nll.png: the first recording, its spectrogram, and the negative log-likelihood of each sample in bits."""
        if self.first is None:
            return []
        signal, bits = self.first
        seconds = np.arange(len(signal)) / self.sample_rate
        figure = new_figure(8, 6, layout="constrained")
        wave, spectrum, likelihood = figure.subplots(3, 1, sharex=True)
        wave.plot(seconds, signal, linewidth=0.5)
        wave.set_ylabel("signal")
        extent = (0, len(signal) / self.sample_rate, 0, self.sample_rate / 2)
        spectrum.imshow(spectrogram(signal), origin="lower", aspect="auto", extent=extent, cmap="inferno")
        spectrum.set_ylabel("Hz")
        likelihood.plot(seconds, bits, linewidth=0.5, color="tab:red")
        likelihood.set_ylabel("bits per sample")
        likelihood.set_xlabel("seconds")
        return [save(figure, folder / "nll.png")]
