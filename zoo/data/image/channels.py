"""Fitting a model's image input to the channels that the data have."""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean

from zoo.api.data import DataCard
from zoo.api.problem import ImageInput, Input


def suited(input: Input, card: DataCard) -> Input:
    """The input itself; where it takes any channels, with those of the data and as many values of mean and std."""
    channels = card.facts.get("channels")
    if not isinstance(input, ImageInput) or not input.any_channels or not isinstance(channels, int):
        return input
    mean, std = (_spread(values, channels) for values in (input.mean, input.std))
    return replace(input, channels=channels, mean=mean, std=std)


def _spread(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """One value per channel: the same, repeated, or their average."""
    return values if len(values) == channels else (fmean(values),) * channels
