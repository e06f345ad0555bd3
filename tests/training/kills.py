"""Trainings that are killed at file-system events and resumed, each in a process of its own, and what differs then.

python -m tests.training.kills FOLDER KILLS prints, of toys, the number of kills and every difference.
The kill comes from a hook that this file installs: the product knows nothing of it.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

EVENTS: Final = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod")
TIMED: Final = ("seconds", "items_per_second")
"""Columns that are of the clock."""
Work = Callable[[Path], object]
"""Trains, or trains on, the run in a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """What came of some runs that were killed."""

    kills: int
    differences: tuple[str, ...]


def campaign(train: Work, resume: Work, folder: Path, *, kills: int, per_run: int = 5, seed: int = 0) -> Campaign:
    """Train once without a kill, then as many runs as it takes to kill so often, at events chosen by the seed."""
    whole = folder / "whole"
    total = _child(train, whole, kill_at=0).events
    expected = contents(whole)
    chance = random.Random(seed)
    done, runs, differences = 0, 0, []
    while done < kills:
        runs += 1
        place = folder / f"killed-{runs}"
        history: list[str] = []
        while True:
            work = resume if (place / "run.json").exists() else train
            last = len(history) + done >= kills
            ended = _child(work, place, kill_at=0 if last else chance.randrange(1, 2 * total // per_run + 2))
            if not ended.killed:
                break
            history.append(ended.last_event)
        done += len(history)
        found = [ended.error] if ended.error else _compare(expected, place)
        differences += [f"{place.name} after kills at {history}: {text}" for text in found]
    return Campaign(kills=done, differences=tuple(differences))


def _compare(expected: Mapping[str, object], place: Path) -> list[str]:
    actual = contents(place) if (place / "run.json").exists() else {}
    names = sorted({*expected, *actual})
    return [f"{name} differs" for name in names if expected.get(name) != actual.get(name)]


def contents(run: Path) -> dict[str, object]:
    """Everything in a run by the name of its file, without what is of the clock, the process or the machine."""
    files = [path for path in sorted(run.rglob("*")) if path.is_file()]
    return {re.sub(r"tfevents[.]\d+", "tfevents", path.relative_to(run).as_posix()): _content(path) for path in files}


def _content(path: Path) -> object:
    for pattern, read in _READERS.items():
        if path.match(pattern):
            return read(path)
    return path.read_bytes()


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return [{name: cell for name, cell in row.items() if name not in TIMED} for row in csv.DictReader(lines)]


def _record(file: Path) -> dict[str, object]:
    record = json.loads(file.read_bytes())
    return {name: record[name] for name in ("status", "steps", "epochs", "best_epoch", "metrics", "test", "notes")}


def _state(file: Path) -> list[object]:
    state = torch.load(file, weights_only=True)
    return [*_plain({name: state[name] for name in ("modules", "optimizers", "average", "trainer")})]


def _plain(value: Any) -> Iterator[object]:
    """The leaves of a state, tensors as their bytes."""
    if isinstance(value, torch.Tensor):
        yield value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _plain(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _plain(part)
    else:
        yield value


def events(file: Path) -> Iterator[tuple[str, int, float]]:
    """Tag, step and value of every scalar in an event file, but those of the clock."""
    for event in LegacyEventFileLoader(str(file)).Load():
        for value in event.summary.value:
            if value.tag not in TIMED:
                yield value.tag, event.step, value.simple_value


def _nothing(_: Path) -> str:
    return ""


_READERS: Final[Mapping[str, Callable[[Path], object]]] = {
    "run.json": _record,
    "config.json": lambda file: {**json.loads(file.read_bytes()), "output": ""},
    "metrics.csv": _rows,
    "events.*": lambda file: list(events(file)),
    "state.pt": _state,
    # hashes and times: that it is there is what counts
    **dict.fromkeys(("MANIFEST.json", "report.html", "training.lock"), _nothing),
}
"""How the files that hold more than what the training decides are compared, by name; others by their bytes."""


# --- a child that is killed ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended."""

    killed: bool
    events: int
    """That it came to."""
    last_event: str
    error: str = ""


def _child(work: Work, place: Path, *, kill_at: int) -> Ended:
    """Do the work in a fork of this process, which dies at its event number `kill_at`; at none for 0."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work(work, place, kill_at, writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        lines = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    told = [line for line in lines if not line.startswith("error ")]
    error = "\n".join(line.removeprefix("error ") for line in lines if line.startswith("error "))
    if not killed and not error and status:
        error = f"it ended with status {status}"
    return Ended(killed=killed, events=len(told), last_event=told[-1] if told else "", error=error)


def _work(work: Work, place: Path, kill_at: int, writer: int) -> None:
    """In the child; it does not return."""
    code, count = 0, 0
    name = re.compile(rf"(^|/)\.?{re.escape(place.name)}(/|\.|$)")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event not in EVENTS or not arguments or not isinstance(arguments[0], str | Path):
            return
        path = str(arguments[0])
        if not name.search(path) or (event == "open" and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)):
            return
        count += 1
        os.write(writer, f"{event} {Path(path).name}\n".encode())
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    try:
        work(place)
    except BaseException:
        code = 1
        for line in traceback.format_exc().splitlines():
            os.write(writer, f"error {line}\n".encode())
    os._exit(code)


if __name__ == "__main__":
    from tests.training.toy import resume_toy, train_toy

    ended = campaign(train_toy, resume_toy, Path(sys.argv[1]), kills=int(sys.argv[2]))
    print(json.dumps({"kills": ended.kills, "differences": ended.differences}))
