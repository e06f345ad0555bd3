"""The JavaScript runner in Node: golden cases, answers, types, and texts cut as in Python."""

from __future__ import annotations

import json
import random
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bundle.demo.browser.conftest import run_tool
from tests.data.text.subword.tokenizers_of_all_kinds import HOSTILE, KINDS, random_text
from zoo.bundle.demo.runner import write_runner
from zoo.bundle.demo.scripts import FOLDER
from zoo.bundle.demo.tokenizer import javascript_rules
from zoo.bundle.runtime.bundle import Bundle
from zoo.data.text.reading import read_text
from zoo.data.text.subword.decode import decode
from zoo.data.text.subword.encode import subword_encoder
from zoo.data.text.subword.tokenizer_json import read_tokenizer_json
from zoo.data.text.vocabulary import pieces

pytestmark = pytest.mark.ci

Runner = Callable[[str], Path]
SIGNS = (
    "abcxyzABC äöüßéñçİΣσςŁ0123,.;:!?'\"-_()<>$+^`|~=\t\n\xa0\u2003\u200b\u0301中文ｆ한😀\ufffd\x00\x1c\x85\ufeffⅣ²½٣ǅﬁ"
)
RULES = {"lowercase": True, "strip_accents": True, "chinese": True, "unknown": 1, "first": [2], "last": [3]}


@pytest.fixture
def runner(npm: Path, bundles: Callable[[str], Path], tmp_path: Path) -> Runner:
    """The folder of the runner of weights, with its packages."""

    def make(name: str) -> Path:
        folder = tmp_path / "runner"
        write_runner(Bundle.open(bundles(name)), folder)
        (folder / "node_modules").symlink_to(npm / "node_modules")
        return folder

    return make


@pytest.mark.parametrize("weights", ["cnn@digits", "yolo_nano@digit_scenes", "gru_lm@names", "dcgan@digits"])
def test_the_golden_cases_are_reproduced(runner: Runner, weights: str) -> None:
    said = run_tool(["node", "run.mjs", "--self-test"], folder=runner(weights))
    assert said.startswith("self-test passed: ")


def test_a_changed_golden_case_fails_the_self_test(runner: Runner) -> None:
    folder = runner("cnn@digits")
    manifest = json.loads((folder / "manifest.json").read_text())
    first, second = manifest["golden"][0], manifest["golden"][3]
    first["file"], second["file"] = second["file"], first["file"]
    for output in (*first["outputs"], *second["outputs"]):
        output["max"] = 0.0
    (folder / "manifest.json").write_text(json.dumps(manifest))
    said = run_tool(["node", "run.mjs", "--self-test"], folder=folder, good=(1,))
    assert said.endswith("self-test failed\n")


def test_a_text_is_answered_and_bad_usage_is_a_sentence(runner: Runner, bundles: Callable[[str], Path]) -> None:
    folder = runner("gru@names")
    rows = json.loads(run_tool(["node", "run.mjs", "--json", "Ada Lovelace"], folder=folder))
    assert rows[0]["answer"][0]["label"] == "tr"
    assert run_tool(["node", "run.mjs", "--topk", "3", "x"], folder=folder, good=(2,)) == ""
    assert run_tool(["node", "run.mjs"], folder=folder, good=(2,)) == ""
    assert "--self-test" in run_tool(["node", "run.mjs", "--help"], folder=folder)


def test_the_types_hold_for_a_program(runner: Runner, npm: Path) -> None:
    folder = runner("yolo_nano@digit_scenes")
    program = """import { openRunner, type Label } from "./run.mjs";
const runner = await openRunner();
const { boxes } = await runner.predict({ width: 1, height: 1, data: [0, 0, 0] }, { threshold: 0.5 });
const label: Label = boxes[0].label;
const passed: boolean = (await runner.replay()).passed;
// @ts-expect-error  a picture is no text
await runner.predict("text");
export { label, passed };
"""
    (folder / "program.mts").write_text(program)
    shutil.copy(folder / "run.d.ts", folder / "run.d.mts")  # beside a program of the same folder
    words = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck", "program.mts"]
    run_tool(["node", str(npm / "node_modules" / "typescript" / "bin" / "tsc"), *words], folder=folder)


