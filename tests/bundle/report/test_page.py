"""The page stands alone, says the verdict first, and lets nothing through unescaped."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.healthy import PUBLISHED, healthy_evidence
from zoo.api.errors import BadFile
from zoo.bundle.judge.evidence import Evidence, Magnitude, MutantResult, Waiver
from zoo.bundle.judge.verdict import judge
from zoo.bundle.report.html import Html, element, table
from zoo.bundle.report.noise_plot import Point, scatter
from zoo.bundle.report.page import STYLE, ShownCase, page
from zoo.bundle.report.record import Report, read_report, report_of
from zoo.runs.serialization import to_json

PNG = b"\x89PNG\r\n\x1a\n"
HOSTILE = "</style><script>alert('x')</script>\"onload=\"x&"


class Reader(HTMLParser):
    """All tags with their attributes, all text, and whether every element was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def report(evidence: Evidence) -> Report:
    return report_of(
        evidence, judge(evidence, published=PUBLISHED), reproduce=("zoo export cnn@digits --onnx",), seconds=3.2
    )


def test_the_verdict_comes_first_and_every_gate_is_explained() -> None:
    read = Reader(page(report(healthy_evidence())))
    assert read.open == []
    words = re.sub(r"\s+", " ", read.text.split("}")[-1])
    assert words.strip().startswith("Proved" + "cnn/cnn")
    for text in (
        "PyTorch only warns",
        "a mutant of this bundle proves nothing",
        "zoo export cnn@digits --onnx",
    ):
        assert text in words
    assert "Not proved" not in words


@pytest.mark.parametrize("part", ["mutants", "lineage", "agreement", "graphs"])
def test_a_failed_or_half_measured_proof_has_a_page_too(part: str) -> None:
    changed = replace(healthy_evidence(), **{part: () if part in ("mutants", "graphs") else None})  # type: ignore[arg-type]
    read = Reader(page(report(changed)))
    assert "Not proved: the checks cannot tell" in read.text
    assert read.open == []


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs() -> None:
    shown = ShownCase(graph="pipeline.onnx", case="one", reference="7", candidate="7", input_png=PNG)
    text = page(report(healthy_evidence()), shown=[shown])
    read = Reader(text)
    assert not {"script", "link", "iframe", "object", "base", "form"} & {tag for tag, _ in read.tags}
    sources = [value or "" for _, found in read.tags for name, value in found.items() if name in ("src", "href")]
    assert sources
    assert all(value.startswith("data:image/png;base64,") for value in sources)
    assert "url(" not in text
    assert "@import" not in text
    assert not [name for _, found in read.tags for name in found if name.startswith("on")]


def test_the_policy_allows_the_style_sheet_and_embedded_pictures_alone() -> None:
    text = page(report(healthy_evidence()))
    (policy,) = (facts["content"] for tag, facts in Reader(text).tags if tag == "meta" and "http-equiv" in facts)
    digest = base64.b64encode(hashlib.sha256(STYLE.read_text(encoding="utf-8").encode()).digest()).decode()
    allowed = f"img-src data:; style-src 'sha256-{digest}'"
    assert policy == f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    assert STYLE.read_text(encoding="utf-8") in text
    assert not any("style" in facts for _, facts in Reader(text).tags)


def test_control_characters_are_spelled_out_in_text_and_attributes() -> None:
    assert element("p", "\x1b[2J\u202e", attributes={"alt": "\x9b"}) == r'<p alt="\x9b">\x1b[2J\u202e</p>'


