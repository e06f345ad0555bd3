"""Tables as people have them: any separator, quoting, column names, long fields, and quotes that swallow rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import DataError, UsageError
from zoo.data.formats.tables import parse_table
from zoo.data.image import sources

Paint = Callable[..., Path]
ROWS = [(f"word {number}", "ab"[number % 2]) for number in range(40)]


def silent(done: int, total: int) -> None:
    assert done <= total


def card(path: Path, **options: Any) -> DataCard:
    task = builtin_task("text-classification")
    return task.data.check(task.data.detect(DataRequest(source=str(path), **options)), progress=silent)


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def rows(separator: str = ",", header: str = "text,label") -> str:
    lines = [header.replace(",", separator)] if header else []
    return "\n".join([*lines, *(separator.join(row) for row in ROWS)]) + "\n"


def assert_whole(found: DataCard) -> None:
    items = [item for split in found.splits.values() for item in split]
    assert sorted((item.text, found.classes[item.label]) for item in items) == sorted(ROWS)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".CSV"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_under_any_suffix(separator: str, suffix: str, tmp_path: Path) -> None:
    assert_whole(card(table(tmp_path / f"a{suffix}", rows(separator))))


@pytest.mark.parametrize(
    "header",
    [
        "review,sentiment",
        "Sentence,Class",
        "comment,category",
        "tweet,target",
        "v2,v1",
        "words,label",
        "text,kind",
    ],
)
def test_any_names_of_two_columns(header: str, tmp_path: Path) -> None:
    assert_whole(card(table(tmp_path / "a.csv", rows(header=header))))


def test_a_column_that_was_recognised_by_its_contents_is_said(tmp_path: Path) -> None:
    notes = card(table(tmp_path / "a.csv", rows(header="v2,v1"))).notes
    assert "the column 'v1' of a.csv is taken for the label" in notes
    assert "the column 'v2' of a.csv is taken for the text" in notes


def test_a_table_without_column_names(tmp_path: Path) -> None:
    found = card(table(tmp_path / "a.csv", rows(header="")))
    assert_whole(found)
    assert "a.csv has no line of column names: its first line is read as a row" in found.notes


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("title,body,kind", "has no column label; it has title, body, kind"),
        ("one,two,three", "has no column text and label; it has one, two, three"),
        ("review,comment,label", "has the columns review and comment, each of which may be the text"),
        ("text,sentiment,category", "has the columns sentiment and category, each of which may be the label"),
    ],
)
def test_what_nothing_decides_is_a_question(header: str, said: str, tmp_path: Path) -> None:
    lines = [header] + [f"word {number},other {number},{number}" for number in range(20)]
    with pytest.raises(DataError, match=said) as caught:
        card(table(tmp_path / "a.csv", "\n".join(lines)))
    assert "--text-column" in caught.value.hint or "--label-column" in caught.value.hint


@pytest.mark.parametrize(("text", "label"), [("body", "kind"), ("2", "3"), ("BODY", "3")])
def test_the_options_decide(text: str, label: str, tmp_path: Path) -> None:
    lines = ["title,body,kind"] + [f"title {number},{word},{kind}" for number, (word, kind) in enumerate(ROWS)]
    path = table(tmp_path / "a.csv", "\n".join(lines))
    assert_whole(card(path, text_column=text, label_column=label))
    with pytest.raises(UsageError, match="has no column nothing for --text-column"):
        card(path, text_column="nothing")


def test_a_column_of_splits(tmp_path: Path) -> None:
    lines = ["review,sentiment,set"]
    lines += [f"{word},{kind},{('Training', 'dev', 'holdout')[n % 3]}" for n, (word, kind) in enumerate(ROWS)]
    found = card(table(tmp_path / "a.csv", "\n".join(lines)))
    assert found.counts() == {"train": 14, "validation": 13, "test": 13}
    assert_whole(found)


def test_a_quote_that_swallows_rows_is_named_with_its_line(tmp_path: Path) -> None:
    lines = rows("\t").split("\n")
    lines[5] = '"' + lines[5]  # line 6 of the file
    lines[9] = lines[9].replace("\t", '"\t')
    with pytest.raises(DataError) as caught:
        card(table(tmp_path / "a.tsv", "\n".join(lines)))
    (problem,) = caught.value.problems
    assert problem.where == "a.tsv line 6"
    assert problem.reason == (
        "a quotation mark opens here and closes in line 10: 4 lines that look like rows would be one text"
    )


def test_a_quote_that_is_never_closed_is_named_with_its_line(tmp_path: Path) -> None:
    text = rows().replace("word 7,", '"word 7,')
    with pytest.raises(DataError) as caught:
        card(table(tmp_path / "a.csv", text))
    assert [(problem.where, problem.reason) for problem in caught.value.problems] == [
        ("a.csv line 9", "a quotation mark opens here and is never closed")
    ]


def test_texts_of_several_lines_with_commas_are_texts(tmp_path: Path) -> None:
    lines = ["label,text"] + [f'{label},"{text}\nsad, but true\nwell, so ""what"""' for text, label in ROWS]
    found = card(table(tmp_path / "a.csv", "\n".join(lines)))
    texts = {item.text for items in found.splits.values() for item in items}
    assert texts == {f'{text}\nsad, but true\nwell, so "what"' for text, _ in ROWS}


