"""Random features of pictures and the Fréchet distance between two sets of them, in numpy."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

SIDE: Final = 32
"""Every picture is brought to this height and width by the mean over areas."""
WIDTHS: Final = (32, 64, 128)
"""Filters of each layer."""
BATCH: Final = 100
"""Pictures whose features are computed at a time, which bounds the memory."""

Floats = npt.NDArray[Any]


def random_kernels(channels: int) -> list[npt.NDArray[np.float32]]:
    """The filters of an untrained network, [width, inside, 3, 3] each: He initialisation, the same everywhere."""
    random = np.random.default_rng(0)
    kernels = []
    for inside, width in zip((channels, *WIDTHS), WIDTHS, strict=False):
        kernel = random.standard_normal((width, inside, 3, 3)) * np.sqrt(2 / (inside * 9))
        kernels.append(kernel.astype(np.float32))
    return kernels


def random_features(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Pictures uint8 [n, h, w, c] -> float64 [n, 256]: mean and deviation of every filter of the last layer."""
    kernels = random_kernels(images.shape[-1])
    return np.concatenate([_features(images[start : start + BATCH], kernels) for start in range(0, len(images), BATCH)])


def _features(images: npt.NDArray[np.uint8], kernels: list[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
    maps = images.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5) - 1
    maps = np.einsum("ih,nchw,jw->ncij", _areas(maps.shape[2]), maps, _areas(maps.shape[3]), optimize=True)
    for kernel in kernels:
        padded = np.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
        maps = np.maximum(np.tensordot(windows, kernel, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2), 0)
    flat = maps.reshape(*maps.shape[:2], -1).astype(np.float64)
    return np.concatenate([flat.mean(2), flat.std(2, ddof=1)], axis=1)


def _areas(size: int) -> npt.NDArray[np.float32]:
    """The means over areas that bring a side to `SIDE`, [SIDE, size]; as torch's interpolation by area."""
    index = np.arange(SIDE)
    first, last = index * size // SIDE, -(-(index + 1) * size // SIDE)
    inside = (np.arange(size) >= first[:, None]) & (np.arange(size) < last[:, None])
    means: npt.NDArray[np.float32] = (inside / inside.sum(1, keepdims=True)).astype(np.float32)
    return means


def frechet_distance(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Between the normal distributions of features [n, d] and [m, d] (Heusel et al. 2017); n and m are at least 2."""
    covariances = (np.cov(features, rowvar=False) for features in (first, second))
    return normal_distance(first.mean(0) - second.mean(0), *covariances)


def normal_distance(means: Floats, first: Floats, second: Floats) -> float:
    """The Fréchet distance of two normal distributions: the difference of their means [d], covariances [d, d]."""
    roots = np.sqrt(np.linalg.eigvals(first @ second).astype(complex)).real.sum()
    return float(means @ means + np.trace(first) + np.trace(second) - 2 * roots)
