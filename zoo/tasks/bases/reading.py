"""Data whose files are read as the device reads them.  Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from zoo.api.errors import BadFile
from zoo.api.parts import FileItem
from zoo.api.problem import Problem
from zoo.data.formats.text_files import file_text
from zoo.data.text.table_items import encoding_fact, is_table, table_items
from zoo.runs.serialization import to_json

if TYPE_CHECKING:
    from zoo.api.task import Arrays


class DeviceReader:
    """`read` by the function of the module that bundles carry; a task adds `device`.

    Examples:
        >>> class Rows(zoo.DeviceReader):
        ...     device, noun, hint = "zoo:read_rows", "table", "give a CSV file"
        >>> Rows.noun
        'table'
    """

    device: ModuleType
    """The module; its `read` raises ValueError or OSError for what it cannot read."""
    noun: ClassVar[str] = "input"
    """What a file is read as: "text", "a table"."""
    hint: ClassVar[str] = ""
    """What to give instead: "give a UTF-8 text file"."""

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """The items of a file, one unless the module gives a list of (name, inputs); BadFile says what is wrong."""
        try:
            made = self.device.read(path, to_json(problem))
        except (OSError, ValueError) as error:
            raise BadFile(f"{path} cannot be read as {self.noun}: {error}", hint=self.hint) from error
        items = made if isinstance(made, list) else [("", made)]
        return tuple(FileItem(name=name, inputs=inputs) for name, inputs in items)


class DeviceTextReader(DeviceReader):
    """The same, and `read_text`, for tasks with the tag `reads_text`.

    Examples:
        >>> issubclass(zoo.DeviceTextReader, zoo.DeviceReader)
        True
    """

    def read_text(self, text: str, problem: Problem) -> Arrays:
        """The inputs made from a text given in words; BadFile says what is wrong with it."""
        try:
            return self.text_reader(problem)(text)
        except ValueError as error:
            raise BadFile(f"{text!r} cannot be read as {self.noun}: {error}", hint=self.hint) from error

    def text_reader(self, problem: Problem) -> Callable[[str], Arrays]:
        """The function from a text to inputs, for many texts; ValueError says what is wrong with one."""
        record = to_json(problem)
        return lambda text: dict(self.device.read_text(text, record))


class TextFileReader(DeviceTextReader):
    """The same, and `read` of files of text in any encoding, and of every row of a table, JSON Lines among them."""

    def read(self, path: Path, problem: Problem) -> Sequence[FileItem]:
        """The inputs of a text file, or of every row of a table; BadFile where it is empty or no text."""
        if is_table(path):
            read_text = self.text_reader(problem)
            return table_items(path, problem, lambda text, _: read_text(text))
        text = file_text(path, encoding_fact(problem))
        try:
            return (FileItem(inputs=self.text_reader(problem)(text)),)
        except ValueError as error:
            raise BadFile(f"{path} cannot be read as {self.noun}: {error}", hint=self.hint) from error
