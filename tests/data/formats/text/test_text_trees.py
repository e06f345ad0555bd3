"""Texts as people have them: tables of every quoting, lines of labels, records; what is not read is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataNote, DataRequest
from zoo.api.errors import DataError

ROWS = [(f"some words, {number}", "ab"[number % 2]) for number in range(20)]
PLAIN = [(f"some words {number}", "ab"[number % 2]) for number in range(20)]


def card(path: Path, task: str = "text-classification") -> DataCard:
    data = builtin_task(task).data
    return data.check(data.detect(DataRequest(source=str(path))), progress=lambda *_: None)


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        card(path)
    problems = "".join(f"\n{problem.where}: {problem.reason} ({problem.fix})" for problem in caught.value.problems)
    return f"{caught.value}{problems}"


def texts(found: DataCard) -> set[tuple[str, str]]:
    return {(item.text, found.classes[item.label]) for items in found.splits.values() for item in items}


def left_out(found: DataCard) -> list[str]:
    return [str(note) for note in found.notes if isinstance(note, DataNote) and note.kind == "left-out"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("text,label", '"{text}",{label}'),
        ("'text','label'", "'{text}','{label}'"),
        ("text,label", '"{text}",{label},'),
        ("text,label,,", '"{text}",{label},,'),
        ("text,label\r", '"{text}",{label}\r'),
        ("text;label", "{text};{label}"),
        ("text|label", "{text}|{label}"),
        (" Text , LABEL ", '"{text}" ,{label}'.replace(" ,", ",")),
    ],
)
def test_any_quoting_and_empty_cells_behind(header: str, row: str, tmp_path: Path) -> None:
    lines = [header, *(row.format(text=text, label=label) for text, label in ROWS)]
    (tmp_path / "data.csv").write_bytes(("\n".join(lines) + "\n").encode("utf-8-sig"))
    assert texts(card(tmp_path / "data.csv")) == set(ROWS)


def test_quotation_marks_behind_a_backslash(tmp_path: Path) -> None:
    lines = ["text,label", *(f'"he said \\"{text}\\"",{label}' for text, label in ROWS)]
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n")
    assert texts(card(tmp_path / "data.csv")) == {(f'he said "{text}"', label) for text, label in ROWS}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("spam.txt", "{label}\t{text}"),
        ("emotion.txt", "{text};{label}"),
        ("SMSSpamCollection", "{label}\t{text}"),
        ("reviews.data", "{text}|{label}"),
        ("fasttext.txt", "__label__{label} {text}"),
    ],
)
def test_a_label_and_a_text_a_line(name: str, line: str, tmp_path: Path) -> None:
    lines = [line.format(text=text, label=label) for text, label in PLAIN]
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    assert texts(card(tmp_path / name)) == set(PLAIN)
    assert texts(card(tmp_path)) == set(PLAIN)


def test_lines_of_labels_in_a_file_a_split(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        lines = [f"{text} of {split};{label}" for text, label in PLAIN]
        (tmp_path / f"{split}.txt").write_text("\n".join(lines) + "\n")
    assert card(tmp_path).counts() == {"train": 20, "validation": 20, "test": 20}


def test_running_text_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("It was, as ever, a day; and then\nanother came.\n" * 100)
    assert "not a layout of text" in refused(tmp_path / "book.txt")
    assert card(tmp_path / "book.txt", "text-generation").source.format == "text-file"


@pytest.mark.parametrize("form", ["list", "wrapped", "lines"])
def test_json_records(form: str, tmp_path: Path) -> None:
    records = [{"text": text, "label": label, "id": number} for number, (text, label) in enumerate(ROWS)]
    lines = "\n".join(map(json.dumps, records))
    forms = {"list": json.dumps(records), "wrapped": json.dumps({"data": records, "version": 1}), "lines": lines}
    (tmp_path / "data.json").write_text(forms[form])
    found = card(tmp_path / "data.json")
    assert texts(found) == set(ROWS)
    assert left_out(found) == ["left out the columns id of data.json: nothing asks for them"]
    assert texts(card(tmp_path)) == set(ROWS)


def test_an_entry_of_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text(json.dumps([{"text": "x", "label": "a"}, {"text": "", "label": "b"}, 3]))
    said = refused(tmp_path / "data.json")
    assert "data.json entry 2: the text is empty" in said
    assert "data.json entry 3: not a JSON object" in said


@pytest.mark.parametrize("label", [["a", "b"], {"kind": "a"}, [1, 2]])
def test_a_label_that_is_a_list_is_refused(label: object, tmp_path: Path) -> None:
    records = [{"text": text, "label": label if number else "c"} for number, (text, _) in enumerate(ROWS)]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, records)))
    assert "this label is a list: an item of several classes" in refused(tmp_path / "data.jsonl")


def test_numbers_to_predict_are_no_classes(tmp_path: Path) -> None:
    rows = "".join(f"words {number},{number * 0.37}\n" for number in range(20))
    (tmp_path / "data.csv").write_text("text,label\n" + rows)
    assert "the 20 training items have 20 different labels" in refused(tmp_path / "data.csv")


def test_columns_that_nothing_asks_for_are_named(tmp_path: Path) -> None:
    rows = "".join(f"{number},title {number},words {number},{'ab'[number % 2]}\n" for number in range(20))
    (tmp_path / "data.csv").write_text("id,title,description,label\n" + rows)
    assert left_out(card(tmp_path / "data.csv")) == [
        "left out the columns id, title of data.csv: nothing asks for them"
    ]


@pytest.mark.parametrize("wrapping", ["data", "data/data"])
def test_a_folder_alone_in_another_is_read_and_said(wrapping: str, tmp_path: Path) -> None:
    (tmp_path / wrapping).mkdir(parents=True)
    (tmp_path / wrapping / "train.csv").write_text("text,label\n" + "".join(f"{t},{label}\n" for t, label in PLAIN))
    found = card(tmp_path)
    assert texts(found) == set(PLAIN)
    assert f"{wrapping}/ is read: the only folder in {tmp_path.name}" in found.notes


@pytest.mark.parametrize(("name", "said"), [("all.parquet", "pandas.read_parquet"), ("all.xlsx", "save it as CSV")])
def test_tables_in_one_piece_are_refused_with_what_to_do(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert said in refused(tmp_path / name)
    assert said in refused(tmp_path)


@pytest.mark.parametrize("names", [("wiki.train.raw", "wiki.valid.raw"), ("train.txt.tokens", "valid.txt.tokens")])
def test_files_of_running_text_of_other_suffixes(names: tuple[str, str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).write_text(f"{name}\n" * 200)
    (tmp_path / "paper.pdf").write_bytes(b"x")
    found = card(tmp_path, "text-generation")
    assert [item.name for item in found.splits["validation"]] == [names[1]]
    assert left_out(found) == ["left out paper.pdf: no text files"]
