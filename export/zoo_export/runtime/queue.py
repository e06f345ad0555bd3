"""The runtime at work beside PyTorch: one thread talks to one sandboxed process; answers are futures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import onnx

from zoo.api.errors import ZooError
from zoo.api.task import Case, Control, Signature
from zoo.bundle.judge.evidence import Environment
from zoo.bundle.runtime.sandbox import Runtime, Session
from zoo_export.controls.mutants import Finish, Spoilt, spoil_model, spoil_pipeline, spoil_prepare
from zoo_export.runtime.environment import environment
from zoo_export.runtime.runs import ask, refused, try_session
from zoo_export.subject.results import Given, Trial
from zoo_export.subject.rollout import Walk


class Beside:
    """Graphs tried in the order in which they were handed in."""

    def __init__(self, runtime: Runtime, pool: ThreadPoolExecutor) -> None:
        self._runtime = runtime
        self._pool = pool
        self._sessions: dict[str, Session | str] = {}
        self._known: dict[tuple[int, ...], Trial] = {}
        """What the sound model says to the cases of controls, by their places."""

    def environment(self) -> Future[Environment]:
        """Where all this happens."""
        return self._pool.submit(environment, self._runtime)

    def trial(self, name: str, model: bytes, cases: Sequence[Case], signature: Signature) -> Future[Trial]:
        """The cases put to a graph, which stays loaded under its name."""

        def work() -> Trial:
            session = self._load(name, model)
            if isinstance(session, str):
                return refused(cases, session)
            return try_session(self._runtime, session, cases, signature)

        return self._pool.submit(work)

    def answers(self, name: str, cases: Sequence[Case]) -> Future[list[Given]]:
        """Plain answers of a loaded graph, one by one."""

        def work() -> list[Given]:
            session = self._sessions[name]
            return [session if isinstance(session, str) else ask(self._runtime, session, c.inputs) for c in cases]

        return self._pool.submit(work)

    def walk(self, name: str, walk: Walk) -> Future[Given]:
        """A loaded graph through all steps of a walk, fed its own state."""

        def work() -> Given:
            session = self._sessions[name]
            if isinstance(session, str):
                return session
            try:
                return walk.follow(lambda feeds: self._runtime.run(session, feeds))
            except ZooError as error:
                return error.message
            except KeyError as error:
                return f"no output {error}"

        return self._pool.submit(work)

    def once(self, name: str, model: bytes, cases: Sequence[Case]) -> Future[list[Given]]:
        """Answers of a graph that is needed only here."""

        def work() -> list[Given]:
            session = self._load(name, model)
            return [session if isinstance(session, str) else ask(self._runtime, session, c.inputs) for c in cases]

        return self._pool.submit(work)

    def spoilt_model(
        self, control: Control, model: onnx.ModelProto, cases: Sequence[Case], signature: Signature, *, loaded: str
    ) -> Future[Spoilt]:
        """A spoilt copy of the model, tried on a few cases; the sound one is loaded under that name."""

        def work() -> Spoilt:
            found = self._sessions[loaded]
            sound = None if isinstance(found, str) else found
            return spoil_model(control, model, cases, signature, runtime=self._runtime, loaded=sound, known=self._known)

        return self._pool.submit(work)

    def spoilt_prepare(
        self, control: Control, prepare: onnx.ModelProto, raw: Sequence[Case], *, loaded: str, finish: Finish
    ) -> Future[Spoilt]:
        """A spoilt preparing before the sound model, tried on a few raw cases."""

        def work() -> Spoilt:
            session = self._sessions[loaded]
            if isinstance(session, str):
                return Spoilt(name=control.name, role="pipeline", detail=session)
            return spoil_prepare(control, prepare, raw, runtime=self._runtime, model=session, finish=finish)

        return self._pool.submit(work)

    def spoilt_pipeline(
        self, control: Control, pipeline: onnx.ModelProto, raw: Sequence[Case], signature: Signature
    ) -> Future[Spoilt]:
        """The pipeline spoilt in the task's own way, tried on a few raw cases."""
        return self._pool.submit(lambda: spoil_pipeline(control, pipeline, raw, signature, self._runtime))

    def _load(self, name: str, model: bytes) -> Session | str:
        try:
            self._sessions[name] = self._runtime.session(model, title=name)
        except ZooError as error:
            self._sessions[name] = error.message
        return self._sessions[name]


@contextlib.contextmanager
def beside(runtime: Runtime) -> Iterator[Beside]:
    """A runtime with a thread of its own; what is still waiting when something fails is dropped."""
    pool = ThreadPoolExecutor(1)
    try:
        yield Beside(runtime, pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
