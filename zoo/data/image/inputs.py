"""The image input of a problem: fitted to the channels of the data, and checked for tasks that answer in positions."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from zoo.api.data import DataCard
from zoo.api.errors import UsageError
from zoo.api.problem import ImageInput, Input, Problem


def fit_channels(input: Input, card: DataCard) -> Input:
    """The input; where it takes any channels, with those of the data and one value of mean and std for each."""
    channels = card.facts.get("channels")
    if not isinstance(input, ImageInput) or not input.any_channels or not isinstance(channels, int):
        return input
    mean, std = (_values_per_channel(values, channels) for values in (input.mean, input.std))
    return replace(input, channels=channels, mean=mean, std=std)


def uncropped_input(problem: Problem) -> ImageInput:
    """The image input of detection or segmentation; UsageError where it would crop, as that loses objects."""
    if problem.image.resize is not None:
        raise UsageError(
            f"the image input crops to {problem.image.size} after resizing to {problem.image.resize}",
            hint="detection and segmentation inputs must not be cropped: set ImageInput(resize=None)",
        )
    return problem.image


def _values_per_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """The values themselves where there is one for each channel, else their mean for every channel."""
    return values if len(values) == channels else (fmean(values),) * channels
