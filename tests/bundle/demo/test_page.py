"""The page as a file: everything is inside, nothing else may load, and a bundle cannot write HTML into it."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from tests.bundle.conftest import MakeBundle
from tests.bundle.demo.conftest import RUNTIME
from zoo.api.errors import HashMismatch, UsageError
from zoo.api.problem import TokenInput
from zoo.bundle.demo.gallery import entry_of, index_page
from zoo.bundle.demo.page import demo_page
from zoo.bundle.demo.scripts import FOLDER
from zoo.bundle.demo.support import TASKS, demo_of
from zoo.bundle.runtime.bundle import Bundle
from zoo.bundle.runtime.manifest import Manifest, PluginRecord, VariantRecord

EMBEDDED = re.compile(
    r'<script type="application/octet-stream" data-file="([^"]+)"( data-packed="gzip")?>([^<]*)</script>'
)


def with_manifest(bundle: Bundle, change: Callable[[Manifest], Manifest]) -> Bundle:
    return replace(bundle, file=replace(bundle.file, manifest=change(bundle.manifest)))


def held(page: str) -> dict[str, bytes]:
    """The files that a page holds, unpacked."""
    rows = [(name, bool(packed), b64decode(raw)) for name, packed, raw in EMBEDDED.findall(page)]
    return {name: gzip.decompress(raw) if packed else raw for name, packed, raw in rows}


def test_a_page_holds_the_runtime_the_pipeline_and_the_golden_cases(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    names = ["pipeline.onnx", "golden/case-0.npz", "golden/case-1.npz"]
    expected = {name: (folder / name).read_bytes() for name in names}
    page = demo_page(Bundle.open(folder), RUNTIME)
    assert held(page) == {"runtime.mjs": RUNTIME.script, "runtime.wasm": RUNTIME.wasm, **expected}


def test_a_page_names_no_address_and_its_policy_lets_nothing_load(make_bundle: MakeBundle) -> None:
    page = demo_page(Bundle.open(make_bundle()), RUNTIME)
    assert not re.search(r"""(?:src|href)=["'](?!data:|blob:)|https?://""", page)
    policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    for tag, rule in (('<script type="module">', "script-src"), ("<style>", "style-src")):
        source = (
            page.split(tag, 1)[1].split("</", 1)[0]
            if rule == "style-src"
            else page.rsplit(tag, 1)[1].rsplit("</script>", 1)[0]
        )
        digest = b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in rules[rule]


def test_names_of_a_bundle_stay_text(make_bundle: MakeBundle) -> None:
    hostile = "</script><script>alert(1)</script>"

    def change(manifest: Manifest) -> Manifest:
        lineage = replace(manifest.lineage, weights=hostile)
        return replace(manifest, problem=replace(manifest.problem, classes=(hostile, "a", "b")), lineage=lineage)

    page = demo_page(with_manifest(Bundle.open(make_bundle()), change), RUNTIME)
    assert "<script>alert" not in page
    manifest = json.loads(re.findall(r'id="manifest">(.*?)</script>', page)[0])
    assert manifest["problem"]["classes"][0] == hostile


def test_a_file_that_was_changed_goes_into_no_page(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    raw = bytearray((folder / "golden/case-0.npz").read_bytes())
    raw[-1] ^= 1
    (folder / "golden/case-0.npz").write_bytes(raw)
    with pytest.raises(HashMismatch, match=r"golden/case-0\.npz is missing or was changed"):
        demo_page(Bundle.open(folder), RUNTIME)


@pytest.mark.parametrize(("verdict", "words"), [("PASS", "was proved to answer"), ("unproved", "without a proof")])
def test_the_page_says_what_the_manifest_says_of_the_proof(make_bundle: MakeBundle, verdict: str, words: str) -> None:
    bundle = Bundle.open(make_bundle(verdict=verdict))
    page = demo_page(bundle, RUNTIME)
    assert words in page
    assert f'"verdict": "{verdict}"' in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "video-classification"}, "nobody has written the task video-classification in JavaScript"),
        (
            {"task_plugin": PluginRecord(name="theirs", distribution="theirs", version="1")},
            "nobody has written the task image-classification in JavaScript",
        ),
    ],
)
def test_a_task_that_javascript_does_not_know_is_refused(
    make_bundle: MakeBundle, changes: dict[str, Any], words: str
) -> None:
    bundle = with_manifest(Bundle.open(make_bundle()), lambda manifest: replace(manifest, **changes))
    with pytest.raises(UsageError, match=words):
        demo_page(bundle, RUNTIME)