def test_hostile_words_stay_words() -> None:
    evidence = healthy_evidence()
    graph = replace(
        evidence.graphs[0],
        outputs=(HOSTILE,),
        cases=tuple(
            replace(case, name=HOSTILE, outputs=tuple(replace(o, name=HOSTILE) for o in case.outputs))
            for case in evidence.graphs[0].cases
        ),
    )
    hostile = replace(
        evidence,
        graphs=(graph, evidence.graphs[1]),
        subject=replace(evidence.subject, model=HOSTILE, weights=HOSTILE),
        environment=replace(evidence.environment, cpu=HOSTILE),
        agreement_data=HOSTILE,
        mutants=(MutantResult(name=HOSTILE, applied=True, detail=HOSTILE, killed_by=(HOSTILE,)),),
        waivers=(Waiver(output=HOSTILE, reason=HOSTILE, bound=0.1),),
    )
    shown = ShownCase(graph=HOSTILE, case=HOSTILE, reference=HOSTILE, candidate=HOSTILE)
    read = Reader(page(report(hostile), shown=[shown]))
    assert read.open == []
    assert "script" not in {tag for tag, _ in read.tags}
    assert read.text.count(HOSTILE) > 10


def test_the_picture_shows_a_point_per_case_by_its_status() -> None:
    points = [
        Point(case="good", noise=1e-7, error=1e-7, status="PASS", gates=True),
        Point(case="far", noise=1e-7, error=1e-4, status="FAIL", gates=True),
        Point(case="exact", noise=0.0, error=0.0, status="PASS", gates=False),
    ]
    dots = [found for tag, found in Reader(scatter(points, title="logits")).tags if tag == "circle"]
    assert [dot["class"] for dot in dots] == ["dot pass", "dot fail", "dot pass informs"]
    good, far, _ = ((float(dot["cx"] or 0), float(dot["cy"] or 0)) for dot in dots)
    assert good[0] == far[0]
    assert far[1] < good[1]  # higher up


def test_one_point_without_any_noise_can_be_drawn() -> None:
    assert "circle" in scatter([Point(case="a", noise=0.0, error=0.0, status="PASS", gates=True)], title="y")
    assert "1x" in scatter([], title="y")


def test_a_case_without_numbers_is_left_out_of_the_picture() -> None:
    evidence = healthy_evidence()
    nothing = Magnitude(rms=None, max=None)
    cases = tuple(
        replace(case, outputs=tuple(replace(o, onnx=nothing) for o in case.outputs))
        for case in evidence.graphs[0].cases
    )
    text = page(report(replace(evidence, graphs=(replace(evidence.graphs[0], cases=cases), evidence.graphs[1]))))
    assert text.count("<figure") == 1


def test_elements_escape_text_and_attributes() -> None:
    made = element("p", "a<b", element("b", '"'), kind='x"y', attributes={"n": 1.5})
    assert made == '<p class="x&quot;y" n="1.5">a&lt;b<b>&quot;</b></p>'
    assert isinstance(made, Html)
    assert element("img", attributes={"alt": ""}) == '<img alt=""/>'
    assert "<td>&lt;i&gt;</td>" in table(("h",), [("<i>",)])


def test_a_report_is_written_and_read(tmp_path: Path) -> None:

    path = tmp_path / "report.json"
    made = report(healthy_evidence())
    path.write_text(json.dumps(to_json(made), allow_nan=False))
    assert read_report(path) == made
    path.write_text(json.dumps({**to_json(made), "schema": 3}))
    with pytest.raises(BadFile, match="has schema 3, this zoo reads up to 2"):
        read_report(path)
    with pytest.raises(BadFile, match="cannot be read"):
        read_report(tmp_path / "absent.json")


def test_an_infinite_ratio_does_not_stop_a_report_from_being_json() -> None:

    evidence = healthy_evidence()
    zero = Magnitude(rms=0.0, max=0.0)
    cases = tuple(
        replace(case, outputs=tuple(replace(o, scale=zero, torch=zero) for o in case.outputs))
        for case in evidence.graphs[0].cases
    )
    changed = replace(evidence, graphs=(replace(evidence.graphs[0], cases=cases), evidence.graphs[1]))
    assert "the reference is zero everywhere" in json.dumps(to_json(report(changed)), allow_nan=False)
