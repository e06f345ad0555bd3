"""What a person sees while a model trains."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from tests.training.toy import Share
from zoo.api.task import Monitor
from zoo.training.callbacks.live_line import LiveLine, clock, epoch_line
from zoo.training.events import EpochResult, Start, StepEvent

START = Start(monitor=Monitor(metric="top1", mode="max"), epochs=2, batches=4, steps=8, items=64, epoch=0, step=0)
MOMENT = StepEvent(epoch=1, batch=1, step=1, loss=2.3, rate=0.01, speed=100.0, remaining=61.0)
RESULT = EpochResult(
    epoch=1,
    step=4,
    seconds=5.0,
    rate=0.01,
    speed=100.0,
    losses={"loss": 1.5},
    metrics={"top1": 0.5},
    best=True,
    measured=Share(),
)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LINE = "epoch 1/2  loss 1.5000  top1 50.00%  100/s  lr 1.0e-02  0:05  best"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_off_a_terminal_an_epoch_is_a_line_and_moments_are_rare() -> None:
    stream = io.StringIO()
    line = LiveLine(stream)
    line.on_start(START)
    line.on_step(MOMENT)
    line.on_epoch_end(RESULT)
    assert stream.getvalue() == LINE + "\n"


def test_the_first_steps_tell_how_long_it_will_take() -> None:
    stream = io.StringIO()
    line = LiveLine(stream)
    line.on_start(START)
    line.on_step(replace(MOMENT, step_seconds=0.0625))
    line.on_step(replace(MOMENT, step_seconds=0.5))
    assert stream.getvalue() == "estimate: 8 steps of 0.062 s, 1:01 without the evaluations\n"


def test_of_very_many_epochs_some_get_a_line() -> None:
    shown = {}
    for epochs in (100, 281):
        stream = io.StringIO()
        line = LiveLine(stream)
        line.on_start(replace(START, epochs=epochs))
        for epoch in range(1, epochs + 1):
            line.on_epoch_end(replace(RESULT, epoch=epoch))
        shown[epochs] = [int(text.split("/")[0].split()[1]) for text in stream.getvalue().splitlines()]
    assert shown[100] == list(range(1, 101))
    assert shown[281] == [1, *range(6, 281, 6), 281]


def test_on_a_terminal_the_live_line_goes_when_its_epoch_ends() -> None:
    stream = Terminal()
    line = LiveLine(stream)
    line.on_start(START)
    line.on_step(MOMENT)
    shown = COLOURS.sub("", stream.getvalue())
    assert "epoch 1/2  ━━━━━╌" in shown and "1:01 left" in shown
    before = len(stream.getvalue())
    line.on_epoch_end(RESULT)
    line.on_close()
    assert LINE in stream.getvalue()[before:] and "left" not in stream.getvalue()[before:]


def test_an_epoch_says_the_validation_loss_and_what_could_not_be_measured() -> None:
    line = epoch_line(replace(RESULT, validation_loss=1.25, metrics={"map": float("nan")}, best=False), START)
    assert line.startswith("epoch 1/2  loss 1.5000  val loss 1.2500  map not measurable  100/s")


def test_a_clock_shows_hours_where_there_are_any() -> None:
    assert (clock(7.4), clock(3723)) == ("0:07", "1:02:03")
