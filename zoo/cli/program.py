"""The command `zoo`: a table of lazily imported commands, and the one place that prints errors."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import click

from zoo.cli.terminal.lazy import Entry, LazyGroup
from zoo.cli.terminal.output import DOCUMENT
from zoo.cli.terminal.show_error import Failure
from zoo.cli.terminal.signals import ReceivedSignals, ending_signals
from zoo.runs.scratch import ScratchFolder, sweep
from zoo.training.engine.told import is_told

COMMANDS = {
    "list": Entry("zoo.cli.list.models:list_models", "The models on offer."),
    "info": Entry("zoo.cli.info.info:info", "Everything about one model, task, plugin, set of weights, run or bundle."),
    "train": Entry("zoo.cli.train:train", "Train a model on the default data or on yours.", torch=True),
    "eval": Entry("zoo.cli.eval:evaluate", "Measure a trained model on the test data.", torch=True),
    "predict": Entry(
        "zoo.cli.predict:predict", "Answers for files, from a run, from weights or from a bundle.", torch=True
    ),
    "export": Entry("zoo.cli.export:export", "Write a bundle for the edge, and prove it.", torch=True),
    "verify": Entry("zoo.cli.verify:verify", "Check a bundle or a file against its proof.", torch=True),
    "bench": Entry("zoo.cli.bench:benchmark_bundle", "How fast a bundle and its variants run here."),
    "profile": Entry("zoo.cli.profile:profile", "Which nodes of a bundle cost most here, by module of the model."),
    "demo": Entry("zoo.cli.demo.demo:demo", "A page that runs a bundle in the browser, or its runner in JavaScript."),
    "sweep": Entry("zoo.cli.sweep:sweep", "Export and prove many models, a row for each."),
    "inspect": Entry("zoo.cli.inspect:inspect", "What an ONNX file holds, read without running it."),
    "diff": Entry("zoo.cli.diff:diff", "How two bundles differ."),
    "data": Entry("zoo.cli.data.data:data", "What zoo understands of data: check, show and convert them.", torch=True),
    "runs": Entry("zoo.cli.runs:runs", "The trainings in a folder; compare and remove them.", torch=True),
    "report": Entry("zoo.cli.report:report", "Write the page about a run: epochs, intervals, classes.", torch=True),
    "cache": Entry("zoo.cli.cache:cache", "What zoo keeps for a second proof of the same target: show it, empty it."),
    "plugins": Entry(
        "zoo.cli.plugins.plugins:plugins", "The installed plugins; check one, write a new one.", torch=True
    ),
    "weights": Entry("zoo.cli.weights:weights", "The downloaded weights.", torch=True),
}

LIBRARY_FOLDERS = ("TORCHINDUCTOR_CACHE_DIR", "MPLCONFIGDIR")
"""Where torch keeps compiled kernels and matplotlib its list of fonts, by the environment variables that say so."""
EPILOG = """\b
Begin with `zoo list`, then `zoo train resnet` and `zoo export --onnx`.
Completion: eval "$(_ZOO_COMPLETE=bash_source zoo)"  (or zsh_source, fish_source).
Any command takes --traceback, which shows where an error came from."""


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    invoke_without_command=True,
)
@click.option("--version", "show_version", is_flag=True, help="The version; with --json the whole installation.")
@click.option("--json", "as_json", is_flag=True, hidden=True)
@click.pass_context
def cli(ctx: click.Context, show_version: bool, as_json: bool) -> None:
    """Train a model on your data, and get a file for the edge that is proved to give the same answers."""
    if show_version:
        from zoo.cli.version import print_version  # noqa: PLC0415  no other command needs it

        print_version(as_json=as_json)
        ctx.exit()
    if as_json:
        raise click.UsageError("--json stands behind the command: zoo list --json")
    if ctx.invoked_subcommand is None:
        raise click.UsageError("the command is missing")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    args = [word for word in given if word != "--traceback"]
    traceback = args != given or os.environ.get("ZOO_TRACEBACK", "") not in ("", "0")
    as_json = "--json" in args
    stdout = _writable_stdout()
    if as_json and arguments is None:
        stdout = _set_apart(stdout)
    try:
        if "_ZOO_COMPLETE" in os.environ:
            return _complete()
        # whatever prints while the document is made (a library, a plugin) must not get into it
        with ending_signals() as received, redirect_stdout(sys.stderr if as_json else stdout):
            code, document = _run(args, received, as_json=as_json, traceback=traceback)
        if document is not None:
            import json  # noqa: PLC0415  a table for people needs none

            print(json.dumps(document, indent=2, allow_nan=False), file=stdout)
        stdout.flush()
    except BrokenPipeError:
        return _reader_left(stdout)
    if arguments is None:
        _end_process(code)
    return code


def _end_process(code: int) -> None:
    """End as Python would, but leave torch's objects to the system: to free them one by one takes a second of CPU.

    Returns where torch was not loaded, or where a thread still works that Python waits for.
    """
    working = [thread for thread in threading.enumerate() if not thread.daemon]
    if "torch" not in sys.modules or working != [threading.main_thread()]:
        return
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _writable_stdout() -> TextIO:
    """stdout; one that is closed swallows all, and one that knows few letters shows ? for the others."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  as long as the process
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    return sys.stdout


