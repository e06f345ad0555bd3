"""The terminal output of a training: one line for each epoch, for some of very many, and a live line below them."""

from __future__ import annotations

import errno
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from zoo.api.callback import CallbackRun, EpochResult, Outcome, StartEvent, StepEvent
from zoo.api.untrusted import one_line
from zoo.runs.terminal import folded
from zoo.training.loop.notify import OwnCallback
from zoo.training.loop.signals import leave_closed_terminal

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

BAR_WIDTH: Final = 20
SHORTEST_BAR: Final = 4
FEWEST_PARTS: Final = 4
"""Of the live line, whatever the terminal: epoch, bar, loss and the time left."""
LINE_SECONDS: Final = 30.0
"""Seconds between lines within an epoch where the output is not a terminal."""
ALL_EPOCHS: Final = 100
"""Of more epochs than these only some get a line; metrics.csv has them all."""
SHOWN_EPOCHS: Final = 50
PERCENT_METRICS: Final = ("top1", "top5", "accuracy")


class LiveLine(OwnCallback):
    """Prints to `stream`: on a terminal a line that is rewritten, elsewhere plain lines from time to time."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._live: Live | None = None
        self._start: StartEvent | None = None
        self._first: StepEvent | None = None
        self._estimated = False
        self._printed = time.monotonic()

    def on_start(self, start: StartEvent) -> None:
        """Open the live line on a terminal."""
        self._start = start
        self._printed = time.monotonic()
        if start.step:
            self._print(f"going on from epoch {start.epoch}, step {start.step:,} of {start.steps:,}")
        if self._terminal:
            from rich.console import Console  # noqa: PLC0415  only terminals need it
            from rich.live import Live  # noqa: PLC0415

            self._live = Live(console=Console(file=self._stream), auto_refresh=False, transient=True)
            self._live.start()

    def on_step(self, event: StepEvent) -> None:
        """Refresh the live line; without a terminal, print a line from time to time."""
        if self._start is None:
            return
        if event.step_seconds and not self._estimated:
            self._estimate(event, self._start)
        if self._live:
            from rich.text import Text  # noqa: PLC0415  only terminals need it

            text = step_line(event, self._start, width=self._live.console.width)
            self._update(Text(one_line(text)))  # a plain string would get colours
        elif time.monotonic() - self._printed >= LINE_SECONDS:
            self._print(step_line(event, self._start))

    def on_epoch_end(self, result: EpochResult) -> None:
        """Print the line of the epoch."""
        if self._live:
            self._update("")  # the epoch it described has ended
        if self._start and _is_shown(result.epoch, of=self._start.epochs):
            self._print(epoch_line(result, self._start, width=self._width))

    def on_end(self, outcome: Outcome) -> None:  # noqa: ARG002
        """Close the live line."""
        self.on_close()

    def on_close(self) -> None:
        """Close the live line."""
        if self._live:
            with _closed_terminal():
                self._live.stop()
            self._live = None

    def _estimate(self, event: StepEvent, start: StartEvent) -> None:
        """Say how long it will take, once steps were timed after the first, which is slower."""
        if self._first is None:
            self._first = event
            return
        seconds = event.step_seconds
        if event.epoch == self._first.epoch:
            before, done = _steps_done(self._first, start), _steps_done(event, start)
            seconds = (seconds * done - self._first.step_seconds * before) / max(done - before, 1)
        self._estimated = True
        if event.remaining >= 1:
            self._print(estimate_line(event, start, step_seconds=seconds))

    @property
    def _width(self) -> int | None:
        """The columns of the terminal; None elsewhere."""
        return self._live.console.width if self._live else None

    def _update(self, text: str | Text) -> None:
        if self._live:
            with _closed_terminal():
                self._live.update(text, refresh=True)

    def _print(self, text: str) -> None:
        text = one_line(text)
        with _closed_terminal():
            for line in folded(text, self._width):
                if self._live:
                    self._live.console.print(line, highlight=False, markup=False)
                else:
                    print(line, file=self._stream, flush=True)
        self._printed = time.monotonic()


def live_line(run: CallbackRun) -> LiveLine:  # noqa: ARG001  every run alike
    """The line on stdout."""
    return LiveLine()


def _is_shown(epoch: int, *, of: int) -> bool:
    """Whether an epoch gets a line: each of up to `ALL_EPOCHS`, else the first, the last and every so many."""
    every = 1 if of <= ALL_EPOCHS else -(-of // SHOWN_EPOCHS)
    return epoch in (1, of) or epoch % every == 0


def estimate_line(event: StepEvent, start: StartEvent, *, step_seconds: float) -> str:
    """How long the rest of the training will take, or until its limit of time."""
    steps = start.steps - event.step
    seconds = min(steps * step_seconds * event.later_cost, event.remaining)
    return f"estimate: {steps:,} more steps of {step_seconds:.2g} s, {clock(seconds)} without the evaluations"


def _steps_done(event: StepEvent, start: StartEvent) -> int:
    """The steps of the event's epoch that this process has done."""
    return event.step - max(start.step, (event.epoch - 1) * start.batches)


@contextmanager
def _closed_terminal() -> Iterator[None]:
    """Inside, a terminal that was closed is no error: the training goes on without it."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        leave_closed_terminal()


def step_line(event: StepEvent, start: StartEvent, *, width: int | None = None) -> str:
    """The live line: epoch, bar, loss, metric, speed, learning rate, time left; in so many columns a shorter bar."""
    share = event.batch / start.batches
    parts = [f"epoch {event.epoch}/{start.epochs}", f"{share:4.0%}", f"loss {event.loss:.4f}"]
    if start.monitor.metric in event.metrics:
        parts.append(score(start.monitor.metric, event.metrics[start.monitor.metric]))
    parts += [f"{event.speed:,.0f}/s", f"lr {event.rate:.1e}", f"{clock(event.remaining)} left"]
    room = width or sys.maxsize
    while len("  ".join(parts)) + 1 + SHORTEST_BAR > room and len(parts) > FEWEST_PARTS:
        del parts[-2]  # the learning rate, then the speed, then the metric: the time left stays
    cells = max(min(BAR_WIDTH, room - len("  ".join(parts)) - 1), SHORTEST_BAR)
    parts[1] = f"{('━' * round(share * cells)).ljust(cells, '╌')} {parts[1]}"
    return "  ".join(parts)


def epoch_line(result: EpochResult, start: StartEvent, *, width: int | None = None) -> str:
    """The line of an epoch: loss, metrics, speed, learning rate, time; the last three go where a terminal is narrow.

    metrics.csv has them all.
    """
    scores = [score(name, value) for name, value in result.metrics.items()]
    validation = [] if result.validation_loss is None else [f"val loss {result.validation_loss:.4f}"]
    head = [f"epoch {result.epoch}/{start.epochs}", f"loss {result.losses['loss']:.4f}", *validation, *scores]
    speed, rate, seconds = f"{result.speed:,.0f}/s", f"lr {result.rate:.1e}", clock(result.seconds)
    mark = ["best"] if result.best else []
    choices: tuple[list[str], ...] = ([speed, rate, seconds], [speed, seconds], [seconds], [])
    lines = ["  ".join([*head, *beside, *mark]) for beside in choices]
    return next((line for line in lines if width is None or len(line) <= width), lines[-1])


def score(name: str, value: float) -> str:
    """A metric with its name; accuracies as percentages."""
    if math.isnan(value):
        return f"{name} not measurable"
    return f"{name} {value:.2%}" if name.startswith(PERCENT_METRICS) else f"{name} {value:.4g}"


def clock(seconds: float) -> str:
    """Time as 0:07 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
