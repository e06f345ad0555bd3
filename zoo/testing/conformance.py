"""The kit as one test class for pytest, which is imported by the tests alone."""

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
    """The name of the installed plugin: its entry point's."""
    groups: ClassVar[tuple[Group, ...]] = GROUPS
    models: ClassVar[str | None] = None
    """A pattern, as `zoo list` takes it; None takes all, of more than a dozen the smallest of each kind."""
    smallest: ClassVar[bool] = False
    """True takes the smallest model of each kind alone."""
    data: ClassVar[str | None] = None
    """Data in place of those that the tasks embed."""
    _bench: ClassVar[CheckContext | None] = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each step of the plan."""
        if "step" not in metafunc.fixturenames:
            return
        steps = [step for step in self._steps() if f"test_{step.check.group}" == metafunc.function.__name__]
        metafunc.parametrize("step", steps, ids=[f"{step.check.name}-{step.name}" for step in steps])

    def test_declaration(self, step: Step) -> None:
        """It loads, costs nothing to list, and everything it names is there."""
        self._judge(step)

    def test_model(self, step: Step) -> None:
        """Shapes, numbers, gradients, seeds and state."""
        self._judge(step)

    def test_trainer(self, step: Step) -> None:
        """It learns, alone and in two processes, and resumes exactly."""
        self._judge(step)

    def test_weights(self, step: Step) -> None:
        """Bytes, licence, fit and claims."""
        self._judge(step)

    def test_export(self, step: Step) -> None:
        """The proof passes, and the bundle answers without torch."""
        self._judge(step)

    def _steps(self) -> tuple[Step, ...]:
        from zoo.testing.kit import plan  # noqa: PLC0415  imports torch

        return plan(self._workbench(), groups=self.groups, models=self.models, smallest=self.smallest).steps

    @classmethod
    def _workbench(cls) -> CheckContext:
        from zoo.registry.catalog import Catalog  # noqa: PLC0415  a plugin is looked for when its tests are collected
        from zoo.testing.check_context import CheckContext  # noqa: PLC0415

        if cls._bench is None:
            catalog = Catalog.discover()
            cls._bench = CheckContext(catalog, catalog.plugin(cls.plugin), data=cls.data)
        return cls._bench

    def _judge(self, step: Step) -> None:
        import pytest  # noqa: PLC0415  the kit is shipped, pytest is not

        result = step.run(self._workbench())
        sentence = f"{result.detail}\nnext: {result.next_step}" if result.next_step else result.detail
        if result.status == "failed":
            pytest.fail(f"{step.check.promise}\n{result.subject}: {sentence}", pytrace=False)
        if result.status == "skipped":
            pytest.skip(sentence)
