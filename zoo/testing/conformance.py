"""The conformance kit as one test class for pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from zoo.testing.score import GROUPS, Group

if TYPE_CHECKING:
    import pytest

    from zoo.testing.check import Step
    from zoo.testing.check_context import CheckContext


class Conformance:
    """A subclass whose name begins with Test has one test for each check of each subject of its plugin."""

    plugin: ClassVar[str]
    """The name of the installed plugin, which is the name of its entry point."""
    groups: ClassVar[tuple[Group, ...]] = GROUPS
    models: ClassVar[str | None] = None
    """A pattern, as `zoo list` takes it.  None takes all models, or of more than twelve the smallest of each kind."""
    smallest: ClassVar[bool] = False
    """True checks only the smallest model of each kind."""
    data: ClassVar[str | None] = None
    """A data source to use instead of the tasks' embedded data."""
    _context: ClassVar[CheckContext | None] = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each step of the plan."""
        if "step" not in metafunc.fixturenames:
            return
        steps = [step for step in self._steps() if f"test_{step.check.group}" == metafunc.function.__name__]
        metafunc.parametrize("step", steps, ids=[f"{step.check.name}-{step.name}" for step in steps])

    def test_declaration(self, step: Step) -> None:
        """The plugin loads, listing it imports nothing heavy, and everything it names exists."""
        self._report(step)

    def test_model(self, step: Step) -> None:
        """Shapes, values, gradients, seeds and state of each model."""
        self._report(step)

    def test_trainer(self, step: Step) -> None:
        """Each trainer learns, in one process and in two, and resumes exactly."""
        self._report(step)

    def test_weights(self, step: Step) -> None:
        """Hash, licence, tensors and claimed metrics of each set of weights."""
        self._report(step)

    def test_export(self, step: Step) -> None:
        """The proof of each model passes, and the bundle reproduces its golden cases without torch."""
        self._report(step)

    def _steps(self) -> tuple[Step, ...]:
        from zoo.testing.kit import plan  # noqa: PLC0415  imports torch

        return plan(self._check_context(), groups=self.groups, models=self.models, smallest=self.smallest).steps

    @classmethod
    def _check_context(cls) -> CheckContext:
        from zoo.registry.catalog import Catalog  # noqa: PLC0415  plugins are loaded when tests are collected
        from zoo.testing.check_context import CheckContext  # noqa: PLC0415

        if cls._context is None:
            catalog = Catalog.discover()
            cls._context = CheckContext(catalog, catalog.plugin(cls.plugin), data=cls.data)
        return cls._context

    def _report(self, step: Step) -> None:
        import pytest  # noqa: PLC0415  the kit is shipped, pytest is not

        result = step.run(self._check_context())
        sentence = f"{result.detail}\nnext: {result.next_step}" if result.next_step else result.detail
        if result.status == "failed":
            pytest.fail(f"{step.check.promise}\n{result.subject}: {sentence}", pytrace=False)
        if result.status == "skipped":
            pytest.skip(sentence)
