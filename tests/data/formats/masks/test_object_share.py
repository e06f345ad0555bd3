"""How small the regions of a mask are, as a share of its side."""

from __future__ import annotations

import numpy as np

from zoo.data.formats.masks.index_mask import object_share


def test_the_smallest_regions_count_and_the_ground_does_not() -> None:
    mask = np.zeros((100, 200), np.uint8)
    mask[50:80, 100:130] = 2
    assert object_share(mask) == 0.3
    mask[10:20, 10:20] = mask[10:20, 60:70] = 1
    assert object_share(mask) == 0.1


def test_a_mask_of_one_class_has_no_regions() -> None:
    assert object_share(np.full((4, 4), 3, np.uint8)) is None
