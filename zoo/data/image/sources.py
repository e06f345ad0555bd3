"""Data of pictures, from any format to a card; for every task that learns from pictures.  Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.task import Progress
from zoo.data.formats.class_folders.checks import check_listing
from zoo.data.formats.detect import Formats, read_source
from zoo.data.formats.embedded import DIGITS, digits_card
from zoo.data.formats.picture_layouts import PUBLISHED, detect_pictures
from zoo.data.formats.samples import FileListing


def detect(request: DataRequest, *, accepted: Sequence[str], installed: Formats | None = None) -> DataSource:
    """The format of a source; DataError names what was found and what is accepted.

    `accepted` are built-in formats by name, `installed` those of a catalogue.
    """
    return detect_pictures(request, embedded=(DIGITS,), accepted=accepted, installed=installed)


def check(source: DataSource, *, labelled: bool, progress: Progress) -> DataCard:
    """The card of a source; DataError with everything that is wrong."""
    if source.format == DIGITS:
        return digits_card(source, labelled=labelled)
    if source.format == PUBLISHED:
        from zoo.data.image.torchvision_datasets import named_card  # noqa: PLC0415  imports torch and torchvision

        return named_card(source, labelled=labelled)
    from zoo.data.formats.pictures.decoded import DecodedPictures  # noqa: PLC0415  needs numpy
    from zoo.data.formats.pictures.inspect import keeping  # noqa: PLC0415  needs Pillow, which only checking does

    listing, kept = cast(FileListing, read_source(source)), DecodedPictures()
    card = check_listing(source, listing, keeping(kept), labelled=labelled, progress=progress)
    return replace(card, decoded=kept)
