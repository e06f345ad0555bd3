"""However a command ends, it leaves nothing behind: at once where Python can act, else at the next start of zoo."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tests.bundle.conftest import MakeBundle, make_bundle
from tests.conftest import Said
from zoo.cli import cli
from zoo.cli.terminal.lazy import Entry
from zoo.cli.terminal.signals import ENDING
from zoo.runs.scratch import SHARED_MEMORY

__all__ = ["make_bundle"]
PICTURE = Path(__file__).parents[3] / "docs" / "pictures" / "seven.png"
ZOO = [sys.executable, "-m", "zoo"]
SOON = 60.0
FAIL: click.Command | None = None


class World:
    """A home and a TMPDIR, both empty, and what a process left there and in shared memory."""

    def __init__(self, root: Path) -> None:
        self.folders = {name: root / name for name in ("HOME", "TMPDIR", "out")}
        for folder in self.folders.values():
            folder.mkdir()
        paths = {name: str(self.folders[name]) for name in ("HOME", "TMPDIR")}
        kept = {name: value for name, value in os.environ.items() if name not in ("ZOO_CACHE", "XDG_CACHE_HOME")}
        self.environment = {**kept, **paths, "OMP_NUM_THREADS": "1"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*ZOO, *words],
            env=self.environment,
            cwd=self.folders["out"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        output, _ = process.communicate(timeout=300)
        assert self.left(process.pid) == []
        return process.returncode, output

    def left(self, pid: int) -> list[Path]:
        """Everything in HOME, but for what zoo keeps in its cache on purpose, in TMPDIR, and in shared memory."""
        shared = SHARED_MEMORY.glob(f"zoo-{pid}-*") if SHARED_MEMORY.is_dir() else ()
        kept = self.folders["HOME"] / ".cache" / "zoo"
        home = [
            path for path in self.folders["HOME"].rglob("*") if path not in kept.parents and kept not in path.parents
        ]
        return sorted([*(path for path in home if path != kept), *self.folders["TMPDIR"].rglob("*"), *shared])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    root = tmp_path / "world"
    root.mkdir()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background ignore it
    yield World(root)
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def exporting(world: World) -> Iterator[subprocess.Popen[str]]:
    """A `zoo export` whose sandboxed process is at work."""
    process = world.start("export", "cnn@digits", "--onnx", "-o", "bundle")
    try:
        until(lambda: sandboxed(world, process))
        yield process
    finally:
        process.kill()
        process.wait()


def sandboxed(world: World, process: subprocess.Popen[str]) -> bool:
    """Whether its sandboxed process was started."""
    return any(path.name == "stderr" for path in below(world.left(process.pid)))


def trained(world: World, _: subprocess.Popen[str]) -> bool:
    """Whether its training has begun."""
    return (world.folders["out"] / "run" / "metrics.csv").is_file()


def below(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from path.rglob("*") if path.is_dir() else ()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("delay", "signals", "code"),
    [
        (0.0, (signal.SIGTERM,), 143),
        (2.0, (signal.SIGHUP,), 129),
        (0.0, (signal.SIGUSR1,), 138),
        (2.0, (signal.SIGINT,), 130),
        (0.0, (signal.SIGINT, signal.SIGINT), 130),
        (2.0, (signal.SIGTERM, signal.SIGTERM), 143),
    ],
    ids=lambda value: "+".join(number.name for number in value) if isinstance(value, tuple) else None,
)
def test_an_export_that_a_signal_ends_cleans_up(
    world: World, exporting: subprocess.Popen[str], signals: tuple[signal.Signals, ...], code: int, delay: float
) -> None:
    time.sleep(delay)
    for number in signals:
        exporting.send_signal(number)
        time.sleep(0.05)
    output, _ = exporting.communicate(timeout=SOON)
    # a second one may come when the interpreter is already leaving: for a shell both are 128 and the number
    assert exporting.returncode in ((code,) if len(signals) == 1 else (code, -signals[0])), output
    assert world.left(exporting.pid) == []
    assert list(world.folders["out"].iterdir()) == []


@pytest.mark.slow
def test_what_a_killed_export_left_is_gone_after_the_next_start(world: World, exporting: subprocess.Popen[str]) -> None:
    exporting.kill()
    exporting.wait()
    assert world.left(exporting.pid)
    assert world.run("--version")[0] == 0
    until(lambda: world.run("list", "cnn")[0] == 0 and world.left(exporting.pid) == [])


@pytest.mark.ci
def test_export_verify_predict_and_the_runner_leave_nothing(world: World) -> None:
    for words in (
        ("export", "cnn@digits", "--onnx", "-o", "bundle"),
        ("verify", "bundle"),
        ("verify", "bundle", "--against", "cnn@digits"),
        ("predict", "bundle", str(PICTURE)),
        ("predict", "cnn@digits", str(PICTURE)),
    ):
        code, output = world.run(*words)
        assert code == 0, output
    for argument in ("--self-test", str(PICTURE)):
        command = [sys.executable, "bundle/run.py", argument]
        subprocess.run(command, env=world.environment, cwd=world.folders["out"], check=True, stdout=subprocess.DEVNULL)
    assert world.left(0) == []
    assert [path.name for path in world.folders["out"].iterdir()] == ["bundle"]


COMMANDS: dict[str, tuple[tuple[str, ...], Callable[[World, subprocess.Popen[str]], bool]]] = {
    "verify": (("verify", "BUNDLE"), sandboxed),
    "predict": (("predict", "BUNDLE", str(PICTURE)), sandboxed),
    "train": (("train", "cnn", "--data", "digits", "--limit-train", "64", "--epochs", "500", "-o", "run"), trained),
}
"""What is started, and when it is at work."""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_a_signal_ends_leaves_nothing(
    world: World, make_bundle: MakeBundle, command: str, number: signal.Signals
) -> None:
    words, at_work = COMMANDS[command]
    bundle = str(make_bundle())
    process = world.start(*(bundle if word == "BUNDLE" else word for word in words))
    try:
        until(lambda: at_work(world, process))
        process.send_signal(number)
        output, _ = process.communicate(timeout=SOON)
    finally:
        process.kill()
        process.wait()
    killed = number == signal.SIGKILL
    assert process.returncode == (-number if killed else 128 + number), output
    if killed:
        until(lambda: world.run("list", "cnn")[0] == 0 and world.left(process.pid) == [])
    assert world.left(process.pid) == []
    assert {path.name for path in world.folders["out"].iterdir()} <= {"run"}


@pytest.mark.slow
@pytest.mark.parametrize(("data", "code"), [("digits", 0), ("absent", 2)])
def test_a_training_leaves_nothing_but_its_run(world: World, data: str, code: int) -> None:
    words = ("train", "cnn", "--data", data, "--limit-train", "64", "--max-steps", "1", "-o", "run")
    assert world.run(*words)[0] == code
    assert [path.name for path in world.folders["out"].iterdir()] == ["run"] * (code == 0)


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("argument", [str(PICTURE), "absent.png", "--self-test"])
def test_a_bundles_runner_leaves_nothing(
    world: World, make_bundle: MakeBundle, argument: str, number: signal.Signals | None
) -> None:
    bundle = make_bundle()
    before = sorted(bundle.rglob("*"))
    command = [sys.executable, str(bundle / "run.py"), argument]
    here, quiet = world.folders["out"], subprocess.DEVNULL
    with subprocess.Popen(command, env=world.environment, cwd=here, stdout=quiet, stderr=quiet) as process:
        if number is not None:
            process.send_signal(number)
    if number is None:
        assert process.returncode >= 0
    else:  # Python ends with 1 where SIGINT meets its own start-up
        assert process.returncode in ({-number, 1} if number == signal.SIGINT else {-number})
    assert world.left(process.pid) == []
    assert list(world.folders["out"].iterdir()) == []
    assert sorted(bundle.rglob("*")) == before


@pytest.mark.parametrize("home", [None, "absent", "a file", "read-only"])
def test_commands_do_without_a_home(world: World, make_bundle: MakeBundle, home: str | None) -> None:
    """Neither HOME nor any of XDG's folders is there or can be written."""
    place = world.folders["out"] / "home"
    if home == "a file":
        place.write_text("")
    if home == "read-only":
        place.mkdir(mode=0o555)
    unset = ("HOME", "ZOO_STATE", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    kept = {name: value for name, value in world.environment.items() if name not in unset}
    world.environment = kept if home is None else {**kept, "HOME": str(place)}
    bundle = str(make_bundle())
    before = sorted(world.folders["out"].iterdir())
    for words in (
        ("list", "cnn"),
        ("runs",),
        ("weights", "list"),
        ("verify", bundle),
        ("predict", bundle, str(PICTURE)),
    ):
        code, output = world.run(*words)
        assert code == 0, output
    assert sorted(world.folders["out"].rglob("*")) == before


@pytest.mark.parametrize(("change", "code"), [("nothing", 0), ("a file", 1), ("no JSON", 2)])
def test_a_verification_leaves_nothing_whatever_it_finds(
    world: World, make_bundle: MakeBundle, change: str, code: int
) -> None:
    bundle = make_bundle()
    if change == "a file":
        (bundle / "task.py").write_text("changed")
    if change == "no JSON":
        (bundle / "manifest.json").write_text("{")
    assert world.run("verify", str(bundle))[0] == code


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_such_a_signal_is_one_sentence_and_the_handlers_are_put_back(
    zoo_command: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, number: Any
) -> None:
    @click.command("fail")
    def fail() -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(sys.modules[__name__], "FAIL", fail)
    monkeypatch.setitem(cli.table, "fail", Entry(f"{__name__}:FAIL", "Fails."))
    before = [signal.getsignal(other) for other in ENDING]
    said = zoo_command("fail")
    assert (said.code, said.err) == (128 + number, f"Error: stopped by {number.name}\n")
    assert [signal.getsignal(other) for other in ENDING] == before


def test_ctrl_c_in_code_from_a_string_changes_no_exit_code(world: World) -> None:
    program = """
import signal, sys
from zoo.cli.terminal.signals import ending_signals
try:
    with ending_signals():
        exec("signal.raise_signal(signal.SIGINT)")
except KeyboardInterrupt:
    sys.exit(130)
"""
    (world.folders["out"] / "interrupted.py").write_text(program)
    command = [sys.executable, "-m", "interrupted"]
    assert subprocess.run(command, cwd=world.folders["out"], timeout=SOON, check=False).returncode == 130


INITIALISING = """
import os, signal, sys, types
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from zoo.cli.terminal.signals import AGAIN_AFTER, Terminated, ending_signals

class Loader(ExtensionFileLoader):
    '''Of a module in C that runs Python while it is initialised.'''

def initialise(_):
    for _ in range(TIMES):
        os.kill(os.getpid(), signal.SIGTERM)
    print("initialised")

def load():
    ExtensionFileLoader.exec_module(Loader("module", "module.so"), types.ModuleType("module"))

import _imp
_imp.exec_dynamic = initialise
import importlib._bootstrap_external as external
external._imp.exec_dynamic = initialise
import time
"""
"""The start of a program whose `load` has a signal come in the middle of such a module."""


@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_while_a_module_in_c_is_initialised_ends_the_command_after_it(world: World, times: int) -> None:
    program = f"""{INITIALISING.replace("TIMES", str(times))}
try:
    with ending_signals():
        load()
        time.sleep(60)
except Terminated as error:
    print(error.exit_code)
"""
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, timeout=SOON / 2, check=True, capture_output=True, text=True)
    assert said.stdout == "initialised\n143\n"


def test_such_a_signal_is_not_sent_again_after_the_command(world: World) -> None:
    program = f"""{INITIALISING.replace("TIMES", "1")}
with ending_signals():
    load()
time.sleep(2 * AGAIN_AFTER)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=SOON, check=False).returncode == 0


def test_a_signal_ends_an_import_that_never_ends(world: World) -> None:
    out = world.folders["out"]
    (out / "endless.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    program = """
import sys
from zoo.cli.terminal.signals import ending_signals
try:
    with ending_signals():
        import endless
except KeyboardInterrupt:
    sys.exit(130)
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=out, timeout=SOON / 2, check=False).returncode == 130


def test_a_signal_that_is_ignored_stays_ignored(
    zoo_command: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command("fail")
    def fail() -> None:
        signal.raise_signal(signal.SIGHUP)
        print("went on")

    monkeypatch.setattr(sys.modules[__name__], "FAIL", fail)
    monkeypatch.setitem(cli.table, "fail", Entry(f"{__name__}:FAIL", "Fails."))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert zoo_command("fail").out == "went on\n"
    finally:
        signal.signal(signal.SIGHUP, before)
