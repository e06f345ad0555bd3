"""What the operating system refuses is a sentence with an exit code, never "in a way it did not expect"."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.api.errors import ZooError
from zoo.cli.terminal.system_errors import system_error
from zoo.runs.serialization import from_json
from zoo.runs.train_config import TrainConfig


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space", "f"), 3, "no space left to write f"),
        (OSError(errno.ENOSPC, "No space"), 3, "no space left where this command writes"),
        (OSError(errno.EDQUOT, "Quota", "f"), 3, "your quota on this disk is used up"),
        (OSError(errno.EFBIG, "File too large", "f"), 3, "may not be so large (`ulimit -f`)"),
        (OSError(errno.EROFS, "Read-only file system", "f"), 3, "f cannot be written: Read-only file system"),
        (OSError(errno.EIO, "Input/output error", "f"), 3, "f cannot be written: Input/output error"),
        (OSError(errno.EMFILE, "Too many open files", "f"), 3, "Too many open files"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "f"), 2, "the name f is too long"),
        (FileNotFoundError(errno.ENOENT, "No such file", "f"), 3, "f is not there, or no longer"),
        (MemoryError(), 3, "there is not enough memory for this command"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), 3, "enough memory"),
        (ImportError("libtorch_cpu.so: failed to map segment from shared object"), 3, "not enough memory"),
    ],
)
def test_an_error_of_the_system_is_a_sentence(error: Exception, code: int, sentence: str) -> None:
    told = system_error(error)
    assert isinstance(told, ZooError)
    assert (told.exit_code, bool(told.hint)) == (code, True) and sentence in told.message


@pytest.mark.parametrize(
    "error", [RuntimeError("a bug"), ConnectionResetError(errno.ECONNRESET, "reset"), ValueError()]
)
def test_other_errors_are_no_errors_of_the_system(error: Exception) -> None:
    assert system_error(error) is None


def test_a_record_is_not_blamed_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Small:
        def structure(self, *_: object) -> object:
            raise ExceptionGroup("while structuring", [MemoryError()])

    monkeypatch.setattr("zoo.runs.serialization._converter", Small)
    with pytest.raises(MemoryError):
        from_json(TrainConfig, {}, where="config.json")


def _zoo(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ZOO_STATE": str(folder / "state"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "zoo", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("absolute", [False, True])
def test_a_working_directory_that_is_gone(tmp_path: Path, absolute: bool) -> None:
    output = str(tmp_path / "run") if absolute else "run"
    script = "import os, shutil, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
    script += f"from zoo.cli import main; sys.exit(main(['train', 'cnn', '-o', {output!r}]))"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "Error: the working directory no longer exists\ncd to a folder that does\n",
    )


@pytest.mark.parametrize(("length", "sentence"), [(256, "is too long for a name here"), (5000, "is too long")])
def test_a_name_that_is_too_long(tmp_path: Path, length: int, sentence: str) -> None:
    done = _zoo(tmp_path, "train", "cnn", "-o", "a" * length)
    assert done.returncode == 2 and sentence in done.stderr


def test_a_checkpoint_beyond_the_limit_of_file_sizes_is_refused_before_the_first_step(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    script = f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {hard}))\n"
    script += "from zoo.cli import main; sys.exit(main("
    script += (
        "['train', 'cnn', '--limit-train', '64', '--epochs', '1', '--threads', '1', '--workers', '0', '-o', 'r']))"
    )
    environment = {**os.environ, "ZOO_STATE": str(tmp_path / "state"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "(`ulimit -f`)" in done.stderr
    assert not (tmp_path / "r").exists()
