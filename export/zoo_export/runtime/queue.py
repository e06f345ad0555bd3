"""The runtime beside PyTorch: jobs in the order in which they were submitted, on a thread of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from zoo.bundle.sandbox.runtime import Runtime

T = TypeVar("T")
Job = Callable[[Runtime], T]
"""Work for the runtime.  It may wait for the futures of jobs that were submitted before it."""


class RuntimeQueue:
    """One thread talks to one sandboxed process."""

    def __init__(self, runtime: Runtime, pool: ThreadPoolExecutor) -> None:
        self._runtime = runtime
        self._pool = pool

    def submit(self, job: Job[T]) -> Future[T]:
        """The result of a job, once all jobs before it are done."""
        return self._pool.submit(job, self._runtime)


@contextlib.contextmanager
def runtime_queue(runtime: Runtime) -> Iterator[RuntimeQueue]:
    """A queue for a runtime; jobs that still wait when the block ends are dropped."""
    pool = ThreadPoolExecutor(1)
    try:
        yield RuntimeQueue(runtime, pool)
    except BaseException as error:
        if not isinstance(error, Exception):  # Ctrl-C or a signal: nobody wants the answer that the thread waits for
            runtime.interrupt()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
