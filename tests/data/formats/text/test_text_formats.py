from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.builtin import builtin_task
from zoo.api.data import DataCard, DataRequest
from zoo.api.errors import BadSample, DataError
from zoo.data.formats.text.checks import check_corpus, check_labelled
from zoo.data.formats.text.layouts import detect_text
from zoo.data.formats.text.rows import TextRow, read_plain, read_table


def quiet(done: int, total: int) -> None:
    """Nobody looks at the progress."""


GOOD = "text,label\n" + "".join(f"word {number},{'ab'[number % 2]}\n" for number in range(40))


def check(path: Path, *, on_bad_sample: Literal["error", "skip"] = "error") -> DataCard:
    task = builtin_task("text-classification")
    source = task.data.detect(DataRequest(source=str(path), on_bad_sample=on_bad_sample))
    return task.data.check(source, progress=quiet)


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        check(path)
    assert "nothing was trained" in caught.value.hint
    return [f"{one.where}: {one.reason}" for one in caught.value.problems]


# --- what is read ---


def test_a_csv_file_becomes_labelled_texts_with_a_tenth_held_out(tmp_path: Path) -> None:
    card = check(written(tmp_path / "a.csv", GOOD))
    assert card.source.format == "text-table"
    assert card.classes == ("a", "b")
    assert sum(card.counts().values()) == 40
    assert 1 <= card.counts()["validation"] <= 12
    item = card.splits["train"][0]
    assert item.label == int(item.text.split()[1]) % 2
    assert "held out for validation, by the hash of the text" in card.notes[0]


def test_the_same_rows_in_another_order_have_the_same_splits_and_fingerprint(tmp_path: Path) -> None:
    head, *lines = GOOD.splitlines()
    one = check(written(tmp_path / "a.csv", GOOD))
    other = check(written(tmp_path / "b.csv", "\n".join([head, *reversed(lines)])))
    assert {item.text for item in one.splits["validation"]} == {item.text for item in other.splits["validation"]}
    assert one.fingerprint == other.fingerprint


def test_quoted_commas_and_line_breaks_belong_to_the_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", 'label,text\na,"one, two\nthree"\n')
    assert list(read_table(path, labelled=True)) == [TextRow("a.csv line 3", "one, two\nthree", "a")]


def test_json_lines_and_tab_separated_files_say_the_same(tmp_path: Path) -> None:
    lines = written(tmp_path / "a.jsonl", '{"text": "ein Wort", "label": "de", "split": "val"}\n\n')
    tabs = written(tmp_path / "a.tsv", "sentence\tclass\tsplit\nein Wort\tde\tval\n")
    [first], [second] = read_table(lines, labelled=True), read_table(tabs, labelled=True)
    assert isinstance(first, TextRow)
    assert isinstance(second, TextRow)
    assert (first.text, first.label, first.split) == (second.text, second.label, second.split)
    assert (first.label, first.split) == ("de", "validation")


def test_numbers_as_labels_in_json_lines_are_taken_as_they_stand(tmp_path: Path) -> None:
    [row] = read_table(written(tmp_path / "a.jsonl", '{"text": "x", "label": 1}'), labelled=True)
    assert isinstance(row, TextRow)
    assert row.label == "1"


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    [row] = read_table(written(tmp_path / "a.csv", b"\xef\xbb\xbftext,label\nx,y\n"), labelled=True)
    assert isinstance(row, TextRow)
    assert row.text == "x"


