"""Crops of the photographs that scikit-image brings, as folders of classes: which photograph is this a part of?

Training crops come from the left 60 % of a photograph, validation crops from the next 20 %, test crops from the rest,
so that no pixel is in two splits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

PHOTOGRAPHS = {
    "astronaut": "png",
    "brick": "png",
    "chelsea": "png",
    "coffee": "png",
    "grass": "png",
    "gravel": "png",
    "ihc": "png",
    "moon": "png",
    "motorcycle_left": "png",
    "rocket": "jpg",
}
SPLITS = {"train": (0.0, 0.6, 120), "val": (0.6, 0.8, 30), "test": (0.8, 1.0, 50)}
"""From and to which share of the width, and how many crops of each photograph."""
CROP = 64
"""Pixels of a side, before it is enlarged to that of the model."""


def crop_photographs(folder: Path) -> Path:
    """Write the crops into a folder that does not exist yet; the folder."""
    if folder.exists():
        return folder
    import skimage  # noqa: PLC0415  only here

    rng = np.random.default_rng(0)
    for name, suffix in PHOTOGRAPHS.items():
        source = Path(skimage.__file__).parent / "data" / f"{name}.{suffix}"
        picture = Image.open(source).convert("RGB")
        for split, (start, end, count) in SPLITS.items():
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                left = int(rng.integers(int(start * picture.width), int(end * picture.width) - CROP + 1))
                top = int(rng.integers(0, picture.height - CROP + 1))
                crop = picture.crop((left, top, left + CROP, top + CROP))
                crop.save(folder / split / name / f"{index:03}.png")
    return folder
