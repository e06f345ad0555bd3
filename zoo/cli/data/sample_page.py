"""A page of samples as a model will see them, with and without augmentation: `zoo data show`.  [torch]"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw

from zoo.api.data import DataCard, Split, counted
from zoo.api.parts import Task
from zoo.api.problem import AudioInput, Problem
from zoo.api.recipe import Augment
from zoo.api.task import Batch
from zoo.bundle.report.html import Child, Html, element, picture
from zoo.bundle.report.page import STYLE, document
from zoo.data.audio.mu_law import to_signal
from zoo.data.audio.spectrogram import sound_picture
from zoo.data.image.drawing import enlarged
from zoo.data.summary import SPLITS, DataSummary
from zoo.data.text.encoding import decode
from zoo.tasks.object_detection.drawing import colour_of
from zoo.tasks.semantic_segmentation.drawing import overlaid

EXTRA: Final = "\n.samples img { display: block; width: auto; max-width: 100%; image-rendering: pixelated; }\n"
MAX_SHOWN_CHARS: Final = 400
"""Characters of a text that are shown."""
GREY: Final = (150, 150, 150)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Whose eyes the samples are seen with."""

    task: Task
    card: DataCard
    problem: Problem
    augment: Augment
    model: str
    summary: DataSummary


def sample_page(shown: Shown, *, samples: int, seed: int = 0) -> str:
    """The whole document: what was understood, and of every split some samples spread over all of it."""
    title = f"Samples of {shown.summary.source}"
    sees = f"As {shown.model} will see them: {shown.problem.input.describe()}."
    header = element("header", element("h1", title), element("p", sees), kind="dim")
    lines = [element("p", line) for line in shown.summary.lines()]
    sections = [section for split in SPLITS if (section := _split(shown, split, samples=samples, seed=seed))]
    style = STYLE.read_text(encoding="utf-8") + EXTRA
    return document(title, [header, element("section", *lines), *sections], style=style)


def _split(shown: Shown, split: Split, *, samples: int, seed: int) -> Html:
    """One split; that of training with its augmentation below."""
    every = shown.card.splits.get(split, ())
    if not every:
        return Html("")
    chosen = [every[index] for index in spread(len(every), samples)]
    card = replace(shown.card, splits={split: tuple(chosen)})
    dataset = shown.task.tensors.dataset(card, split, shown.problem)
    count = min(len(chosen), len(dataset))
    batch = dataset.batch(range(count))
    names = [str(getattr(sample, "name", "")) for sample in chosen[:count]]
    parts: list[Child] = [element("h2", f"{split}: {count:,} of {len(every):,}"), _row(shown, batch, names)]
    if split == "train" and shown.augment != Augment():
        generator = torch.Generator().manual_seed(seed)
        changed = shown.task.tensors.augment(batch, shown.augment, generator)
        what = ", ".join(f"{name} {value:g}" for name, value in _settings(shown.augment))
        parts += [element("h2", f"{split}, augmented: {what}"), _row(shown, changed, names)]
    elif split == "train":
        parts.append(element("p", f"The recipe of {shown.model} augments nothing."))
    return element("section", *parts)


def spread(total: int, wanted: int) -> list[int]:
    """At most so many indices, evenly over all."""
    return sorted({round(index) for index in np.linspace(0, total - 1, min(total, wanted)).tolist()})


def _settings(augment: Augment) -> Iterator[tuple[str, float]]:
    for name in ("shift", "scale", "rotate", "flip", "color"):
        value = float(getattr(augment, name))
        if value:
            yield name, value


def _row(shown: Shown, batch: Batch, names: Sequence[str]) -> Html:
    figures = []
    for index, name in enumerate(names):
        drawn = _picture(batch, index, shown.problem)
        image = picture(_png(drawn), alt=name) if drawn is not None else Html("")
        caption = element("figcaption", element("strong", name), element("p", _caption(batch, index, shown.problem)))
        figures.append(element("figure", image, caption))
    return element("div", *figures, kind="row samples")


def _picture(batch: Batch, index: int, problem: Problem) -> Image.Image | None:
    """Pixels with boxes or classes drawn over them, or a sound as its waveform; None for what is no picture."""
    if "image" in batch:
        pixels = np.ascontiguousarray(batch["image"][index].permute(1, 2, 0).cpu().numpy())
        pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
        if "mask" in batch:
            pixels = overlaid(pixels, batch["mask"][index].cpu().numpy())
        return _framed(pixels, batch, index, problem) if "boxes" in batch else enlarged(pixels)
    if "samples" in batch and isinstance(problem.input, AudioInput):
        return sound_picture(to_signal(batch["samples"][index].cpu().numpy()), problem.input.sample_rate)
    return None


def _framed(pixels: npt.NDArray[np.uint8], batch: Batch, index: int, problem: Problem) -> Image.Image:
    """The picture with a named frame for every box; grey ones are neither learnt nor missed."""
    image = enlarged(pixels)
    factors = np.array([image.width / pixels.shape[1], image.height / pixels.shape[0]] * 2)
    draw = ImageDraw.Draw(image)
    frames: list[tuple[list[float], str, tuple[int, int, int] | None]] = [
        (box, problem.classes[label], None) for box, label in _pairs(batch, index, "boxes", "labels")
    ]
    if "ignored" in batch:
        frames += [
            (box, problem.classes[label], GREY) for box, label in _pairs(batch, index, "ignored", "ignored_labels")
        ]
    for box, name, grey in frames:
        left, top, right, bottom = (np.array(box) * factors).tolist()
        colour = grey or colour_of(name)
        draw.rectangle((left, top, max(right, left + 1), max(bottom, top + 1)), outline=colour, width=2)
        frame = draw.textbbox((left + 2, max(0.0, top - 12)), name)
        draw.rectangle(frame, fill=colour)
        draw.text(frame[:2], name, fill="black")
    return image


def _pairs(batch: Batch, index: int, boxes: str, labels: str) -> list[tuple[list[float], int]]:
    return list(zip(batch[boxes][index].tolist(), batch[labels][index].tolist(), strict=True))


def _caption(batch: Batch, index: int, problem: Problem) -> str:
    """The class, the classes of boxes or pixels, the text as it is read."""
    words = []
    if "label" in batch and problem.classes and 0 <= (label := int(batch["label"][index])) < len(problem.classes):
        words.append(problem.classes[label])
    if "labels" in batch:
        words.append(_counted([problem.classes[label] for label in batch["labels"][index].tolist()]) or "no object")
    if "mask" in batch:
        values: list[int] = np.unique(batch["mask"][index].cpu().numpy()).tolist()
        words.append(", ".join(problem.classes[value] if value < len(problem.classes) else "open" for value in values))
    if "tokens" in batch:
        words.append(_text(batch, index, problem))
    return ": ".join(words)


def _counted(names: Sequence[str]) -> str:
    counts = {name: names.count(name) for name in sorted(set(names))}
    return ", ".join(name if count == 1 else f"{name} × {count}" for name, count in counts.items())


def _text(batch: Batch, index: int, problem: Problem) -> str:
    tokens: Any = batch["tokens"][index]
    length = int(batch["lengths"][index]) if "lengths" in batch else len(tokens)
    text = decode(tokens[:length].tolist(), problem)
    more = "…" if len(text) > MAX_SHOWN_CHARS else ""
    return f"{text[:MAX_SHOWN_CHARS]}{more} ({counted(length, 'token')})"


def _png(image: Image.Image) -> bytes:
    memory = BytesIO()
    image.save(memory, "png")
    return memory.getvalue()
