from __future__ import annotations

import pytest

from tests.healthy import healthy_evidence
from zoo.bundle.judge.evidence import Evidence


@pytest.fixture
def healthy() -> Evidence:
    """Evidence in which nothing is wrong."""
    return healthy_evidence()