def test_quotes_inside_a_cell_are_letters(tmp_path: Path) -> None:
    text = rows().replace("word 7,", 'a 5" pipe,')
    found = card(table(tmp_path / "a.csv", text))
    assert 'a 5" pipe' in {item.text for items in found.splits.values() for item in items}


def test_a_field_may_hold_a_book_and_the_limit_of_the_process_stays(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    book = "word " * 40_000
    found = card(table(tmp_path / "a.csv", rows() + f'"{book}",a\n'))
    assert found.facts["longest"] == len(book.strip())
    assert csv.field_size_limit() == limit


def test_the_separator_is_held_against_the_whole_file() -> None:
    text = "text;label\n" + "".join(f"one, two {number};a\n" for number in range(5))
    assert parse_table(text, name="a.csv", suffix=".csv").separator == ";"
    assert parse_table("a,b;c\n1,2;3\n", name="a.csv", suffix=".csv").separator == ","
    with pytest.raises(DataError, match="may be separated by semicolons and bars"):
        parse_table("a;b|c\n1;2|3\n", name="a.csv", suffix=".csv")


def test_old_line_ends_are_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(rows().replace("\n", "\r").encode())
    assert_whole(card(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("train.csv", "dev.csv"), "validation"),
        (("imdb_train.csv", "imdb_test.csv"), "test"),
        (("Training.tsv", "Validation.tsv"), "validation"),
        (("train.csv", "holdout.jsonl"), "test"),
    ],
)
def test_files_of_any_spelling(names: tuple[str, str], split: str, tmp_path: Path) -> None:
    for name in names:
        separator = "\t" if name.endswith("tsv") else ","
        lines = [f'{{"text": "{text}", "label": "{label}"}}' for text, label in ROWS]
        table(tmp_path / name, "\n".join(lines) if name.endswith("jsonl") else rows(separator))
    found = card(tmp_path)
    assert found.counts()[split] == 40


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("train.csv", "dev.csv", "more.csv"), "beside them more.csv"),
        (("train.csv", "val.csv", "dev.csv"), "dev.csv and val.csv, both called after validation"),
    ],
)
def test_files_beside_those_of_splits_are_a_question(names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    for name in names:
        table(tmp_path / name, rows())
    with pytest.raises(DataError, match=said) as caught:
        card(tmp_path)
    assert "--train train.csv --val dev.csv" in caught.value.hint
    assert card(tmp_path, train="train.csv", validation="dev.csv").counts() == {"train": 40, "validation": 40}


def test_the_only_table_of_a_folder_may_have_any_name(tmp_path: Path) -> None:
    table(tmp_path / "reviews.csv", rows())
    assert_whole(card(tmp_path))
    (tmp_path / "reviews.csv").rename(tmp_path / "test.csv")
    with pytest.raises(DataError, match=r"has test\.csv, and nothing to learn from"):
        card(tmp_path)


def test_json_lines_of_any_names(tmp_path: Path) -> None:
    lines = [f'{{"review": "{text}", "sentiment": "{label}", "id": {n}}}' for n, (text, label) in enumerate(ROWS)]
    assert_whole(card(table(tmp_path / "a.jsonl", "\n".join(lines))))


def test_running_text_takes_the_only_column_or_asks(tmp_path: Path) -> None:
    task = builtin_task("text-generation")

    def corpus(path: Path, **options: Any) -> DataCard:
        return task.data.check(task.data.detect(DataRequest(source=str(path), **options)), progress=silent)

    many = "".join(f"some words of a line {number}\n" for number in range(100))
    assert corpus(table(tmp_path / "a.csv", many)).counts()["train"] == 100
    two = "one,two\n" + "".join(f"first words {number},second words {number}\n" for number in range(100))
    with pytest.raises(DataError, match="has no column text; it has one, two"):
        corpus(table(tmp_path / "b.csv", two))
    texts = corpus(tmp_path / "b.csv", text_column="two").splits["train"]
    assert all(item.text.startswith("second") for item in texts)


@pytest.mark.parametrize(
    "text",
    [
        ",text,label\n" + "".join(f"{n},{text},{label}\n" for n, (text, label) in enumerate(ROWS)),
        "sep=;\n" + rows(";"),
        "\n\n" + rows().replace("\n", "\n\n"),
        "text,label\n" + "".join(f'"{text}","{label}"\n' for text, label in ROWS),
        "\ufeff" + rows(),
    ],
    ids=["pandas", "excel", "blank lines", "quoted", "mark"],
)
def test_what_other_programs_write(text: str, tmp_path: Path) -> None:
    assert_whole(card(table(tmp_path / "a.csv", text)))


# --- pictures in a table ---


def images(path: Path, **options: Any) -> DataCard:
    request = DataRequest(source=str(path), **options)
    return sources.check(sources.detect(request, accepted=("class-folders", "csv")), labelled=True, progress=silent)


def paint_all(paint: Paint, folder: str, *, suffix: str = ".png") -> None:
    for number in range(8):
        paint(f"{folder}/{number}{suffix}")


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("path,label", "{n}.png,{c}"),
        ("image_path;class", "{n}.png;{c}"),
        ("Filename\tSpecies", "{n}.png\t{c}"),
        ("id,breed", "{n},{c}"),
        ("species|where", "{c}|{n}.png"),
        ("", "{n}.png,{c}"),
        ("path,label", "{n}.PNG,{c}"),
    ],
)
def test_manifests_of_any_names(header: str, row: str, paint: Paint, tmp_path: Path) -> None:
    paint_all(paint, "p")
    lines = ([header] if header else []) + [row.format(n=n, c="ab"[n % 2]) for n in range(8)]
    found = images(table(tmp_path / "p" / "list.csv", "\n".join(lines)))
    assert found.classes == ("a", "b")
    names = {sample.name: sample.label for items in found.splits.values() for sample in items}
    assert names == {f"{n}.png": n % 2 for n in range(8)}