def _set_apart(stdout: TextIO) -> TextIO:
    """stdout for the document alone: what else writes there (a C library, a child, an exit hook) reaches stderr."""
    with suppress(OSError, ValueError):
        apart = os.fdopen(os.dup(stdout.fileno()), "w", encoding=stdout.encoding, errors="replace")
        os.dup2(sys.stderr.fileno(), stdout.fileno())
        return apart
    return stdout


def _run(args: list[str], received: ReceivedSignals, *, as_json: bool, traceback: bool) -> tuple[int, object]:
    """The exit code, and under --json the document, of a result or of an error."""
    meta: dict[str, object] = {}
    try:
        sweep()
        with _library_folders(args), cli.make_context("zoo", args) as context:
            meta = context.meta
            cli.invoke(context)
        return 0, meta.get(DOCUMENT)
    except click.exceptions.Exit as stop:
        return stop.exit_code, meta.get(DOCUMENT)
    except click.exceptions.NoArgsIsHelpError as bare:  # `zoo`, `zoo weights`: a question, and the help answers it
        print(bare.format_message())
        return 0, None
    except BrokenPipeError:
        raise
    except BaseException as error:  # a plugin that calls sys.exit(0) has not done what was asked
        error = received.behind(error)
        failure = Failure.of(error)
        if not is_told(error):  # else another process of the training tells it
            failure.show(error, traceback=traceback)
        return failure.exit_code, failure.document() if as_json else None


@contextmanager
def _library_folders(args: list[str]) -> Iterator[None]:
    """What libraries keep for later goes into a folder that is removed: they make one even where nothing is kept."""
    names = [name for name in LIBRARY_FOLDERS if name not in os.environ]
    if not names or not any(COMMANDS[name].torch for name in args[:1] if name in COMMANDS):
        yield
        return
    try:
        made = ScratchFolder.make()
    except OSError:  # TMPDIR cannot be written: what needs it will say so
        yield
        return
    with made:
        os.environ.update({name: str(made.path / name.lower()) for name in names})
        try:
            yield
        finally:
            for name in names:
                os.environ.pop(name, None)


def _complete() -> int:
    from click.shell_completion import shell_complete  # noqa: PLC0415  only the shell asks for it

    return shell_complete(cli, {}, "zoo", "_ZOO_COMPLETE", os.environ["_ZOO_COMPLETE"])


def _reader_left(stdout: TextIO) -> int:
    """Nobody reads any more (`zoo list | head`): leave quietly, as a program killed by SIGPIPE does."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
    return 141
