"""What zoo asks of every plugin: `zoo plugins check keypoints` as tests."""

from __future__ import annotations

from zoo.testing import Conformance


class TestKeypoints(Conformance):
    """Everything this package offers."""

    plugin = "keypoints"
