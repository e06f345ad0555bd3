"""report.html of a run allows its own style sheet and embedded pictures alone."""

from __future__ import annotations

import base64
import hashlib
import re

from zoo.training import report


def test_the_policy_names_the_style_sheet_that_the_page_has() -> None:
    digest = base64.b64encode(hashlib.sha256(report.STYLE.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in report.POLICY
    assert report.POLICY.startswith('<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; ')
    assert not re.search("unsafe|https?:|script", report.POLICY)


def test_control_characters_are_spelled_out() -> None:
    assert report.escape("<\x1b[2J\u202e>") == r"&lt;\x1b[2J\u202e&gt;"