RULES = {"lowercase": True, "strip_accents": True, "chinese": True, "unknown": 1, "first": [2], "last": [3]}

NOTHING = {"pattern": "", "tokens": {}, "word": "", "space": " "}
SUBWORD: dict[str, Any] = {
    "normalizer": [],
    "pre_tokenizer": [],
    "model": {"type": "WordLevel", "unk_token": "<unk>"},
    "added": {"raw": NOTHING, "normalized": NOTHING},
}


def with_pattern(pattern: str) -> dict[str, Any]:
    split = {"do": "split", "pattern": pattern, "behavior": "Isolated", "invert": False}
    return SUBWORD | {"pre_tokenizer": [split]}


@pytest.mark.parametrize(
    ("task", "unit", "facts", "words"),
    [
        ("text-classification", "subword", {}, "by rules that nobody has written"),
        ("text-classification", "subword", {"tokenizer": SUBWORD | {"model": {"type": "Odd"}}}, "by rules that nobody"),
        ("text-classification", "subword", {"tokenizer": with_pattern("a++")}, r"the possessive repetition \+\+"),
        ("text-classification", "subword", {"tokenizer": with_pattern("a+")}, ""),
        ("text-classification", "wordpiece", {}, "by rules that nobody has written"),
        ("text-classification", "wordpiece", {"tokenizer": RULES | {"normalizer": "NFKC"}}, "by rules that nobody"),
        ("text-generation", "wordpiece", {"tokenizer": RULES}, "it writes pieces of words"),
        ("text-generation", "subword", {"tokenizer": SUBWORD}, "it writes pieces of words"),
        ("text-classification", "wordpiece", {"tokenizer": RULES}, ""),
        ("text-generation", "token", {}, ""),
    ],
)
def test_texts_that_javascript_cannot_cut_are_refused(
    make_bundle: MakeBundle, task: str, unit: Any, facts: dict[str, Any], words: str
) -> None:
    def change(manifest: Manifest) -> Manifest:
        problem = replace(manifest.problem, input=TokenInput(unit=unit), facts=facts)
        return replace(manifest, task=task, problem=problem)

    bundle = with_manifest(Bundle.open(make_bundle()), change)
    if not words:
        demo_of(bundle)
        return
    with pytest.raises(UsageError, match=words):
        demo_of(bundle)


def test_graphs_that_are_too_large_for_a_page_are_refused_and_others_do_not_count(make_bundle: MakeBundle) -> None:
    def grown(name: str) -> Callable[[Manifest], Manifest]:
        return lambda manifest: replace(
            manifest,
            files=tuple(replace(file, bytes=400_000_000) if file.name == name else file for file in manifest.files),
        )

    bundle = Bundle.open(make_bundle())
    demo_of(with_manifest(bundle, grown("model.onnx")))  # no golden case is of it
    with pytest.raises(UsageError, match="its graphs have 400 MB, and a page holds at most 315 MB"):
        demo_of(with_manifest(bundle, grown("pipeline.onnx")))


def test_the_tasks_are_those_of_the_script() -> None:
    script = (FOLDER / "tasks.mjs").read_text(encoding="utf-8")
    assert re.findall(r'^  "([a-z-]+)": \{', script, re.MULTILINE) == list(TASKS)