def test_a_folder_of_tables_has_a_split_per_file(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", GOOD)
    written(tmp_path / "valid.csv", "text,label\nnew,a\n")
    written(tmp_path / "test.jsonl", '{"text": "other", "label": "b"}\n')
    card = check(tmp_path)
    assert card.source.format == "text-tables"
    assert card.counts() == {"train": 40, "validation": 1, "test": 1}


# --- what is refused ---


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"text,label\ncaf\xe9,a\n",
            "a.csv: not UTF-8 text: byte 0xe9 at 14, in line 2, which reads 'café,a' as cp1252",
        ),
        (b"text,label\nx\0y,a\n", "a.csv: not text: a zero byte in line 2"),
        (GOOD + " ,a\n", "a.csv line 42: the text is empty"),
        (GOOD + "no label,\n", "a.csv line 42: 'no label' has no label"),
        (GOOD + "one,two,a\n", "a.csv line 42: 3 cells where the first line has 2; quote texts with commas"),
        (GOOD.replace(",b", ",a"), "a: there is only this class"),
        ("text,label,split\nx,a,fold7\n", "a.csv line 2: unknown split 'fold7'"),
    ],
)
def test_what_is_wrong_with_a_table_is_named_with_its_line(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert problems(written(tmp_path / "a.csv", content)) == [expected]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe" + GOOD.encode("utf-16-le"),
        b"\xfe\xff" + GOOD.encode("utf-16-be"),
        b"\xff\xfe\0\0" + GOOD.encode("utf-32-le"),
        b"\0\0\xfe\xff" + GOOD.encode("utf-32-be"),
    ],
)
def test_a_byte_order_mark_says_the_encoding(tmp_path: Path, content: bytes) -> None:
    rows = list(read_table(written(tmp_path / "a.csv", content), labelled=True))
    assert rows == list(read_table(written(tmp_path / "utf8" / "a.csv", GOOD), labelled=True))
    assert len(rows) == 40


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"text,label\ncaf\xe9,a\n", "say which is right: --encoding cp1252"),
        (GOOD.encode("utf-16-le"), "say --encoding utf-16-le"),
        (GOOD.encode("utf-16-be"), "say --encoding utf-16-be"),
        (
            "text,label\nПривет,a\n".encode("cp1251"),
            "say which is right: --encoding cp1251 or --encoding cp1253 or --encoding cp949",
        ),
        ("text,label\ncafé,a\n".encode() + b"caf\xe9,b\n", "other lines are UTF-8: correct line 3"),
    ],
)
def test_bytes_without_a_mark_that_are_not_utf_8_are_refused_with_the_way(
    tmp_path: Path, content: bytes, fix: str
) -> None:
    [problem] = read_table(written(tmp_path / "a.csv", content), labelled=True)
    assert isinstance(problem, BadSample)
    assert problem.fix == fix


def test_a_class_that_train_does_not_have_is_an_error(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", GOOD)
    written(tmp_path / "val.csv", "text,label\nx,B\n")
    [problem] = problems(tmp_path)
    assert problem == "validation: B: 1 item of a class that train does not have (train has 'b')"


@pytest.mark.parametrize(
    ("line", "reason"),
    [('{"text": "x"', "not valid JSON"), ('["x", "a"]', "not a JSON object")],
)
def test_bad_json_lines_are_named(tmp_path: Path, line: str, reason: str) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "x", "label": "a"}\n' + line + "\n")
    [problem] = problems(path)
    assert problem.startswith(f"a.jsonl line 2: {reason}")


def test_every_faulty_json_line_is_a_problem_of_its_own(tmp_path: Path) -> None:
    lines = ['{"label": "b"}', '{"text": "x", "label": "a"}', '{"text": "y"}', '{"text": "z"', '{"split": "train"}']
    assert problems(written(tmp_path / "a.jsonl", "\n".join(lines))) == [
        "a.jsonl line 1: the text is missing",
        "a.jsonl line 3: the label is missing",
        "a.jsonl line 4: not valid JSON: Expecting ',' delimiter at character 13",
        "a.jsonl line 5: the text and the label are missing",
    ]


def test_a_json_line_without_a_field_says_what_it_has_and_what_to_add(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"text": "x", "label": "a"}\n{"label": "b"}\n{}\n')
    _, second, third = read_table(path, labelled=True)
    assert second == BadSample("a.jsonl line 2", "the text is missing", "add text to the line, which has label")
    assert isinstance(third, BadSample)
    assert third.fix == "add text and label to the line, which has nothing"


def test_the_few_json_lines_without_a_field_are_left_out_when_asked(tmp_path: Path) -> None:
    many = "".join(f'{{"text": "word {number}", "label": "{"ab"[number % 2]}"}}\n' for number in range(200))
    card = check(written(tmp_path / "a.jsonl", many + '{"label": "b"}\n'), on_bad_sample="skip")
    assert card.notes[0] == "left out 1 bad texts (0.50%) as asked: a.jsonl line 201 (the text is missing)"


