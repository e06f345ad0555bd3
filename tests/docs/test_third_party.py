"""THIRD_PARTY.md: every distribution and every library inside a wheel has a licence."""

from __future__ import annotations

from importlib.metadata import Distribution, PackagePath
from pathlib import Path

import pytest

from docs.third_party import LIBRARY, PAGE, Known, Row, page

KNOWN = Known(
    distributions={"acme": "Zlib"},
    spellings={"MIT License": "MIT", "Apache Software License": "Apache-2.0"},
    libraries={"libsound": "LGPL-2.1-or-later"},
)


class Installed(Distribution):
    """A distribution of these lines of metadata and these files."""

    def __init__(self, *lines: str, name: str = "other", files: tuple[str, ...] = ()) -> None:
        self.lines = (f"Name: {name}", "Version: 1.0", *lines)
        self.paths = files

    def read_text(self, filename: str) -> str | None:
        return "\n".join(self.lines) if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        return Path(str(path))

    @property
    def files(self) -> list[PackagePath]:
        return [PackagePath(path) for path in self.paths]


@pytest.mark.ci
def test_the_page_is_what_the_installation_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python docs/third_party.py"


@pytest.mark.parametrize(
    ("package", "licence"),
    [
        (Installed("License-Expression: BSD-3-Clause", "License: something else"), "BSD-3-Clause"),
        (Installed("License: MIT License"), "MIT"),
        (Installed("Classifier: License :: OSI Approved :: Apache Software License"), "Apache-2.0"),
        (Installed("License-Expression: MIT", name="Acme"), "Zlib"),
    ],
)
def test_a_licence_is_looked_up_where_it_is_stated(package: Distribution, licence: str) -> None:
    assert KNOWN.licence(package) == licence


def test_a_distribution_without_a_licence_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"other does not state its licence: .* into third_party\.toml"):
        KNOWN.licence(Installed("License: see the files"))


def test_libraries_inside_wheels_are_found() -> None:
    paths = (
        "av.libs/libx265-f5385bb8.so.216",
        "torchvision.libs/libpng16.86585de4.so.16",
        "_soundfile_data/libsndfile_x86_64.so",
        "numpy.libs/libscipy_openblas64_-4cc5b46f.so",
        "scipy.libs/libgfortran-0352e75f-3eadd9a4.so.5.0.0",
    )
    names = [match[1] for match in map(LIBRARY.search, paths) if match]
    assert names == ["libx265", "libpng16", "libsndfile", "libscipy_openblas64_", "libgfortran"]
    package = Installed(files=("acme.libs/libsound-12345678.so.1", "acme/code.py"))
    assert KNOWN.libraries_of(package) == (("libsound", "LGPL-2.1-or-later"),)
    with pytest.raises(LookupError, match=r"other holds libnew: write the licence into third_party\.toml"):
        KNOWN.libraries_of(Installed(files=("acme.libs/libnew-12345678.so.1",)))


@pytest.mark.parametrize(
    ("licence", "copyleft"),
    [
        ("GPL-2.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("LGPL-3.0-or-later", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", False),
        ("Apache-2.0", False),
    ],
)
def test_copyleft_is_what_a_whole_program_must_follow(licence: str, copyleft: bool) -> None:
    assert bool(Row(name="acme", licence=licence, libraries=()).copyleft) is copyleft


def test_every_extra_with_copyleft_inside_is_told_before_it_is_installed() -> None:
    listed = {
        line.split("`")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("- `edge")
    }
    assert listed == {"edgezoo[heic]", "edgezoo[video]"}
