"""One place prints errors: one sentence, the next step, the right exit code, one document under --json."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import click
import pytest

from zoo.api.errors import BadSample, DataError, DiskError, Refused, UnknownName
from zoo.cli import COMMANDS, cli, main
from zoo.cli.terminal.lazy import Entry

Command = Callable[..., Any]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Gives `zoo` a command `fail` that raises this."""

    def install(error: BaseException) -> None:
        @click.command("fail")
        @click.option("--json", "as_json", is_flag=True)
        def fail(as_json: bool) -> None:
            print("half an answer")
            raise error

        monkeypatch.setattr(sys.modules[__name__], "FAIL", fail)
        monkeypatch.setitem(cli.table, "fail", Entry(f"{__name__}:FAIL", "Fails."))

    return install


FAIL: click.Command | None = None


LONG = "a" * 300


@pytest.mark.parametrize(
    "words",
    [
        ("verify", LONG),
        ("verify", ".", "--key", LONG),
        ("inspect", LONG),
        ("diff", LONG, LONG),
        ("predict", "cnn@digits", LONG),
        ("data", "check", LONG),
        ("info", LONG),
        ("train", "cnn", "--data", LONG, "--dry-run"),
        ("train", "cnn", "--dry-run", "-o", LONG),
    ],
    ids=lambda words: " ".join(words).replace(LONG, "LONG"),
)
def test_a_name_that_no_file_system_takes_is_bad_input(
    zoo_command: Command, empty_directory: object, words: tuple[str, ...]
) -> None:
    said = zoo_command(*words)
    assert (said.code, "did not expect" in said.err) == (2, False), said.err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(errno.ENAMETOOLONG, "File name too long", "x"), 2, "the name x is too long for a file"),
        (OSError(errno.EACCES, "Permission denied", "x"), 3, "x cannot be written: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 3, "no space left to write x"),
        (OSError(errno.EMFILE, "Too many open files"), 3, "no more files can be opened: Too many open files"),
    ],
)
def test_what_the_system_refuses_is_no_failure_of_zoo(
    failing: Command, zoo_command: Command, error: OSError, code: int, message: str
) -> None:
    failing(error)
    said = zoo_command("fail")
    assert (said.code, said.err.splitlines()[0].startswith(f"Error: {message}")) == (code, True), said.err


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (Refused("the answer is no", hint="try again"), 1, "refused"),
        (UnknownName("who is that", hint="try again"), 2, "unknown-name"),
        (DiskError("no space left", hint="try again"), 3, "disk"),
    ],
)
def test_an_error_is_a_sentence_with_its_exit_code(
    error: Exception, code: int, kind: str, failing: Command, zoo_command: Command
) -> None:
    failing(error)
    said = zoo_command("fail")
    assert (said.code, said.err) == (code, f"Error: {error.args[0]}\ntry again\n")
    said = zoo_command("fail", "--json")
    assert said.code == code
    assert said.json == {"error": {"kind": kind, "message": error.args[0], "hint": "try again"}}
    assert "half an answer" in said.err


def test_what_zoo_did_not_expect_asks_for_a_traceback(failing: Command, zoo_command: Command) -> None:
    failing(KeyError("lost"))
    said = zoo_command("fail")
    assert said.code == 3
    assert said.err.splitlines() == [
        "Error: zoo failed in a way it did not expect: KeyError: 'lost'",
        "run it again with --traceback to see where, and report it",
    ]


@pytest.mark.parametrize("words", [("--traceback", "fail"), ("fail", "--traceback")])
def test_a_traceback_comes_when_asked_for(words: tuple[str, ...], failing: Command, zoo_command: Command) -> None:
    failing(KeyError("lost"))
    said = zoo_command(*words)
    assert said.code == 3
    assert said.err.startswith("Traceback (most recent call last):")
    assert "raise error\nKeyError: 'lost'\nError: zoo failed" in said.err


