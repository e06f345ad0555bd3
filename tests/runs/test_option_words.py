"""Times, intervals and shares as people write them."""

from __future__ import annotations

import pytest

from zoo.api.errors import UsageError
from zoo.runs.option_words import SaveInterval, check_interval, read_interval, read_ratios, read_seconds


@pytest.mark.parametrize(("text", "seconds"), [("55s", 55), ("10min", 600), ("1.5h", 5400), ("7", 7)])
def test_times_are_read(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


def test_an_interval_is_a_time_or_a_number_of_steps() -> None:
    assert read_interval("500steps") == SaveInterval(steps=500)
    assert read_interval("5min") == SaveInterval(seconds=300)
    for text in ("0steps", "soon", "5 steps a day"):
        with pytest.raises(UsageError, match="neither a time nor a number of steps"):
            read_interval(text)


def test_a_bare_number_is_refused_and_read_from_runs_of_an_earlier_version() -> None:
    for text in ("5", "1.5 "):
        assert read_interval(text) == SaveInterval(seconds=float(text))
        with pytest.raises(UsageError, match="neither a time nor a number of steps"):
            check_interval(text)
    check_interval("5min")


def test_ratios_are_three_numbers() -> None:
    assert read_ratios("0.8,0.1,0.1") == (0.8, 0.1, 0.1)
    with pytest.raises(UsageError, match="is not three numbers"):
        read_ratios("80/20")