def test_the_index_of_a_gallery_leads_to_every_page(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle())
    entry = replace(entry_of(bundle.manifest, size=7_600_000), weights="cnn/cnn@cnn/digits")
    other = replace(entry, file="gru.html", model="gru", task="text-classification", weights="run runs/gru/a, step-4")
    index = index_page([other, entry])
    assert entry.file == "cnn.html"
    assert re.findall("<h2>(.*)</h2>", index) == ["image-classification", "text-classification"]
    assert '<li><a href="./cnn.html">cnn</a><br><span class="dim">cnn@digits<br>proved, 7.6 MB</span></li>' in index
    assert "run runs/gru/a, step-4<br>" in index


def test_a_page_of_a_gallery_leads_back_to_the_index(make_bundle: MakeBundle) -> None:
    bundle = Bundle.open(make_bundle())
    assert '<a href="./index.html">All models</a>' in demo_page(bundle, RUNTIME, index="index.html")
    assert "All models" not in demo_page(bundle, RUNTIME)


def with_variant(bundle: Bundle, verdict: Any = "PASS") -> Bundle:
    """The bundle with a variant whose graph is a copy, and a golden case of it."""
    copies = {"pipeline.onnx": "variants/int8/pipeline.onnx", "golden/case-0.npz": "variants/int8/golden/one.npz"}
    for source, target in copies.items():
        (bundle.path / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(bundle.path / source, bundle.path / target)
    first, listed = bundle.manifest.golden[0], {file.name: file for file in bundle.manifest.files}
    case = replace(first, name="one", graph="variants/int8/pipeline.onnx", file="variants/int8/golden/one.npz")
    files = tuple(replace(listed[source], name=target) for source, target in copies.items())
    record = VariantRecord(
        name="int8", bits="int8", method="static, U8S8", verdict=verdict, sentence="within its budget, <smaller>",
        claims=("smaller",), opset=18, onnxruntime="1", machine="m", bytes=1, milliseconds=1.0,
        baseline_milliseconds=2.0, metrics={}, golden=(case,),
    )  # fmt: skip
    changes: dict[str, Any] = {"variants": (record,), "files": (*bundle.manifest.files, *files)}
    return with_manifest(bundle, lambda manifest: replace(manifest, **changes))


def test_a_page_of_a_variant_runs_its_graph_and_replays_its_own_cases(make_bundle: MakeBundle) -> None:
    bundle = with_variant(Bundle.open(make_bundle()))
    page = demo_page(bundle, RUNTIME, variant="int8")
    names = ["variants/int8/pipeline.onnx", "variants/int8/golden/one.npz"]
    assert sorted(held(page)) == sorted(["runtime.mjs", "runtime.wasm", *names])
    manifest = json.loads(re.findall(r'id="manifest">(.*?)</script>', page)[0])
    assert manifest["pipeline"] == names[0]
    assert [case["name"] for case in manifest["golden"]] == ["one"]
    assert "<h1>cnn in int8</h1>" in page
    assert "This is the variant int8 (static, U8S8): within its budget, &lt;smaller&gt;." in page
    with pytest.raises(UsageError, match="has no variant int4; it has int8"):
        demo_page(bundle, RUNTIME, variant="int4")


@pytest.mark.parametrize(
    ("whole", "variant", "expected"),
    [("PASS", "PASS", "PASS"), ("PASS", "WARN", "WARN"), ("WARN", "PASS", "WARN"), ("PASS", "unproved", "unproved")],
)
def test_a_variant_is_as_proved_as_the_worse_of_both(
    make_bundle: MakeBundle, whole: Any, variant: str, expected: str
) -> None:
    bundle = with_variant(Bundle.open(make_bundle()), variant)
    bundle = with_manifest(bundle, lambda manifest: replace(manifest, verdict=whole))
    assert demo_of(bundle, "int8").verdict == expected
