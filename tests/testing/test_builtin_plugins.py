"""Every plugin that comes with zoo passes the conformance kit: here what takes seconds, on the smallest of each kind.

The whole kit over all of them is benchmarks/conformance.py, its result benchmarks/conformance.md.
"""

from __future__ import annotations

import pytest

from zoo.registry.discovery import BUILT_IN, installed_candidates
from zoo.testing import check_plugin

NAMES = [one.name for one in installed_candidates() if one.distribution == BUILT_IN]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_it_passes_the_kit(name: str) -> None:
    score = check_plugin(name, groups=("declaration", "model"), smallest=True)
    assert [one for one in score.results if one.status == "failed"] == []
    assert score.holds
