"""Make names.xz from the CLDR data inside Babel: pip install babel==2.18.0; python -m zoo.data.embedded.make_names

Taken are the display names of territories, languages, currencies and scripts in each of the twenty languages.  A name
that two of them share, upper and lower case alike, is left out; of spellings that differ only in case one is kept.
The pack is one line per language, its names sorted and separated by tabs, compressed with LZMA.
"""

from __future__ import annotations

import hashlib
import lzma
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib import import_module

from zoo.data.embedded.names import LANGUAGES, PACK
from zoo.runs.atomic import write_bytes

SECTIONS = ("territories", "languages", "currencies", "scripts")


def display_names(language: str) -> Iterator[str]:
    """Every name that CLDR gives in this language, as single-spaced NFC."""
    locale = import_module("babel").Locale(language)
    for section in SECTIONS:
        for name in getattr(locale, section).values():
            yield " ".join(unicodedata.normalize("NFC", name).split())


def own_names(names: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Per language, sorted, the names that no other language has."""
    speakers = defaultdict(set)
    for language, some in names.items():
        for name in some:
            speakers[name.casefold()].add(language)
    own = {}
    for language, some in names.items():
        spellings = {name.casefold(): name for name in sorted(some) if len(speakers[name.casefold()]) == 1}
        own[language] = sorted(spellings.values())
    return own


def pack() -> bytes:
    """The bytes of names.xz."""
    own = own_names({language: set(display_names(language)) for language in LANGUAGES})
    plain = "\n".join("\t".join(own[language]) for language in LANGUAGES)
    return lzma.compress(plain.encode(), preset=9 | lzma.PRESET_EXTREME)


def main() -> None:
    """Write the pack beside this file and print the hash that belongs into names.py."""
    data = pack()
    write_bytes(PACK, data)
    print(f"{PACK}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
