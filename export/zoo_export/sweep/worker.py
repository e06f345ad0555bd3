"""The process that exports: warm, one model after another, each asked for by a line on stdin.  [torch]

    {"model": "timm/resnet10t", "seed": 0}  ->  the row, one line of JSON on stdout

Everything else that is printed goes to stderr.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final, TextIO

from zoo.registry.catalog import Catalog
from zoo_export.sweep.measure import crashed, sweep_model

PARENT_SECONDS: Final = 1.0
"""Between two looks at whether the sweep still runs."""


def main() -> None:
    """Answer until stdin ends."""
    answers = _set_apart()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    warnings.simplefilter("ignore")
    catalog = Catalog.discover()
    for model, seed in _requests():
        try:
            row = sweep_model(catalog, model, seed=seed)
        except Exception as error:  # a row says so, and the next model is tried
            row = crashed(model, error)
        print(json.dumps(asdict(row)), file=answers, flush=True)


def _requests() -> Iterator[tuple[str, int]]:
    for line in sys.stdin:
        request = json.loads(line)
        yield request["model"], request["seed"]


def _end_with(parent: int) -> None:
    """End this process and all that it started once the sweep is gone: nobody would watch its limits."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _set_apart() -> TextIO:
    """stdout for the rows alone: what libraries print reaches stderr."""
    apart = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return apart


if __name__ == "__main__":
    main()