def test_a_label_is_not_missing_where_none_is_needed(tmp_path: Path) -> None:
    [row] = read_table(written(tmp_path / "a.jsonl", '{"text": "x"}'), labelled=False)
    assert row == TextRow("a.jsonl line 1", "x")


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", "words,more,label\nx,y,a\n"), ("a.jsonl", '{"label": "a"}\n{"label": "b"}\n')]
)
def test_a_missing_column_is_named_with_what_there_is(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(DataError, match=r"has no column text; it has .*label") as caught:
        check(written(tmp_path / name, content))
    assert caught.value.hint == "name the columns with --text-column: by their names, or by their numbers from 1"


def test_of_many_columns_that_are_not_wanted_the_first_are_named(tmp_path: Path) -> None:
    lines = "".join(f'{{"id{number}": "x", "label": "a"}}\n' for number in range(30))
    with pytest.raises(DataError, match=r"has no column text; it has id0, label, id1, .*, id10 and 19 more\n"):
        check(written(tmp_path / "a.jsonl", lines))


def test_an_empty_table_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no column text and label; it has nothing"):
        check(written(tmp_path / "a.csv", ""))


def test_a_table_without_rows_has_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no texts to train on"):
        check(written(tmp_path / "a.csv", "text,label\n"))


def test_bad_rows_are_left_out_only_when_asked_and_only_a_few(tmp_path: Path) -> None:
    many = "text,label\n" + "".join(f"word {number},{'ab'[number % 2]}\n" for number in range(200))
    card = check(written(tmp_path / "a.csv", many + ",a\n"), on_bad_sample="skip")
    assert sum(card.counts().values()) == 200
    assert card.notes[0] == "left out 1 bad texts (0.50%) as asked: a.csv line 202 (the text is empty)"
    with pytest.raises(DataError) as caught:
        check(written(tmp_path / "b.csv", many + ",a\n" * 3), on_bad_sample="skip")
    assert caught.value.hint == "1.5% are bad; at most 1%, or one, may be skipped"


def test_texts_in_two_splits_or_under_two_classes_are_noted(tmp_path: Path) -> None:
    written(tmp_path / "train.csv", GOOD)
    written(tmp_path / "val.csv", "text,label\nword 3,a\n")
    notes = check(tmp_path).notes
    assert "1 text is in two splits at once, such as 'word 3': the scores will flatter" in notes
    assert "1 text stands under two classes, such as 'word 3'" in notes


def test_what_is_no_layout_of_text_says_what_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no data at /nowhere") as caught:
        check(Path("/nowhere"))
    assert "a CSV, TSV or JSON Lines file" in caught.value.hint
    assert "the embedded names" in caught.value.hint
    with pytest.raises(DataError, match=r"is a \.txt: not a layout of text that this task knows"):
        check(written(tmp_path / "a.txt", "text"))
    with pytest.raises(DataError, match=r"holds \.txt: not a layout"):
        check(tmp_path)


# --- a folder of texts for each class ---


def classes(root: Path, *, folder: str = "") -> Path:
    """Twenty texts of each of two classes below a folder."""
    for number in range(20):
        written(root / folder / "ham" / f"{number}.txt", f"good {number}\n")
        written(root / folder / "spam" / "deep" / f"{number}.md", f"\ufeffbad {number}")
    return root


def test_a_folder_of_texts_for_each_class_becomes_labelled_texts_without_white_space_at_their_ends(
    tmp_path: Path,
) -> None:
    card = check(classes(tmp_path))
    assert (card.source.format, card.classes) == ("text-classes", ("ham", "spam"))
    items = {item.name: item for split in card.splits.values() for item in split}
    assert len(items) == 40
    assert (items["ham/3.txt"].text, items["ham/3.txt"].label) == ("good 3", 0)
    assert (items["spam/deep/7.md"].text, items["spam/deep/7.md"].label) == ("bad 7", 1)


def test_text_folders_of_classes_may_lie_in_folders_of_splits(tmp_path: Path) -> None:
    classes(tmp_path, folder="train")
    written(tmp_path / "val/ham/1.txt", "new")
    written(tmp_path / "test/spam/1.txt", "other")
    card = check(tmp_path)
    assert card.counts() == {"train": 40, "validation": 1, "test": 1}
    assert "validation has nothing of spam" in card.notes


def test_what_is_wrong_with_a_text_in_a_class_folder_is_named_with_its_file(tmp_path: Path) -> None:
    classes(tmp_path)
    written(tmp_path / "ham/empty.txt", " \n")
    written(tmp_path / "spam/old.txt", b"caf\xe9")
    written(tmp_path / "spam/scan.pdf", b"%PDF")
    written(tmp_path / "eggs/photo.jpg", b"")
    written(tmp_path / "loose.txt", "where do I belong?")
    assert problems(tmp_path) == [
        "loose.txt: 1 text lies outside every class folder",
        "eggs/: no texts (found 1 .jpg)",
        "spam/: 1 text of a kind that cannot be read",
        "ham/empty.txt: the file is empty",
        "spam/old.txt: not UTF-8 text: byte 0xe9 at 3, in line 1, which reads 'café' as cp1252",
    ]


def test_files_beside_the_texts_of_a_class_are_left_out_with_a_note(tmp_path: Path) -> None:
    written(classes(tmp_path) / "ham/photo.jpg", b"")
    assert check(tmp_path).notes[0] == "left out 1 file other than texts (1 .jpg)"


def test_the_class_folders_of_a_classifier_are_running_text_for_a_language_model(tmp_path: Path) -> None:
    task = builtin_task("text-generation")
    assert task.data.detect(DataRequest(source=str(classes(tmp_path)))).format == "text-folder"


# --- running text ---


def corpus(path: Path) -> DataCard:
    task = builtin_task("text-generation")
    return task.data.check(task.data.detect(DataRequest(source=str(path))), progress=quiet)


def test_a_text_file_keeps_its_last_tenth_for_validation_cut_at_a_line(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(300))
    card = corpus(written(tmp_path / "a.txt", text))
    [train], [validation] = card.splits["train"], card.splits["validation"]
    assert train.text + validation.text == text
    assert train.text.endswith("\n")
    assert 0.08 < len(validation.text) / len(text) < 0.12
    assert card.counts() == {"train": 1, "validation": 1}


def test_a_folder_of_texts_has_splits_by_name_or_folder(tmp_path: Path) -> None:
    for name in ("train/a.txt", "train/deep/b.txt", "val.txt", "test/c.md", ".hidden/d.txt"):
        written(tmp_path / name, "some text\n" * 200)
    card = corpus(tmp_path)
    assert {split: [item.name for item in items] for split, items in card.splits.items()} == {
        "train": ["train/a.txt", "train/deep/b.txt"],
        "validation": ["val.txt"],
        "test": ["test/c.md"],
    }


def test_an_empty_text_file_and_one_that_is_no_text_are_named(tmp_path: Path) -> None:
    written(tmp_path / "a.txt", "some text\n" * 200)
    written(tmp_path / "b.txt", "  \n")
    written(tmp_path / "c.txt", b"\xffa")
    with pytest.raises(DataError) as caught:
        corpus(tmp_path)
    assert [(one.where, one.reason) for one in caught.value.problems] == [
        ("b.txt", "the file is empty"),
        ("c.txt", "not UTF-8 text: byte 0xff at 0, in line 1, which reads 'ÿa' as cp1252, 'a' as cp866"),
    ]


def test_too_little_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 10 characters to learn from and 9 to validate"):
        corpus(written(tmp_path / "a.txt", "some text\nand more\n"))


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    row = read_plain(written(tmp_path / "a.txt", b"one\r\ntwo\r\n"), "a.txt")
    assert isinstance(row, TextRow)
    assert row.text == "one\ntwo\n"


def test_the_embedded_names_are_found_by_name() -> None:
    source = detect_text(DataRequest(source="names"), embedded=("names",), task="text-classification")
    assert source.format == "names"
    rows = [TextRow("1", "a b" * 500, "x"), TextRow("2", "c", "y"), TextRow("3", "d", "x")]
    assert check_labelled(source, rows, progress=quiet).classes == ("x", "y")
    assert check_corpus(source, rows, progress=quiet).facts == {
        "characters": {"train": 1350, "validation": 152, "test": 0}
    }
