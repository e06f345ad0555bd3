"""What a plugin declares about a format: the way in which people keep data, recognised and read for a task."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.api.specs import QUALIFIED, TASK_NAME, Reference, check_pattern, check_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatMatch:
    """A source that a format can read.

    Examples:
        >>> zoo.FormatMatch(location=Path("photos")).sure
        True
    """

    location: Path
    """What to read it by: the folder that was given, one inside it, or the file that describes the data."""
    sure: bool = True
    """False where other data look the same, as any .json file does: a format that is sure then comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatSpec:
    """One way in which people keep data.

    `read` gives everything that a source names, in the form that the tasks share: `zoo.ObjectListing` for
    object-detection, `zoo.MaskListing` for semantic-segmentation, `zoo.FileListing` for pictures and sounds with or
    without a label, and for texts `zoo.TextRow`s, one after the other.  The checks (files exist and decode, sizes,
    ranges, classes, doubles, leaks between splits) are zoo's, the same for every format.

    Examples:
        >>> spec = zoo.FormatSpec(name="mine", tasks=("object-detection",), detect="my:detect", read="my:read")
        >>> spec.write is None
        True
    """

    name: str
    """What --format calls it; unique for each task in its plugin."""
    tasks: tuple[str, ...]
    """The tasks whose data it can hold; the first is what `zoo data check` takes it for when no task is named."""
    detect: Reference
    """(path, request) -> `zoo.FormatMatch`, or None where the path holds no such data; in under a second, without
    opening a sample.  DataError where it is such data that cannot be read, with the reason.  `request.format` is this
    name where the user asked for it."""
    read: Reference
    """(location, request) -> what the source names; wrong entries are `zoo.BadSample`s of the listing.  DataError where
    nothing of it can be read."""
    write: Reference | None = None
    """(card, folder) -> sentences for the user: writes the data of a checked card into an empty folder; None where
    they are only read."""
    has_parts: bool = True
    """It reads --train, --val and --test as the folders or files of its splits; False for a format of one file."""
    has_columns: bool = False
    """It reads --text-column and --label-column: it is a table."""
    has_encoding: bool = False
    """It reads --encoding: it has files of text, which `zoo.decode_file` reads."""
    summary: str = ""
    """An example of the layout in half a line: "FOLDER/CLASS/*.jpg"."""

    def __post_init__(self) -> None:
        check_pattern(TASK_NAME, self.name, what="a format's name", form="'class-folders'")
        if not self.tasks:
            raise ValueError(f"the format {self.name} names no task")
        for task in self.tasks:
            check_pattern(QUALIFIED, task, what=f"a task of the format {self.name}", form="'object-detection'")
        check_reference(self.detect, what=f"detect of the format {self.name}")
        check_reference(self.read, what=f"read of the format {self.name}")
        check_reference(self.write, what=f"write of the format {self.name}")
