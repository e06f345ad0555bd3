"""`zoo plugins check`: the conformance kit on one plugin, with a score for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from zoo.cli.terminal.options import json_option
from zoo.cli.terminal.output import Output
from zoo.registry.catalog import Catalog
from zoo.runs.serialization import to_json
from zoo.testing.score import GROUPS, Result, Score

if TYPE_CHECKING:
    from zoo.testing.score import Group


@click.command("check")
@click.argument("name")
@click.option("--models", metavar="PATTERN", help="Only the models that fit, as in `zoo list`; '*' takes all.")
@click.option("--smallest", is_flag=True, help="Of these, the smallest of each kind: task, trainer, form of input.")
@click.option("--group", "groups", type=click.Choice(GROUPS), multiple=True, help="Only this group; may be repeated.")
@click.option("--data", metavar="SOURCE", help="Data to train on in place of the embedded ones.")
@json_option
def check(
    *, name: str, models: str | None, smallest: bool, groups: tuple[Group, ...], data: str | None, as_json: bool
) -> None:
    """Put the plugin NAME to the conformance kit: declaration, model, trainer, weights, export.

    Exit code 1 when something fails.  Of a plugin with more than a dozen models the smallest of each kind are taken,
    unless --models says which.
    """
    out = Output(as_json=as_json)
    catalog = Catalog.discover()
    plugin = catalog.plugin(name)
    from zoo.testing.kit import check_plugin  # noqa: PLC0415  torch, once the name is known

    score = check_plugin(
        plugin.name,
        groups=groups or GROUPS,
        models=models,
        smallest=smallest,
        data=data,
        catalog=catalog,
        notify=lambda result: out.note(_progress_line(result)),
    )
    out.document({"schema": 1, "holds": score.holds, **to_json(score)})
    show(out, score)
    if not score.holds:
        out.next(_first_step(score))
        raise click.exceptions.Exit(1)
    out.next("zoo list" if not plugin.models else f"zoo train {plugin.models[0].name}")


def show(out: Output, score: Score) -> None:
    """The score for people: a line per check, then what failed and what was not looked at, each with its next step."""
    out.table(
        ("group", "check", "passed", "failed", "skipped", "seconds"),
        [_row(*key, results) for key, results in _by_check(score.results).items()],
        right=("passed", "failed", "skipped", "seconds"),
    )
    for result in (result for result in score.results if result.status == "failed"):
        _print_result(out, result)
    for result in _skips_by_reason(score.results):
        _print_result(out, result)
    for sentence in score.left_out:
        out.line(f"left out  {sentence}")
    counts = ", ".join(f"{score.count(status)} {status}" for status in ("passed", "failed", "skipped"))
    out.line(f"{score.plugin} ({score.distribution} {score.version}): {counts} in {score.seconds:.0f} s")


def _by_check(results: Iterable[Result]) -> dict[tuple[str, str], list[Result]]:
    by_check: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_check.setdefault((result.group, result.check), []).append(result)
    return by_check


def _row(group: str, check: str, results: list[Result]) -> tuple[str, ...]:
    counts = [sum(result.status == status for result in results) for status in ("passed", "failed", "skipped")]
    seconds = sum(result.seconds for result in results)
    return group, check, *(str(count) if count else "" for count in counts), f"{seconds:.1f}"


def _print_result(out: Output, result: Result) -> None:
    out.line(f"{result.status:8}  {result.check} of {result.subject}: {result.detail}")
    if result.next_step:
        out.line(f"{'':8}  next: {result.next_step}")


def _skips_by_reason(results: Iterable[Result]) -> list[Result]:
    """One skipped check for each reason: a hundred sets of weights that were not downloaded are one line."""
    seen: dict[tuple[str, str], Result] = {}
    for result in results:
        if result.status == "skipped":
            seen.setdefault((result.check, result.detail), result)
    return list(seen.values())


def _progress_line(result: Result) -> str:
    return f"{result.status:8}  {result.group}: {result.check} of {result.subject}, {result.seconds:.1f} s"


def _first_step(score: Score) -> str:
    """The next step of the first failure."""
    failed = [result for result in score.results if result.status == "failed"]
    if not failed:
        return f"zoo plugins check {score.plugin}"
    return f"zoo plugins check {score.plugin} --group {failed[0].group}"
