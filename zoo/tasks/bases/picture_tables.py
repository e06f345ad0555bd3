"""Tasks on pictures with a table of what they show, and pictures that a task brings along.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np

from zoo.api.data import DataCard, DataRequest, DataSource, Split
from zoo.api.errors import BadFile, DataError
from zoo.api.task import Progress
from zoo.data.card import make_card, split_named
from zoo.data.formats.pictures.decode import read_picture
from zoo.data.image.reading import Pixels, unchanged
from zoo.data.table.rows import read_samples, read_table
from zoo.runs.user_paths import expand_user
from zoo.tasks.bases.pictures import PictureData

SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class PictureTableData(PictureData):
    """A folder with pictures and a CSV file that names them, or embedded pictures.

    The file has a column `path`, below the folder, columns of the task's own and, if wanted, `split`.  A task says
    `table`, `columns` and `sample`; with embedded pictures `embedded` and `embedded_split`, too.

    Examples:
        >>> class Data(zoo.PictureTableData):
        ...     table = "angles.csv"
        ...     columns = ("angle",)
    """

    table: ClassVar[str]
    """The name of the file: "points.csv"."""
    columns: ClassVar[str]
    """Its first line, for people: "path,NAME_x,NAME_y,...[,split]"."""

    def classes(self, header: Sequence[str]) -> Sequence[str]:  # noqa: ARG002  for overriding
        """The classes that the first line names, in the order of the answer; none by default."""
        return ()

    def needed(self, classes: Sequence[str]) -> Sequence[str]:  # noqa: ARG002  for overriding
        """The columns that must be there beside `path`."""
        return ()

    def sample(self, name: str, cells: Mapping[str, str], sides: tuple[int, int], classes: Sequence[str]) -> Any:
        """The sample of one line, a frozen dataclass with this `name`; ValueError says what is wrong with it.

        `sides` are height and width of its picture in pixels.
        """
        raise NotImplementedError(f"{type(self).__name__} must say sample")

    def embedded_split(self, split: Split) -> tuple[Sequence[Any], Pixels]:
        """The samples of a split of the embedded data, named "train/0", "train/1", ..., and their pictures.

        uint8 [n, h, w], or [n, h, w, 3].
        """
        raise NotImplementedError(f"{type(self).__name__} must say embedded_split, as it names embedded data")

    @property
    def accepted(self) -> str:
        """What is accepted, in a sentence."""
        own = f"; {self.embedded}" if self.embedded else ""
        return f"accepted are a folder with pictures and {self.table} ({self.columns}){own}"

    def detect(self, request: DataRequest) -> DataSource:
        """Such a folder, or the embedded data; DataError names both."""
        if self.embedded and request.source == self.embedded:
            return DataSource(request=request, format=self.embedded)
        folder = expand_user(request.source)
        if not (folder / self.table).is_file():
            lack = f"has no {self.table}" if folder.is_dir() else "is not a folder"
            raise DataError(f"{folder} {lack}", hint=self.accepted)
        return DataSource(request=request, format=self.table.replace(".", "-"), location=folder.resolve())

    def check(self, source: DataSource, *, progress: Progress) -> DataCard:
        """Every picture decoded, every line read; DataError lists every line that is wrong."""
        if source.location is None:
            splits = {split: self.embedded_split(split) for split in SPLITS}
            channels = 1 if splits["train"][1].ndim == 3 else 3
            samples = {split: items for split, (items, _) in splits.items()}
            return make_card(source, samples, classes=self.embedded_classes, facts={"channels": channels})
        path = source.location / self.table
        header, rows = read_table(path)
        classes = tuple(self.classes(header))
        missing = [name for name in ("path", *self.needed(classes)) if name not in header]
        if missing:
            raise BadFile(f"the first line of {path} is {','.join(header)!r}, without {missing[0]}", hint=self.accepted)
        folder = source.location

        def sample(_: int, cells: Mapping[str, str]) -> Any:
            height, width = read_picture(folder / cells["path"]).shape[:2]
            return self.sample(cells["path"], cells, (height, width), classes)

        read, bad = read_samples(path, header, rows, sample, progress=progress)
        facts = {"channels": 3}
        return make_card(source, read, bad=bad, classes=classes, facts=facts, accepted=self.accepted)

    def reader(self, card: DataCard) -> Callable[[Any], Pixels]:
        """From files, or of the embedded pictures."""
        folder = card.source.location
        if folder is not None:
            return unchanged(lambda sample: read_picture(folder / sample.name))
        pictures = cache(lambda split: self.embedded_split(split)[1])

        def read(sample: Any) -> Pixels:
            picture: Pixels = pictures(split_named(sample.name.partition("/")[0]))[_index(sample)]
            return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)

        return read

    def stacked(self, card: DataCard, split: Split) -> Pixels | None:
        """All pictures of a split at once, where they are embedded."""
        if card.source.location is not None:
            return None
        _, pictures = self.embedded_split(split)
        return pictures[[_index(sample) for sample in card.splits[split]]]


def _index(sample: Any) -> int:
    return int(sample.name.rpartition("/")[2])