def random_texts(count: int) -> list[str]:
    """Texts of letters, signs and spaces of many writings that this Python's Unicode knows."""
    draw = random.Random(0)

    def sign() -> str:
        if draw.random() < 0.9:
            return draw.choice(SIGNS)
        found = chr(draw.choice([draw.randint(1, 0xD7FF), draw.randint(0xE000, 0x10FFFF)]))
        return found if unicodedata.category(found) != "Cn" else "x"

    return ["".join(sign() for _ in range(draw.randint(0, 30))) for _ in range(count)] + ["a" * 100, "a" * 101]


@pytest.mark.parametrize("unit", ["character", "token", "wordpiece"])
@pytest.mark.parametrize("plain", [True, False])
def test_texts_are_cut_as_in_python(npm: Path, unit: str, plain: bool) -> None:
    texts = random_texts(3000)
    whole = "character" if unit == "wordpiece" else unit
    known = sorted({piece for text in texts[:1500] for piece in pieces(text, whole)})
    vocabulary = ["<pad>", "<unk>", "[CLS]", "[SEP]", *known, *(f"##{piece}" for piece in known)]
    rules = RULES if plain else RULES | {"lowercase": False, "strip_accents": False, "chinese": False}
    problem: dict[str, Any] = {
        "input": {"unit": unit, "max_length": 25}, "vocabulary": vocabulary, "facts": {"tokenizer": rules},
    }  # fmt: skip
    script = f"""import {{ readFileSync }} from "node:fs";
import {{ textTokens }} from {json.dumps((FOLDER / "text.mjs").as_uri())};
const {{ problem, texts }} = JSON.parse(readFileSync(0, "utf8"));
const cut = (text) => {{ try {{ return textTokens(text, problem); }} catch {{ return []; }} }};
console.log(JSON.stringify(texts.map(cut)));"""
    stdin = json.dumps({"problem": problem, "texts": texts})
    actual = json.loads(run_tool(["node", "--input-type=module", "-e", script], folder=npm, stdin=stdin))
    assert dict(zip(texts, actual, strict=True)) == {text: tokens(text, problem) for text in texts}


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_cut_as_the_tokenizer_json_says(npm: Path, kind: str, tmp_path: Path) -> None:
    KINDS[kind]().save(str(tmp_path / "tokenizer.json"))
    file = read_tokenizer_json(tmp_path / "tokenizer.json")
    rules = json.loads(json.dumps(file.rules))
    texts = [*HOSTILE, *map(random_text, range(400)), "a\ud800b\udfff"]
    encode = subword_encoder(file.vocabulary, rules)
    expected = [encode(text, 200) for text in texts]
    problem = {
        "input": {"unit": "subword", "max_length": 200},
        "vocabulary": file.vocabulary,
        "facts": {"tokenizer": javascript_rules(rules)},
    }
    script = f"""import {{ readFileSync }} from "node:fs";
import {{ spelled, subwords }} from {json.dumps((FOLDER / "subword.mjs").as_uri())};
const {{ problem, texts }} = JSON.parse(readFileSync(0, "utf8"));
const rows = texts.map((text) => subwords(text, problem).tokens);
console.log(JSON.stringify([rows, rows.map((row) => spelled(row, problem))]));"""
    stdin = json.dumps({"problem": problem, "texts": texts})
    cut, back = json.loads(run_tool(["node", "--input-type=module", "-e", script], folder=npm, stdin=stdin))
    assert dict(zip(texts, cut, strict=True)) == dict(zip(texts, expected, strict=True))
    spelled = [decode(row, file.vocabulary, rules).strip() for row in expected]
    assert [text.strip() for text in back] == spelled


def tokens(text: str, problem: dict[str, Any]) -> list[int]:
    """As task.py cuts it; nothing for a text that it refuses."""
    try:
        return [int(token) for token in read_text(text, problem)["tokens"][0]]
    except ValueError:
        return []
