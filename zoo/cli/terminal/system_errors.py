"""What the operating system refuses a command, as sentences: every such error that nothing else has told."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from zoo.api.errors import BadFile, DiskError, OutOfMemory, UsageError, ZooError
from zoo.training.launch.memory import is_out_of_memory


def system_error(error: BaseException) -> ZooError | None:
    """The sentence for an error of the operating system; None for any other error."""
    if isinstance(error, ZooError):
        return None
    if is_out_of_memory(error):
        return OutOfMemory(
            "there is not enough memory for this command",
            hint="close other programs, raise the limit (`ulimit -v`), or take smaller inputs, batches or models",
        )
    return _file_error(error) if isinstance(error, OSError) else None


def _file_error(error: OSError) -> ZooError | None:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return DiskError(f"no more files can be opened: {error.strerror}", hint="raise the limit (`ulimit -n`)")
    if error.errno == errno.ENOENT and not _has_working_directory():
        return UsageError("the working directory no longer exists", hint="cd to a folder that does")
    return _path_error(None if error.filename is None else Path(os.fsdecode(error.filename)), error)


def _path_error(path: Path | None, error: OSError) -> ZooError | None:
    from zoo.runs.atomic import write_error  # noqa: PLC0415  only for such an error

    if path is None and error.errno == errno.ENOSPC:  # as of a pipe or a device: whose room is left, nobody knows
        return DiskError("no space left where this command writes", hint="make room there, or write to another place")
    if path is None:
        return None if error.errno == errno.ENOENT else write_error(Path("a file"), error)
    if error.errno == errno.ENAMETOOLONG:
        return UsageError(f"the name {path} is too long for a file", hint="choose a shorter one")
    if error.errno == errno.ENOENT:
        return DiskError(f"{path} is not there, or no longer", hint="something may have moved or removed it: try again")
    if error.errno in (errno.EACCES, errno.EPERM) and path.exists() and not os.access(path, os.R_OK):
        return BadFile(f"{path} cannot be read: {error.strerror}", hint="ask its owner for the permission to read it")
    return write_error(path, error)


def _has_working_directory() -> bool:
    try:
        os.getcwd()  # noqa: PTH109  the question is whether this call fails
    except OSError:
        return False
    return True
