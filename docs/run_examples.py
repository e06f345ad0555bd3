"""Runs the examples of Markdown pages as a reader would, and compares what they print with what the page shows.

python docs/run_examples.py PAGE…       each page in an empty folder of its own
python docs/run_examples.py --here PAGE in the current folder

A page is one session of bash. In a ```console block, a line that begins with "$ " is a command, and the lines below it
are its output; without such lines the output is not compared. A line "..." stands for any lines, "…" for a part of a
line. A ```python block is a program of its own; a ```text block right below it is its output. A block whose first line
is "# NAME.SUFFIX" is a file.

Comments right above a block:
<!-- not run: REASON -->       it cannot be run here
<!-- before: COMMAND -->       a command that makes what the reader has already; $REPOSITORY is the repository
<!-- numbers vary: REASON -->  its numbers depend on the machine; the words are compared
<!-- exit code: N -->          of the last command of the block, 0 if left out

Standard library only, since the README is run before anything is installed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
BLOCK: Final = re.compile(
    r"(?P<notes>(?:<!-- (?:(?!-->).)*-->\s*\n)*)"
    r"^```(?P<language>console|python|toml)\n(?:# (?P<file>[\w/-]+\.\w+)\n)?(?P<body>.*?)^```$"
    r"(?:\n+```text\n(?P<output>.*?)^```$)?",
    re.DOTALL | re.MULTILINE,
)
NOTE: Final = re.compile(r"<!-- (not run|before|numbers vary|exit code): (.*?) -->", re.DOTALL)
VOLATILE: Final = (
    (re.compile(r"\d{8}-\d{6}-[a-z0-9]{4}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?"), "DATE"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "HASH"),
    (re.compile(r"\b\d[\d.,]* ?(?:ms|s|min|h)\b"), "TIME"),
)
"""What differs from one run to the next on the same machine, and what stands for it in a comparison."""
NUMBER: Final = re.compile(r"\d[\d.,]*")
MARK: Final = "\x1e"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One command of a page, or one program in Python."""

    line: int
    """Where it stands in the page, from 1."""
    shown: str
    """As the reader sees it."""
    command: str
    """As bash runs it."""
    expected: tuple[str, ...] = ()
    exit_code: int = 0
    numbers_vary: bool = False
    not_run: str = ""
    """The reason, where it cannot be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one example."""

    output: str
    exit_code: int


def examples(text: str) -> Iterator[Example]:
    """Every example of a Markdown text, in order."""
    for block in BLOCK.finditer(text):
        notes = NOTE.findall(block["notes"])
        line = text[: block.start("body")].count("\n") + 1
        said = dict(notes)
        for kind, command in notes:
            if kind == "before":
                yield Example(line=line, shown=command, command=command)
        varies, reason = "numbers vary" in said, said.get("not run", "")
        if block["file"]:
            yield _file(line, block["file"], block["body"], reason)
        elif block["language"] == "console":
            commands = list(_commands(block["body"], line, varies=varies, not_run=reason))
            yield from commands[:-1]
            yield _ending(commands[-1], int(said.get("exit code", 0)))
        elif block["language"] == "python":
            yield Example(
                line=line,
                shown=block["body"].strip(),
                command=_here_document("python -", block["body"]),
                expected=tuple((block["output"] or "").splitlines()),
                numbers_vary=varies,
                not_run=reason,
            )


def _commands(body: str, line: int, *, varies: bool, not_run: str) -> Iterator[Example]:
    """The commands of a console block, each with the lines below it."""
    lines = body.splitlines()
    starts = [index for index, content in enumerate(lines) if content.startswith("$ ")]
    if starts[:1] != [0]:
        raise ValueError(f"line {line}: a console block begins with a command, '$ …'")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Example(
            line=line + start,
            shown=lines[start][2:],
            command=lines[start][2:],
            expected=tuple(lines[start + 1 : end]),
            numbers_vary=varies,
            not_run=not_run,
        )


def _ending(example: Example, exit_code: int) -> Example:
    return Example(**{name: getattr(example, name) for name in Example.__slots__} | {"exit_code": exit_code})


def _file(line: int, name: str, body: str, not_run: str) -> Example:
    command = f"mkdir -p {shlex.quote(str(Path(name).parent))}\n" + _here_document(f"cat > {shlex.quote(name)}", body)
    return Example(line=line, shown=name, command=command, not_run=not_run)


def _here_document(command: str, body: str) -> str:
    return f"{command} <<'END_OF_EXAMPLE'\n{body}END_OF_EXAMPLE"


def run(wanted: Sequence[Example], folder: Path, environment: dict[str, str]) -> list[Result]:
    """The results of the examples in one session; it ends at the first exit code that no example expects."""
    script = "".join(
        f"printf '{MARK}'\n{{\n{example.command}\n}} < /dev/null; code=$?; printf '{MARK}%s{MARK}' $code\n"
        f"[ $code = {example.exit_code} ] || exit 0\n"
        for example in wanted
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
    parts = done.stdout.decode(errors="replace").split(MARK)[1:]
    return [Result(output=output, exit_code=int(code)) for output, code in zip(parts[::3], parts[1::3], strict=True)]


def difference(example: Example, result: Result) -> str:
    """What is wrong with a result, as text for a person; empty where nothing is."""
    if result.exit_code != example.exit_code:
        return f"exit code {result.exit_code}, not {example.exit_code}:\n{result.output}"
    expected = [_masked(line, example) for line in example.expected]
    if not expected:
        return ""
    actual = [_masked(line, example) for line in result.output.strip("\n").splitlines()]
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else _pattern(line) + r"\n" for line in expected)
    if re.fullmatch(pattern, "".join(f"{line}\n" for line in actual)):
        return ""
    return "the page shows:\n" + "\n".join(example.expected) + f"\nbut it prints:\n{result.output}"


def _pattern(line: str) -> str:
    return ".*".join(map(re.escape, line.split("…")))


def _masked(line: str, example: Example) -> str:
    """A line without what may differ; runs of blanks count as one, since columns follow their widest number."""
    for pattern, name in VOLATILE:
        line = pattern.sub(name, line)
    if example.numbers_vary:
        line = re.sub(r"█+", "#", NUMBER.sub("#", line))
    return " ".join(line.split())


def check(page: Path, folder: Path, environment: dict[str, str]) -> list[str]:
    """Every example of a page that does not do what the page shows, with its line."""
    wanted = [example for example in examples(page.read_text(encoding="utf-8")) if not example.not_run]
    results = run(wanted, folder, environment)
    wrong = [
        f"{page}:{example.line}: {example.shown}\n{told}"
        for example, result in zip(wanted, results, strict=False)
        if (told := difference(example, result))
    ]
    return wrong


def session_environment(scratch: Path) -> dict[str, str]:
    """The environment of a session: this Python's commands first, state and cache of its own, no terminal."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ZOO_")}
    return own | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "REPOSITORY": str(ROOT),
        "ZOO_CACHE": str(scratch / "cache"),
        "ZOO_STATE": str(scratch / "state"),
        "COLUMNS": "120",
    }


def main(arguments: Sequence[str]) -> int:
    here = arguments[:1] == ["--here"]
    wrong = []
    for name in arguments[here:]:
        page = Path(name).resolve()
        with tempfile.TemporaryDirectory() as scratch:
            (folder := Path(scratch) / "folder").mkdir()
            environment = dict(os.environ) if here else session_environment(Path(scratch))
            wrong += check(page, Path.cwd() if here else folder, environment | {"REPOSITORY": str(ROOT)})
    print("\n\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