def test_the_environment_asks_for_a_traceback(
    failing: Command, zoo_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(Refused("no"))
    monkeypatch.setenv("ZOO_TRACEBACK", "1")
    assert zoo_command("fail").err.startswith("Traceback")
    monkeypatch.setenv("ZOO_TRACEBACK", "0")
    assert zoo_command("fail").err == "Error: no\n"


def test_control_c_is_130(failing: Command, zoo_command: Command) -> None:
    failing(KeyboardInterrupt())
    said = zoo_command("fail")
    assert (said.code, said.err) == (130, "Error: interrupted\n")


def test_bad_data_is_listed_a_dozen_at_most(failing: Command, zoo_command: Command) -> None:
    problems = [BadSample(f"{number}.png", "is empty", "remove it") for number in range(20)]
    failing(DataError("20 files cannot be read", problems=problems))
    said = zoo_command("fail")
    assert said.code == 2
    lines = said.err.splitlines()
    assert lines[0] == "Error: 20 files cannot be read"
    assert lines[1] == "  0.png: is empty; remove it"
    assert (len(lines), lines[-1]) == (14, "  and 8 more")
    assert len(zoo_command("fail", "--json").json["error"]["problems"]) == 20


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lst",), "no command named 'lst'; did you mean list?"),
        (("zzz",), "no command named 'zzz'"),
        (("list", "--nope"), "No such option"),
        (("info",), "Missing argument 'NAME'"),
    ],
)
def test_bad_usage_is_2(words: tuple[str, ...], sentence: str, zoo_command: Command) -> None:
    said = zoo_command(*words)
    assert said.code == 2
    assert said.err.startswith(f"Error: {sentence}")
    assert "--help`" in said.err.splitlines()[-1]


def test_help_names_every_command_without_importing_it(zoo_command: Command) -> None:
    said = zoo_command("--help")
    assert said.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " in said.out] == list(COMMANDS)


@pytest.mark.parametrize("words", [(), ("weights",)])
def test_a_group_alone_shows_its_help(words: tuple[str, ...], zoo_command: Command) -> None:
    said = zoo_command(*words)
    assert (said.code, said.err) == (0, "")
    assert said.out == zoo_command(*words, "--help").out


def test_the_version_is_the_distributions(zoo_command: Command) -> None:
    from importlib.metadata import version

    assert zoo_command("--version").out == f"zoo, version {version('edgezoo')}\n"


def test_a_reader_that_leaves_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert main(["--help"]) == 141
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("redirect", "out"), [(">&-", ""), ("| head -1 >&2", ""), ("", "a ? b\n")])
def test_any_stdout_will_do(redirect: str, out: str) -> None:
    say = (
        "import sys, zoo.cli.program as program\n"
        "program._run = lambda *_, **__: (print('a \\u2588 b'), (0, None))[1]\n"
        "sys.exit(program.main([]))"
    )
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "SAY": say, "PY": sys.executable}
    done = subprocess.run(
        ["bash", "-c", f'"$PY" -c "$SAY" {redirect}'],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == out
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "completed"), [("zoo li", "list"), ("zoo ex", "export"), ("zoo list --ta", "--task")]
)
def test_the_shell_can_complete(words: str, completed: str) -> None:
    completing = {"_ZOO_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-m", "zoo"],
        env=os.environ | completing,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == f"plain,{completed}\n"


ENDING = """
import atexit, sys, threading, types
sys.modules["torch"] = types.ModuleType("torch")
atexit.register(print, "the exit handlers ran")
{thread}
sys.argv = ["zoo", "info", "no-such-model"]
from zoo.cli import main
code = main()
print("Python ends by itself")
waiting.set()
sys.exit(code)
"""
WAITING = "waiting = threading.Event(); threading.Thread(target=waiting.wait).start()"


@pytest.mark.parametrize(
    ("thread", "out"),
    [("", "the exit handlers ran\n"), (WAITING, "Python ends by itself\nthe exit handlers ran\n")],
)
def test_a_process_with_torch_ends_at_once_unless_a_thread_still_works(thread: str, out: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(thread=thread)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, out)
