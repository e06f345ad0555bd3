"""Makes the folders of pictures that the examples of the site use.

python docs/photographs.py FOLDER           photographs of three kinds of ground, cut out of scikit-image's pictures
python docs/photographs.py FOLDER --faulty  small pictures of cats and dogs, with mistakes that people make
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from random import Random
from typing import Final

import skimage.data
from PIL import Image

GROUNDS: Final = ("brick", "grass", "gravel")
EACH: Final = 40
SIDE: Final = 64


def picture(name: str) -> Image.Image:
    """A picture of scikit-image by its name."""
    return Image.fromarray(getattr(skimage.data, name)())


def write_grounds(folder: Path) -> None:
    """A folder of JPEG files for each kind of ground, the same ones every time."""
    for ground in GROUNDS:
        whole = picture(ground)
        random = Random(ground)
        (folder / ground).mkdir(parents=True)
        for number in range(EACH):
            left, top = (random.randrange(side - SIDE) for side in whole.size)
            cutting = whole.crop((left, top, left + SIDE, top + SIDE))
            cutting.save(folder / ground / f"{number}.jpg", quality=95)


def write_faulty(folder: Path) -> None:
    """Two classes in two splits, with one picture in both splits and a file that is no picture."""
    cat = picture("chelsea")
    for split, count in (("training", 12), ("Val", 3)):
        for name, left in (("cat", 0), ("dog", 200)):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                top = number * 10 + (150 if split == "Val" else 0)
                cutting = cat.crop((left, top, left + 12, top + 10))
                cutting.save(folder / split / name / f"{number}.png")
    shutil.copy(folder / "training/cat/5.png", folder / "Val/cat/0.png")
    (folder / "training/notes.txt").write_text("taken in May\n", encoding="utf-8")


if __name__ == "__main__":
    (write_faulty if "--faulty" in sys.argv else write_grounds)(Path(sys.argv[1]))