def test_a_manifest_beside_the_folder_of_its_pictures(paint: Paint, tmp_path: Path) -> None:
    paint_all(paint, "p/train", suffix=".JPG")
    lines = ["id,breed"] + [f"{n},{'ab'[n % 2]}" for n in range(8)]
    found = images(table(tmp_path / "p" / "labels.csv", "\n".join(lines)))
    assert sum(found.counts().values()) == 8
    assert "the paths of labels.csv are read below train/" in found.notes


def test_splits_in_a_manifest(paint: Paint, tmp_path: Path) -> None:
    paint_all(paint, "p")
    lines = ["path,label,subset"] + [f"{n}.png,{'ab'[n % 2]},{'TRAIN' if n < 6 else 'dev'}" for n in range(8)]
    assert images(table(tmp_path / "p" / "list.csv", "\n".join(lines))).counts() == {"train": 6, "validation": 2}
    lines = [f"{n}.png,{'ab'[n % 2]},{'training' if n < 6 else 'eval'}" for n in range(8)]
    assert images(table(tmp_path / "p" / "list.csv", "\n".join(lines))).counts() == {"train": 6, "validation": 2}


# --- lines above a table, and tables in JSON ------------------------------------------------------------


@pytest.mark.parametrize(
    ("above", "left_out"),
    [("# made by us, 2024\n", 1), ("# version 3\n#\n", 2), ("#text,label\n", 0)],
    ids=["a comment", "two comments", "names behind a #"],
)
def test_lines_with_a_hash_above_a_table(above: str, left_out: int, tmp_path: Path) -> None:
    names_below = left_out > 0
    found = card(table(tmp_path / "r.csv", above + rows(header="text,label" if names_below else "")))
    assert_whole(found)
    said = [note for note in found.notes if "above the table" in note]
    assert len(said) == (1 if left_out else 0)
    assert all(f"left out {left_out} line" in note for note in said)


def test_texts_that_begin_with_a_hash_are_rows(tmp_path: Path) -> None:
    text = "".join(f"#fun {first},{second}\n" for first, second in ROWS)
    found = card(table(tmp_path / "r.csv", text))
    assert sum(found.counts().values()) == 40


def test_a_title_above_the_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3 of r\.csv names the columns, and above it stands 'Customer reviews'"):
        card(table(tmp_path / "r.csv", "Customer reviews\n\n" + rows()))


@pytest.mark.parametrize("nested", [True, False], ids=["as pandas writes it", "lists"])
def test_json_of_columns(nested: bool, tmp_path: Path) -> None:
    columns = {name: [row[index] for row in ROWS] for index, name in enumerate(("text", "label"))}
    document = {name: {str(at): cell for at, cell in enumerate(cells)} for name, cells in columns.items()}
    assert_whole(card(table(tmp_path / "r.json", json.dumps(document if nested else columns))))


def test_an_object_is_no_text(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"data": {"text": first}, "label": second}) + "\n" for first, second in ROWS)
    with pytest.raises(DataError) as caught:
        card(table(tmp_path / "r.jsonl", lines))
    assert caught.value.problems[0].reason == 'its data is {"text": "word 0"}, which is no text'


def test_a_class_that_stands_for_none_is_a_warning(tmp_path: Path) -> None:
    text = "text,label\n" + "".join(f"word {number},{('a', 'b', 'NaN')[number % 3]}\n" for number in range(60))
    found = card(table(tmp_path / "r.csv", text))
    assert "20 items are of the class 'NaN', which programs write for no label" in found.notes
