"""How the classes stand in the mask files of a source: numbers, black and white, or colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zoo.api.errors import BadSample, DataError
from zoo.data.formats.inspection import Facts
from zoo.data.formats.masks.class_tables import IGNORE
from zoo.data.formats.masks.masks import PLAIN, Colour, MaskCoding, MaskListing

BLACK_AND_WHITE: Final = MaskCoding(levels=((255, 1),))
TABLE_FIX: Final = (
    "add labelmap.txt with a line name:r,g,b:: for each colour, or save masks of one channel that hold class numbers"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Codings:
    """How to read every mask, what is wrong with some, and what must be said."""

    of: Mapping[str, MaskCoding]
    classes: tuple[str, ...]
    """The names; empty where nothing names them."""
    problems: Sequence[BadSample] = ()
    notes: Sequence[str] = ()


def find_codings(where: object, listing: MaskListing, masks: Mapping[str, Facts]) -> Codings:
    """The coding of every mask that was looked into; DataError where nothing says how to read them."""
    colours = {name: facts_colours(facts) for name, facts in masks.items() if "colours" in facts}
    if not colours and _levels(masks) == {0, IGNORE}:
        return _black_and_white(where, listing, masks)
    table = dict(listing.colours)
    palettes = {name: palette for name, facts in masks.items() if (palette := _palette(facts))}
    by_colour = MaskCoding(colours=tuple(listing.colours))
    of = dict.fromkeys(masks, PLAIN)
    problems: list[BadSample] = []
    for name, used in colours.items():
        of[name] = by_colour
        unknown = [colour for colour in used if colour not in table]
        if not table:
            reason = f"it is a colour picture (mode RGB, {len(used)} colours), and nothing says which class a colour is"
            problems.append(BadSample(name, reason, TABLE_FIX))
        elif unknown:
            reason = f"it has the colour {unknown[0]}, which no class has"
            problems.append(BadSample(name, reason, "correct the mask, or name the colour in the file of classes"))
    if table and palettes and all(colour in table for palette in palettes.values() for colour in palette.values()):
        of |= dict.fromkeys(palettes, by_colour)
    else:
        problems += _palettes_differ(palettes)
    read = sum(coding is by_colour for coding in of.values())
    notes = [f"{read:,} masks are read by their colours"] if read else []
    return Codings(of=of, classes=tuple(listing.classes), problems=problems, notes=notes)


def _black_and_white(where: object, listing: MaskListing, masks: Mapping[str, Facts]) -> Codings:
    names = tuple(listing.classes)
    if len(names) > 2:
        raise DataError(
            f"the masks in {where} hold only 0 and 255, which leaves a pixel open, and {len(names)} classes are named",
            hint="write the number of the class, such as 1, instead of 255; two classes may be black and white",
        )
    classes = ("background", *names) if len(names) == 1 else names
    shown = f"{classes[0]} and {classes[1]}" if classes else "class 0 and class 1"
    note = f"the masks are black and white: 0 and 255 are read as {shown}"
    return Codings(of=dict.fromkeys(masks, BLACK_AND_WHITE), classes=classes, notes=[note])


def facts_colours(facts: Facts) -> list[Colour]:
    """The colours that a mask of RGB has."""
    rows = facts.get("colours")
    return [(int(str(row[0])), int(str(row[1])), int(str(row[2]))) for row in _lists(rows)]


def facts_values(facts: Facts) -> list[int]:
    """The numbers that a mask holds, 255 among them."""
    values = facts.get("values")
    return [int(str(value)) for value in (values if isinstance(values, list) else [])]


def classes_in(facts: Facts, coding: MaskCoding) -> set[int]:
    """The classes in a mask as its coding reads it, without pixels left open and colours of no class."""
    if coding.colours:
        table = dict(coding.colours)
        colours = facts_colours(facts) if "colours" in facts else list(_palette(facts).values())
        return {table[colour] for colour in colours if colour in table} - {IGNORE}
    levels = dict(coding.levels)
    return {levels.get(value, value) for value in facts_values(facts)} - {IGNORE}


def _levels(masks: Mapping[str, Facts]) -> set[int]:
    return {value for facts in masks.values() for value in facts_values(facts)}


def _palette(facts: Facts) -> dict[int, Colour]:
    """The colour of every number that a mask holds; empty where it has no palette."""
    rows = _lists(facts.get("palette"))
    return {
        value: (int(str(row[0])), int(str(row[1])), int(str(row[2])))
        for value, row in zip(facts_values(facts), rows, strict=False)
    }


def _lists(rows: object) -> list[list[object]]:
    return [row for row in rows if isinstance(row, list)] if isinstance(rows, list) else []


def _palettes_differ(palettes: Mapping[str, Mapping[int, Colour]]) -> Iterator[BadSample]:
    """A problem for the first mask in which a number has another colour, or a colour another number, than before."""
    colours: dict[int, tuple[Colour, str]] = {}
    numbers: dict[Colour, tuple[int, str]] = {}
    for name, palette in palettes.items():
        if len(set(palette.values())) < len(palette):
            continue  # a palette in which classes look alike says nothing about them
        for number, colour in palette.items():
            first_colour, file = colours.setdefault(number, (colour, name))
            if first_colour != colour:
                reason = f"its palette shows class {number} as {colour}, that of {file} as {first_colour}"
                yield BadSample(name, reason, TABLE_FIX)
                return
            first_number, file = numbers.setdefault(colour, (number, name))
            if first_number != number:
                reason = f"the colour {colour} is class {number} in it, and class {first_number} in {file}"
                yield BadSample(name, reason, TABLE_FIX)
                return
