"""The embedded names: countries, languages, currencies and scripts as twenty languages write them, in 85 kB.

Each of the 16,000 names belongs to one language only; names that two languages share are not in the pack.
The pack is data under its own licence (Unicode-3.0, see LICENSE-names.txt); `make_names.py` made it from CLDR.
"""

from __future__ import annotations

import hashlib
import lzma
from functools import cache
from pathlib import Path
from typing import Final

from zoo.api.data import Split
from zoo.api.errors import HashMismatch

PACK: Final = Path(__file__).with_name("names.xz")
SHA256: Final = "72fcadba1be80aa53c46ce9605b8e876f12a7a1915ec0366eb6554b676209581"
LANGUAGES: Final = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "fi"),
    *("pl", "cs", "hu", "ro", "tr", "vi", "id", "sw", "hr", "lt"),
)
"""ISO 639-1 codes, in index order."""

_FREQUENT: Final = "ain"
_RARER: Final = (
    " ersoltkudcgmhbpyvzj91fKST()AMBCwé-á0–Pš2ếųDNLEFG8IăíRUH76ıčóVO3ýqä5ZžJĐńữxüçWöė4ồYêúłâ.ãôXà"
    "ïİổ’ëşżñøěảÁÇåủūềđQŠșæưạğÎèậểệřơốÉț,ÂÖęśầČắịîąộớ&Äĩňợỹ—őÅŞůẢứỳ:ØćŚụʻʼ/ÍÓìùŽỉÚÜõďặòấÆßŁűẤờự“„"
)
CHARACTERS: Final = ("<pad>", "<unk>", *_FREQUENT, *_RARER)
"""The vocabulary of the training names, the most frequent characters first."""
LINES: Final = ("<pad>", "<unk>", *_FREQUENT, "\n", *_RARER)
"""The same where a name is a line."""


def split_of(name: str) -> Split:
    """Where a name belongs, by its own hash, upper and lower case alike: 10 % test, 10 % of the rest validation."""
    percentile = int.from_bytes(hashlib.sha256(name.casefold().encode()).digest()[:8], "big") % 100
    if percentile < 10:
        return "test"
    return "validation" if percentile < 19 else "train"


@cache
def load() -> tuple[tuple[str, str], ...]:
    """All (name, language) in the order of their hashes; HashMismatch when the file was changed."""
    packed = PACK.read_bytes()
    if hashlib.sha256(packed).hexdigest() != SHA256:
        raise HashMismatch(f"{PACK} is not the file that was shipped", hint="install edgezoo again")
    lines = lzma.decompress(packed).decode().splitlines()
    pairs = [(name, language) for language, line in zip(LANGUAGES, lines, strict=True) for name in line.split("\t")]
    # sorted by language, the order would be the label
    return tuple(sorted(pairs, key=lambda pair: hashlib.sha256(pair[0].encode()).digest()))


def names(split: Split) -> tuple[tuple[str, str], ...]:
    """The (name, language) of one split."""
    return tuple(pair for pair in load() if split_of(pair[0]) == split)
