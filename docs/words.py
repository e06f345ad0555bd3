"""Finds words of docs/words.toml in the files of the repository, where the field has a better one.

python docs/words.py          prints each with its file and line; exit code 1 where there is any
python docs/words.py --count  prints how many there are in each file
"""

from __future__ import annotations

import io
import keyword
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
LIST: Final = ROOT / "docs" / "words.toml"
TEXT: Final = (".py", ".md", ".toml", ".in", ".yml", ".css", ".html", ".json", "")
"""The suffixes of files that people read; the files of .ci have none."""
FROZEN: Final = ("tests/data/", "examples/zoo_keypoints/", "LICENSE", "constraints.txt")
"""What is written against API 1, and what others wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The list: what is not to be written, and what is written instead."""

    identifiers: Mapping[str, str]
    phrases: Mapping[str, str]
    exceptions: Mapping[str, Sequence[str]]

    @classmethod
    def read(cls, file: Path = LIST) -> Words:
        """The list of a file."""
        return cls(**tomllib.loads(file.read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One word in one place."""

    file: str
    line: int
    """0 for the file's own name."""
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.word!r} is called {self.instead}"


def findings(words: Words, texts: Mapping[str, str]) -> Iterator[Finding]:
    """Every listed word in these texts by file name, exceptions left out."""
    pattern = _pattern(words.phrases)
    for file, text in texts.items():
        allowed = words.exceptions.get(file, ())
        if "*" in allowed:
            continue
        for finding in (*_phrases(words, pattern, file, text), *_identifiers(words, file, text)):
            if finding.word not in allowed:
                yield finding


def repository_texts() -> dict[str, str]:
    """Every text file that git tracks, by its name; without frozen ones."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in done.stdout.split("\0") if name and not name.startswith(FROZEN)]
    return {
        str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
        for file in files
        if file.suffix in TEXT and file.is_file()
    }


def _pattern(phrases: Mapping[str, str]) -> re.Pattern[str]:
    """Any phrase as a word of its own; an underscore ends a word, as a space does."""
    parts = [re.escape(phrase).replace(r"\*", "[a-z]*").replace(r"\ ", r"\s+") for phrase in phrases]
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(parts)})(?![A-Za-z])", re.IGNORECASE)


def _phrases(words: Words, pattern: re.Pattern[str], file: str, text: str) -> Iterator[Finding]:
    for line, content in enumerate([file, *text.splitlines()]):
        for match in pattern.finditer(content):
            instead = next(new for old, new in words.phrases.items() if _pattern({old: new}).fullmatch(match[0]))
            yield Finding(file=file, line=line, word=match[0], instead=instead)


def _identifiers(words: Words, file: str, text: str) -> Iterator[Finding]:
    names = _python_names(text) if file.endswith(".py") else _quoted_names(text)
    for line, name in names:
        bare = name.strip("_")
        if bare in words.identifiers:
            yield Finding(file=file, line=line, word=bare, instead=words.identifiers[bare])


def _python_names(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.start[0], token.string


def _quoted_names(text: str) -> Iterator[tuple[int, str]]:
    """The names that stand in backticks, alone or as a part of code."""
    for line, content in enumerate(text.splitlines(), 1):
        for quoted in re.findall(r"`([^`]+)`", content):
            yield from ((line, name) for name in re.findall(r"[A-Za-z_]\w*", quoted))


def main(arguments: Sequence[str]) -> int:
    every = list(findings(Words.read(), repository_texts()))
    if list(arguments) == ["--count"]:
        for file, count in Counter(finding.file for finding in every).most_common():
            print(f"{count:5} {file}")
    else:
        print(*every, sep="\n")
    return 1 if every else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
