"""Options that commands share, and those of `zoo train`, made from the table in `zoo.runs.train_options`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from zoo.api.errors import UsageError

if TYPE_CHECKING:
    from zoo.registry.listing import ListedModel
    from zoo.runs.train_options import TrainOption

F = TypeVar("F", bound=Callable[..., Any])


def complete_name(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """What a shell offers where a model may be named: models, and after @ the weights of one."""
    models = _models()
    if "@" in incomplete:
        names = [weights.bare_name for row in models for weights in row.weights]
    else:
        names = [name for row in models for name in (row.bare_name, *row.aliases)]
    return [name for name in names if name.startswith(incomplete)]


def complete_task(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """What a shell offers for --task."""
    return _offered({row.task for row in _models()}, incomplete)


def complete_plugin(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """What a shell offers for --plugin: those that have models."""
    return _offered({row.plugin for row in _models()}, incomplete)


def complete_family(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """What a shell offers for --family."""
    return _offered({row.family for row in _models()}, incomplete)


def _models() -> Sequence[ListedModel]:
    from zoo.cli.kept_listing import current_listing  # noqa: PLC0415  only the shell asks

    return current_listing().models


def _offered(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


def complete_runtime(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """What a shell offers where a runtime may be named."""
    from zoo.registry.catalog import Catalog  # noqa: PLC0415  only the shell asks

    return [entry.bare_name for entry in Catalog.discover().runtimes() if entry.bare_name.startswith(incomplete)]


def checkpoint_option(command: F) -> F:
    """The option --checkpoint, given to the command as `checkpoint`."""
    choice = click.Choice(["best", "last"])
    return click.option("--checkpoint", type=choice, default="best", show_default=True, help="Of a run.")(command)


def device_option(command: F) -> F:
    """The option --device, given to the command as `device`."""
    return click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto.")(command)


def repeated(checkpoint: str) -> str:
    """What the next command repeats of --checkpoint: " --checkpoint last"; nothing for the best."""
    return "" if checkpoint == "best" else f" --checkpoint {checkpoint}"


def no_device(device: str) -> None:
    """UsageError for a device that was named where there is none to choose: ONNX Runtime answers for a bundle."""
    if device not in ("auto", "cpu"):
        raise UsageError(f"--device {device} is for runs and weights; a bundle is run by ONNX Runtime on the CPU")


def licence_option(command: F) -> F:
    """The option --accept-licence, which holds while the command runs."""
    sentence = "Fetch weights whose licence forbids commercial use."
    return click.option("--accept-licence", is_flag=True, expose_value=False, callback=_accept, help=sentence)(command)


def _accept(context: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value:
        from zoo.models.weights.licence import accepted_licences  # noqa: PLC0415  few commands fetch weights

        context.with_resource(accepted_licences())


def json_option(command: F) -> F:
    """The option --json, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document.")(command)


def train_options(command: F) -> F:
    """Every option of the table, given to the command under its name in `TrainOptions`."""
    from zoo.runs.train_options import TRAIN_OPTIONS  # noqa: PLC0415  `zoo list` needs the other options alone

    for row in reversed(TRAIN_OPTIONS):
        command = option(row)(command)
    return command


def option(row: TrainOption) -> Callable[[F], F]:
    """One option of the table as click declares it."""
    names = [*([row.short] if row.short else []), row.flag, row.name]
    if row.type is bool:
        return click.option(*names, is_flag=True, help=row.help)
    metavar = row.metavar or None
    return click.option(*names, type=_click_type(row), multiple=row.multiple, metavar=metavar, help=row.help)


class _NumberOrWord(click.ParamType[Any]):
    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        return int(value) if isinstance(value, str) and value.isdecimal() else value


def _click_type(row: TrainOption) -> click.ParamType[Any] | type:
    """What click reads: a choice, a path, a number, or else a text."""
    if row.choices:
        return click.Choice(row.choices)
    if row.type == int | str:
        return _NumberOrWord()
    if row.type is Path:
        return click.Path(path_type=Path)
    return row.type if row.type in (int, float) else str
