"""The licence of everything that an installation of zoo brings: dependencies, extras, libraries inside wheels.

python docs/third_party.py          writes THIRD_PARTY.md anew; needs every extra installed
python docs/third_party.py --check  tells whether it is what it would write

What a distribution states itself is read from its metadata.  What it does not state, and the libraries inside wheels,
stand in docs/third_party.toml; a distribution or library without a licence is an error, never a guess.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "THIRD_PARTY.md"
KNOWN: Final = Path(__file__).with_suffix(".toml")
NOT_SHIPPED: Final = frozenset({"dev", "docs", "transformers"})
"""Extras for people who change zoo, and former names of extras."""
LIBRARY: Final = re.compile(
    r"(?:^|/)(?:[\w.]+\.libs|_soundfile_data)/(lib[\w+-]+?)(?:[-.][0-9a-f]{8})*(?:_x86_64)?\.so"
)
COPYLEFT: Final = re.compile(r"(?<!L)GPL-[23]\.0(?!-or-later WITH GCC-exception)")
"""Licences that ask the same of a program that contains the library; the LGPL asks it of the library alone."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Row:
    """One distribution, and what lies inside its wheel."""

    name: str
    licence: str
    libraries: tuple[tuple[str, str], ...]
    """Name and licence of each library inside the wheel."""

    @property
    def copyleft(self) -> tuple[str, ...]:
        """The libraries, or the distribution itself, under the GPL or AGPL."""
        everything = ((self.name, self.licence), *self.libraries)
        return tuple(f"{name} ({licence})" for name, licence in everything if COPYLEFT.search(licence))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What docs/third_party.toml states."""

    distributions: Mapping[str, str]
    spellings: Mapping[str, str]
    """SPDX names of what stands in the fields `License` and `Classifier`."""
    libraries: Mapping[str, str]

    @classmethod
    def read(cls) -> Known:
        """From the file."""
        return cls(**tomllib.loads(KNOWN.read_text(encoding="utf-8")))

    def licence(self, package: Distribution) -> str:
        """What is stated for a distribution, else what it states itself, as an SPDX expression.

        Raises:
            LookupError: Neither says it.
        """
        name = canonicalize_name(package.metadata["Name"])
        if name in self.distributions:
            return self.distributions[name]
        if expression := _field(package, "License-Expression"):
            return expression
        if (text := _field(package, "License")) in self.spellings:
            return self.spellings[text]
        classifiers = [text for text in package.metadata.get_all("Classifier", []) if text.startswith("License ::")]
        if len(classifiers) == 1 and (text := classifiers[0].rpartition(" :: ")[2]) in self.spellings:
            return self.spellings[text]
        raise LookupError(f"{name} does not state its licence: look it up and write it into {KNOWN.name}")

    def libraries_of(self, package: Distribution) -> tuple[tuple[str, str], ...]:
        """The libraries inside the wheel with their licences.

        Raises:
            LookupError: One of them is not known.
        """
        paths = (str(path) for path in package.files or ())
        names = sorted({match[1] for match in map(LIBRARY.search, paths) if match})
        unknown = [name for name in names if name not in self.libraries]
        if unknown:
            raise LookupError(
                f"{package.metadata['Name']} holds {', '.join(unknown)}: write the licence into {KNOWN.name}"
            )
        return tuple((name, self.libraries[name]) for name in names)


def _field(package: Distribution, name: str) -> str:
    return next(iter(package.metadata.get_all(name, [])), "")


def closure(requirements: Iterable[str]) -> dict[str, Distribution]:
    """Every distribution that these requirements bring, by canonical name.

    Raises:
        LookupError: One of them is not installed.
    """
    reached: dict[tuple[str, frozenset[str]], Distribution] = {}
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if key in reached:
            continue
        try:
            reached[key] = distribution(requirement.name)
        except PackageNotFoundError:
            raise LookupError(f"{requirement.name} is not installed: pip install -e '.[dev]'") from None
        waiting += _requirements(reached[key], requirement.extras)
    return {name: package for (name, _), package in reached.items()}


def _requirements(package: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    for requirement in map(Requirement, package.requires or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def rows_by_extra() -> dict[str, list[Row]]:
    """The rows of each extra without those of the core, which stand under the empty name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = Known.read()
    core = closure(project["dependencies"])
    groups = {"": core}
    for extra, requirements in project["optional-dependencies"].items():
        if extra not in NOT_SHIPPED:
            groups[extra] = {name: of for name, of in closure(requirements).items() if name not in core}
    return {
        extra: [
            Row(name=name, licence=known.licence(package), libraries=known.libraries_of(package))
            for name, package in sorted(packages.items())
        ]
        for extra, packages in groups.items()
    }


def page() -> str:
    """The whole of THIRD_PARTY.md."""
    groups = rows_by_extra()
    parts = [(KNOWN.with_name("third_party_top.md")).read_text(encoding="utf-8")]
    parts += ["## Extras with copyleft inside\n", *_copyleft(groups)]
    for extra, rows in groups.items():
        title = f"The extra `{extra}`" if extra else "What zoo itself brings"
        lines = [_line(row) for row in rows] or ["| nothing more than zoo itself | | |"]
        parts.append(
            "\n".join([f"\n## {title}\n", "| distribution | licence | inside its wheel |", "|---|---|---|", *lines])
        )
    return "\n".join(parts) + "\n"


def _copyleft(groups: Mapping[str, list[Row]]) -> Iterator[str]:
    for extra, rows in groups.items():
        for row in rows:
            if row.copyleft:
                yield f"- `edgezoo[{extra}]` brings {row.name}, whose wheel holds {', '.join(row.copyleft)}."


def _line(row: Row) -> str:
    inside = ", ".join(f"{name} ({licence})" for name, licence in row.libraries)
    return f"| {row.name} | {row.licence} | {inside} |"


def main() -> int:
    """Write the page, or tell whether it is the one that would be written."""
    text = page()
    if "--check" in sys.argv[1:]:
        same = PAGE.read_text(encoding="utf-8") == text
        print("THIRD_PARTY.md is right" if same else "THIRD_PARTY.md is not what docs/third_party.py writes: run it")
        return 0 if same else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
