"""What a person sees while a model trains."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from tests.training.toy import Share
from zoo.api.callback import EpochResult, StartEvent, StepEvent
from zoo.api.task import Monitor
from zoo.training.callbacks.live_line import LiveLine, clock, epoch_line, step_line

START = StartEvent(monitor=Monitor(metric="top1", mode="max"), epochs=2, batches=4, steps=8, items=64, epoch=0, step=0)
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


def estimates(*events: StepEvent, start: StartEvent = START) -> list[str]:
    stream = io.StringIO()
    line = LiveLine(stream)
    line.on_start(start)
    for event in events:
        line.on_step(event)
    return stream.getvalue().splitlines()


def test_the_steps_after_the_first_tell_how_long_it_will_take() -> None:
    start = replace(START, steps=1000, batches=100)
    slow = replace(MOMENT, step_seconds=2.0, remaining=2000.0)
    later = replace(slow, batch=5, step=5, step_seconds=0.5, remaining=500.0)
    after = ["estimate: 995 more steps of 0.12 s, 2:04 without the evaluations"]
    assert estimates(slow, later, replace(later, step=6, batch=6), start=start) == after
    assert estimates(slow, start=start) == []
    second = replace(slow, epoch=2, batch=1, step=101, step_seconds=0.25)
    assert estimates(slow, second, start=start) == ["estimate: 899 more steps of 0.25 s, 3:45 without the evaluations"]
    growing = replace(slow, epoch=2, batch=1, step=101, step_seconds=0.25, later_cost=2.0)
    assert estimates(slow, growing, start=start) == ["estimate: 899 more steps of 0.25 s, 7:30 without the evaluations"]
    limited = replace(later, remaining=60.0)
    assert estimates(slow, limited, start=start) == ["estimate: 995 more steps of 0.12 s, 1:00 without the evaluations"]


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


def test_the_bar_is_as_long_as_the_terminal_leaves_room_for() -> None:
    event = replace(MOMENT, metrics={"top1": 0.5})
    lengths = {width: len(step_line(event, START, width=width)) for width in (200, 80, 78, 60, 20)}
    assert lengths == {200: 92, 80: 80, 78: 78, 60: 60, 20: 44}
    assert step_line(event, START) == step_line(event, START, width=200)


def test_an_epoch_says_the_validation_loss_and_what_could_not_be_measured() -> None:
    line = epoch_line(replace(RESULT, validation_loss=1.25, metrics={"map": float("nan")}, best=False), START)
    assert line.startswith("epoch 1/2  loss 1.5000  val loss 1.2500  map not measurable  100/s")


def test_an_epoch_leaves_out_what_a_narrow_terminal_has_no_room_for() -> None:
    result = replace(RESULT, validation_loss=1.25, metrics={"top1": 0.5, "top5": 0.75})
    whole = "epoch 1/2  loss 1.5000  val loss 1.2500  top1 50.00%  top5 75.00%  100/s  lr 1.0e-02  0:05  best"
    assert epoch_line(result, START) == epoch_line(result, START, width=len(whole)) == whole
    assert epoch_line(result, START, width=88) == whole.replace("  lr 1.0e-02", "")
    assert epoch_line(result, START, width=80) == whole.replace("  100/s  lr 1.0e-02", "")
    assert epoch_line(result, START, width=72) == whole.replace("  100/s  lr 1.0e-02  0:05", "")


def test_a_clock_shows_hours_where_there_are_any() -> None:
    assert (clock(7.4), clock(3723)) == ("0:07", "1:02:03")
