"""What of a tokenizer.json is refused, each by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.api.errors import BadFile
from zoo.data.text.subword.charsmap import read_charsmap
from zoo.data.text.subword.patterns import python_pattern
from zoo.data.text.subword.tokenizer_json import read_tokenizer_json

Document = dict[str, Any]


def document() -> Document:
    """The least that is a tokenizer."""
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "<unk>": 3}, "merges": ["a b"], "unk_token": "<unk>"}
    return {"model": model, "normalizer": None, "pre_tokenizer": None, "post_processor": None, "added_tokens": []}


def test_the_least_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(document()))
    file = read_tokenizer_json(tmp_path / "tokenizer.json")
    assert file.vocabulary == ("a", "b", "ab", "<unk>")
    assert file.rules["model"]["merges"] == [["a", "b"]]
    assert (file.rules["unknown"], file.rules["first"], file.max_length) == (3, [], None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d.update(pre_tokenizer={"type": "UnicodeScripts"}), "its pre-tokenizer UnicodeScripts"),
        (lambda d: d.update(normalizer={"type": "Sequence", "normalizers": [{"type": "Odd"}]}), "its normalizer Odd"),
        (lambda d: d["model"].update(type="Odd"), "its model Odd"),
        (lambda d: d["model"].update(dropout=0.1), "at random"),
        (lambda d: d["model"].update(unk_token="<none>"), "has no <none>, which it writes for an unknown sign"),
        (lambda d: d.update(post_processor={"type": "Odd"}), "its post-processor Odd"),
        (lambda d: d.update(truncation={"direction": "Left", "max_length": 3}), "at their beginning"),
        (lambda d: d.update(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"}), "table of characters"),
        (lambda d: d["model"]["vocab"].update(far=9_999_999), "its ids go up to 9,999,999"),
        (lambda d: d.pop("model"), "is no tokenizer.json"),
        (
            lambda d: d.update(
                pre_tokenizer={
                    "type": "Sequence",
                    "pretokenizers": [
                        {"type": "WhitespaceSplit"},
                        {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": True},
                    ],
                }
            ),
            "its Metaspace marks the first piece alone",
        ),
        (
            lambda d: d.update(
                pre_tokenizer={
                    "type": "Split",
                    "pattern": {"Regex": r"\p{Han}"},
                    "behavior": "Isolated",
                    "invert": False,
                }
            ),
            "its pre-tokenizer Split has .*Han",
        ),
    ],
)
def test_what_zoo_would_cut_otherwise_is_refused(
    change: Callable[[Document], object], sentence: str, tmp_path: Path
) -> None:
    changed = document()
    change(changed)
    (tmp_path / "tokenizer.json").write_text(json.dumps(changed))
    with pytest.raises(BadFile, match=sentence):
        read_tokenizer_json(tmp_path / "tokenizer.json")


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(BadFile, match="cannot be taken for a tokenizer"):
        read_tokenizer_json(tmp_path / "tokenizer.json")


@pytest.mark.parametrize("pattern", ["^a", "a$", "[a&&b]", "[a[b]]", r"\bx", r"\X", "(?<name>a)", r"\p{Greek}", "(a"])
def test_a_pattern_that_means_something_else_in_python_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(pattern))):
        python_pattern(pattern)


def test_no_table_of_characters_is_refused() -> None:
    with pytest.raises(ValueError, match="its table of characters"):
        read_charsmap("/////w==")
