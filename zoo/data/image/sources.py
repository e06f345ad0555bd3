"""Data of pictures, from any layout to a card; for every task that learns from pictures.  Torch-free."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.api.data import DataCard, DataRequest, DataSource
from zoo.api.task import Progress
from zoo.data.formats.class_folders.checks import check_listing
from zoo.data.formats.class_folders.csv_manifest import list_manifest
from zoo.data.formats.class_folders.tree import list_class_folders, list_pictures
from zoo.data.formats.embedded import DIGITS, digits_card
from zoo.data.formats.picture_layouts import detect_layout
from zoo.data.formats.samples import FileListing


def detect(request: DataRequest, *, accepted: Sequence[str]) -> DataSource:
    """The layout of a source; DataError names what was found and what is accepted."""
    return detect_layout(request, embedded=(DIGITS,), accepted=accepted)


def check(source: DataSource, *, labelled: bool, progress: Progress) -> DataCard:
    """The card of a source; DataError with everything that is wrong."""
    if source.format == DIGITS:
        return digits_card(source, labelled=labelled)
    if source.format == "torchvision":
        from zoo.data.image.torchvision_datasets import named_card  # noqa: PLC0415  imports torch and torchvision

        return named_card(source, labelled=labelled)
    from zoo.data.formats.pictures.inspect import PICTURES  # noqa: PLC0415  needs Pillow, which only checking does

    return check_listing(source, _listing(source, labelled=labelled), PICTURES, labelled=labelled, progress=progress)


def _listing(source: DataSource, *, labelled: bool) -> FileListing:
    location = source.location
    if location is None:
        raise ValueError(f"a source of format {source.format} needs a location")
    if source.format == "csv":
        return list_manifest(location, labelled=labelled, root=source.request.root, request=source.request)
    listing = list_class_folders if labelled else list_pictures
    return listing(location, request=source.request)
