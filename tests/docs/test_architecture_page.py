"""docs/architecture.md: its tables, its drawing and its ways through the files are those of the sources."""

from __future__ import annotations

from docs.architecture import PAGE, Room, drawing, table, upward_imports, written

ROOMS = (
    Room(name="zoo.api", says="", modules=3, imports={}),
    Room(name="zoo.registry", says="", modules=2, imports={"zoo.api": 4}),
    Room(name="zoo.runs", says="", modules=1, imports={"zoo.api": 2, "zoo.registry": 1, "zoo.cli": 5}),
    Room(name="zoo.cli", says="", modules=9, imports={"zoo.runs": 7, "zoo.api": 1}),
)


def test_the_page_is_what_the_sources_say() -> None:
    page = PAGE.read_text()
    assert page == written(page), "run: python docs/architecture.py --write"


def test_the_table_counts_imports_and_names_those_that_run_upwards() -> None:
    assert table(ROOMS).splitlines() == [
        "room                   modules  imports",
        "zoo.api                      3",
        "zoo.registry                 2  zoo.api 4",
        "zoo.runs                     1  zoo.api 2, zoo.registry 1, zoo.cli 5",
        "zoo.cli                      9  zoo.api 1, zoo.runs 7",
        "",
        "4 rooms, 6 arrows, 1 of them upwards",
        "  zoo.runs -> zoo.cli: 5",
    ]
    assert list(upward_imports(ROOMS[:2])) == []


def test_the_drawing_leaves_out_what_a_longer_way_says() -> None:
    arrows = [line.strip() for line in drawing(ROOMS).splitlines() if " --> " in line]
    assert arrows == ["zoo_registry --> zoo_api", "zoo_runs --> zoo_registry", "zoo_cli --> zoo_runs"]
