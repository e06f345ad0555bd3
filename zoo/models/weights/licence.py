"""Licences of weights: which forbid commercial use, and whether the user has accepted that; torch-free.

Weights under such a licence are fetched once the user has said so: with --accept-licence, or ZOO_ACCEPT_LICENCE=1.
It is asked before the first byte arrives, and not for files that are here already.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from zoo.api.errors import UsageError

ACCEPTED: Final = "ZOO_ACCEPT_LICENCE"
NON_COMMERCIAL: Final = re.compile(r"\bnc\b|non-?commercial|\bamlr\b|\bseer\b|research-only")
"""Names of such licences: Creative Commons' NC, FAIR's, Apple's for research, SEER's."""


def forbids_commercial_use(licence: str) -> bool:
    """Whether a licence is known to forbid it, by its name; of a sentence the first clause counts."""
    return NON_COMMERCIAL.search(licence.partition(";")[0].lower()) is not None


def check_licence(name: str, licence: str) -> None:
    """UsageError for weights that are about to be fetched under a licence that the user has not accepted."""
    if forbids_commercial_use(licence) and os.environ.get(ACCEPTED, "") in ("", "0"):
        raise UsageError(
            f"the licence of {name}, {licence}, forbids commercial use",
            hint=f"if that suits you, add --accept-licence, or set {ACCEPTED}=1",
        )


@contextmanager
def accepted_licences() -> Iterator[None]:
    """While this is open, such licences count as accepted."""
    before = os.environ.get(ACCEPTED)
    os.environ[ACCEPTED] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[ACCEPTED]
        else:
            os.environ[ACCEPTED] = before
