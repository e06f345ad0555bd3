"""Every example of every page is run and compared with what the page shows; every command that a page names exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import pytest

from docs.run_examples import ROOT, Example, Result, check, difference, examples, run, session_environment
from zoo.cli import cli

PAGES = sorted((ROOT / "docs").glob("*.md"))
OWN_TEST = {"plugins.md": "test_plugins_page.py"}
"""Pages whose examples have a test of their own, since they install packages without an index."""
EXAMPLES = {page.name: list(examples(page.read_text(encoding="utf-8"))) for page in PAGES if page.name not in OWN_TEST}
FENCE = re.compile(r"^```(\w+)", re.MULTILINE)
NOT_EXAMPLES = {"tree", "text", "mermaid", "js", "dockerfile"}
"""Languages of blocks that are no examples: they are tested elsewhere, or show output."""
QUOTED = re.compile(r"(?<!`)`(zoo [^`]*)`(?!`)")
SAMPLE = """
<!-- before: printf 'a 1\\nb 2.5 s\\n' > it -->
<!-- numbers vary: they are odd -->
```console
$ cat it
a 7
...
$ echo 3; false
3
```
<!-- not run: never -->
```console
$ exit 9
```

```python
# folder/file.py
print("not run")
```
<!-- exit code: 3 -->
```console
$ python folder/file.py; exit 3
```
"""


@pytest.mark.ci
@pytest.mark.parametrize("name", [name for name, found in EXAMPLES.items() if any(not row.not_run for row in found)])
def test_the_examples_of_a_page_do_what_it_shows(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    environment = session_environment(tmp_path) | {"OMP_NUM_THREADS": "1"}
    assert check(ROOT / "docs" / name, tmp_path / "folder", environment) == []


def test_a_sample_page_is_run_up_to_the_first_unexpected_exit_code(tmp_path: Path) -> None:
    before, shown, failing, skipped, file, last = examples(SAMPLE)
    assert (shown.command, shown.expected, shown.numbers_vary, shown.line) == ("cat it", ("a 7", "..."), True, 5)
    assert (skipped.not_run, file.shown, last.exit_code) == ("never", "folder/file.py", 3)
    results = run([before, shown, failing, file], tmp_path, session_environment(tmp_path))
    assert [(row.output, row.exit_code) for row in results] == [("", 0), ("a 1\nb 2.5 s\n", 0), ("3\n", 1)]
    assert [difference(*pair) for pair in zip([before, shown], results, strict=False)] == ["", ""]
    assert difference(failing, results[2]) == "exit code 1, not 0:\n3\n"


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("top1  0.98", "top1  0.98", True),
        ("top1  0.98", "top1  0.97", False),
        ("took 1.2 s", "took 33 ms", True),
        ("run runs/cnn/20261121-080312-xkqd", "run runs/cnn/20270101-000000-aaaa", True),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...\nd", "a\nb\nc", False),
        ("a", "a\nb", False),
    ],
)
def test_only_what_is_volatile_may_differ(expected: str, output: str, same: bool) -> None:
    example = Example(line=1, shown="", command="", expected=tuple(expected.splitlines()))
    assert (difference(example, Result(output=output + "\n", exit_code=0)) == "") is same


def test_every_block_of_code_is_an_example_or_says_why_not() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        others = {language for language in FENCE.findall(text) if language not in NOT_EXAMPLES}
        assert others <= {"console", "python", "toml", "sh" if page.name in OWN_TEST else "toml"}, page.name


def quoted_commands() -> Iterator[tuple[str, str]]:
    """Every command of zoo that a page names: page, command."""
    for page in [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]:
        text = page.read_text(encoding="utf-8")
        for command in QUOTED.findall(re.sub(r"\\\|", "|", text)):
            yield page.name, " ".join(command.split())
        for example in examples(text):
            yield from ((page.name, part.strip()) for part in re.split(r"&&|[|;]", example.shown) if "zoo " in part)


def wrong_option(words: Sequence[str]) -> str:
    """Why these words are no command of zoo; empty where they are one."""
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        following = command.get_command(click.Context(command), rest[0])
        if following is None:
            return f"no command {rest[0]}" if command is cli else ""
        command, rest = following, rest[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    given = {word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
    return ", ".join(sorted(given - known - {"--help", "-h", "--traceback"}))


def test_every_command_that_a_page_names_exists_with_its_options() -> None:
    wrong = []
    assert len(list(quoted_commands())) > 200
    for page, command in quoted_commands():
        text = command[command.index("zoo ") :]
        if not re.match(r"zoo [a-z-]", text) or command.startswith("import"):
            continue
        told = wrong_option(shlex.split(text.replace("'", "").replace('"', ""))[1:])
        wrong += [f"{page}: {command}: {told}"] if told else []
    assert wrong == []


def test_a_wrong_option_is_noticed() -> None:
    assert wrong_option(["train", "cnn", "--epoch", "3", "--set", "a=1"]) == "--epoch"
    assert wrong_option(["fly"]) == "no command fly"
    assert wrong_option(["data", "check", "pets", "--json"]) == ""
