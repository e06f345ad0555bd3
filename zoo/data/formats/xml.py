"""XML from other people's files: a DOCTYPE is accepted, an entity is not, since one may stand for gigabytes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from zoo.data.formats.folders import special_kind


def read_xml(file: Path) -> ElementTree.Element:
    """The root element; ValueError says what is wrong with the file."""
    if kind := special_kind(file):
        raise ValueError(f"it is {kind}, not a file")
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()

    def refuse(*_: object) -> int:
        raise ValueError("it declares entities, which an annotation has no need of")

    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.UnparsedEntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(file.read_bytes(), True)
        return builder.close()
    except expat.ExpatError as error:
        raise ValueError(f"it is not valid XML: {error}") from error
